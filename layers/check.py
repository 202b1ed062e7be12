"""The check of a built layer: its wheels fit Lambda, it is small enough, and it imports."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from layers.contents import ROOT, Layer
from layers.target import NEWEST_GLIBC, LayerError, Target, find_python

LENS = ROOT / "layers" / "lens" / "python"
LAMBDAS = ROOT / "lambdas"

# A zip function with all of its layers, unzipped:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LIMIT_BYTES = 250 * 2**20
# Of `lens`, in no layer (cdk/assets.py).
_LEFT_OUT = "default_model"

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
# No function starts without a region and these settings.
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "LENS_ARTIFACTS": "/nowhere",
    "LENS_CATALOG": "/nowhere",
    "LENS_THUMBS": "/nowhere",
    "LENS_EMBED_QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/looks",
    "LENS_MODEL_FOLDER": "/nowhere",
    "LENS_KEYS_SECRET": "keys",
    "LENS_SEARCH_VERSION": "search:1",
}
_IMPORTS = """
import sys
packages, lens, root, *functions = sys.argv[1:]
sys.path[:0] = packages, lens, root
import importlib, boto3, lens.storage.s3
for function in functions:
    assert callable(importlib.import_module(function).handler)
for service in ("codedeploy", "lambda", "s3", "secretsmanager", "sqs", "sts"):
    boto3.client(service)
"""


def check(layer: Layer, target: Target, packages: Path) -> str:
    """Check a layer's python/ folder and the code that runs with it; returns one line of findings.

    Raises LayerError at the first problem that would make Lambda fail.
    """
    wheels = check_tags(target, packages)
    binaries = check_binaries(target, packages)
    size = check_size(packages, LENS, LAMBDAS)
    return f"{wheels} wheels, {binaries} binaries, {size}; {_imported(layer, target, packages)}"


def check_tags(target: Target, packages: Path) -> int:
    """The number of wheels; LayerError when one has no tag that fits the target."""
    files = sorted(packages.glob("*.dist-info/WHEEL"))
    for file in files:
        tags = re.findall(r"^Tag: (\S+)-(\S+)-(\S+)$", file.read_text(), re.MULTILINE)
        if not any(_fits(target, *tag) for tag in tags):
            wheel = file.parent.name.removesuffix(".dist-info")
            built_for = ", ".join(sorted("-".join(tag) for tag in tags)) or "nothing"
            raise LayerError(
                f"{wheel} is built for {built_for}, not for Python {target.python} on "
                f"{target.architecture}: pin a version that has such a wheel in constraints.txt"
            )
    return len(files)


def check_binaries(target: Target, packages: Path) -> int:
    """The number of ELF files; LayerError when one is for another processor or a newer glibc."""
    count = 0
    for path in _files(packages):
        with path.open("rb") as file:
            header = file.read(20)
            if header[:4] != b"\x7fELF":
                continue
            content = header + file.read()
        count += 1
        if int.from_bytes(header[18:20], "little") != _ELF_MACHINES[target.machine]:
            raise LayerError(f"{path.name} is not for {target.architecture}: build the layer again")
        needs = max((int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)", content)), default=0)
        if needs > NEWEST_GLIBC:
            raise LayerError(
                f"{path.name} needs glibc 2.{needs}, newer than its wheel's tag says: pin another "
                "version in constraints.txt"
            )
    return count


def check_size(*parts: Path, limit: int = LIMIT_BYTES) -> str:
    """The size of all files in the folders; LayerError when it is over Lambda's limit."""
    files = (path for part in parts for path in _files(part))
    size = sum(path.stat().st_size for path in files if _LEFT_OUT not in path.parts)
    figure = f"{size / 2**20:.1f} of {limit / 2**20:.0f} MiB unzipped, with lens and the functions"
    if size > limit:
        raise LayerError(f"{figure}: remove more in layers/trim.py")
    return figure


def _fits(target: Target, python: str, abi: str, system: str) -> bool:
    if system != "any":
        glibc = re.fullmatch(rf"manylinux_2_(\d+)_{target.machine}", system)
        old = system == f"manylinux2014_{target.machine}"
        if not old and not (glibc and int(glibc[1]) <= NEWEST_GLIBC):
            return False
    minor = int(target.python.removeprefix("3."))
    if abi == "abi3":
        return re.fullmatch(r"cp3\d+", python) is not None and int(python[3:]) <= minor
    return abi in {"none", f"cp3{minor}"} and python in {"py3", "py2.py3", f"cp3{minor}"}


def _imported(layer: Layer, target: Target, packages: Path) -> str:
    """Import the functions with the layers only, if the target's Python is installed here."""
    if (platform.system(), platform.machine()) != ("Linux", target.machine):
        return f"not imported: this machine is not {target.architecture} Linux"
    python = find_python(target.python)
    if python is None:
        return f"neither compiled nor imported: this machine has no Python {target.python}"
    # -S leaves out site-packages, -I the paths of the environment; -B writes no bytecode.
    done = subprocess.run(
        [
            *(str(python), "-I", "-S", "-B", "-c", _IMPORTS),
            *(str(packages), str(LENS), str(ROOT), *layer.functions),
        ],
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LayerError(
            f"Python {target.python} cannot import the functions of {layer.name} ({last[0]}): add "
            "the missing package in layers/contents.py"
        )
    return f"compiled for and imported by Python {target.python}"


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path
