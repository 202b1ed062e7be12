"""The check of a built layer: its wheels fit Lambda, its size fits the limit, and it imports."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from layers.target import NEWEST_GLIBC, LayerError, Target

# A zip function with all of its layers, unzipped:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LIMIT_BYTES = 250 * 2**20

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
_MODULES = (
    "aws_lambda_powertools, cachetools, faiss, numpy, pydantic, lens.indexing, lens.reconcile"
)
_IMPORTS = """
import sys
sys.path[:0] = sys.argv[1:]
import aws_lambda_powertools, boto3, cachetools, faiss, numpy, pydantic
import lens.collector, lens.compaction, lens.indexing, lens.queues, lens.reconcile
for service in ("s3", "sqs", "sts"):
    boto3.client(service, region_name="us-east-1")
"""


def check(target: Target, packages: Path, root: Path) -> str:
    """Check a layer's python/ folder against the code beside it; what was found, in a line.

    Raises LayerError at the first thing that would fail on Lambda.
    """
    wheels = check_tags(target, packages)
    binaries = check_binaries(target, packages)
    size = check_size(packages, root / "layers" / "lens" / "python", root / "lambdas")
    return f"{wheels} wheels, {binaries} binaries, {size}; {_imported(target, packages, root)}"


def check_tags(target: Target, packages: Path) -> int:
    """The number of wheels, each of which has a tag that fits the target."""
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
    """The number of ELF files, each of which is for the target's processor and glibc."""
    count = 0
    for path in _files(packages):
        with path.open("rb") as file:
            header = file.read(20)
            if header[:4] != b"\x7fELF":
                continue
            content = header + file.read()
        count += 1
        if int.from_bytes(header[18:20], "little") != _ELF_MACHINES[target.machine]:
            raise LayerError(f"{path.name} is not for {target.architecture}: build the layer anew")
        needs = max((int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)", content)), default=0)
        if needs > NEWEST_GLIBC:
            raise LayerError(
                f"{path.name} needs glibc 2.{needs}, newer than its wheel's tag says: pin another "
                "version in constraints.txt"
            )
    return count


def check_size(*parts: Path, limit: int = LIMIT_BYTES) -> str:
    """The sum of the folders' files, which is within Lambda's limit."""
    size = sum(path.stat().st_size for part in parts for path in _files(part))
    figure = f"{size / 2**20:.1f} of {limit / 2**20:.0f} MiB unzipped, with lens and the functions"
    if size > limit:
        raise LayerError(f"{figure}: take something out of REQUIREMENTS in layers/build.py")
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


def _imported(target: Target, packages: Path, root: Path) -> str:
    """Import what the functions do, with the layers only, in that Python if it is here."""
    if (platform.system(), platform.machine()) != ("Linux", target.machine):
        return f"not imported: this machine is no {target.architecture} Linux"
    python = find_python(target.python)
    if python is None:
        return f"not imported: there is no Python {target.python} on this machine"
    lens = root / "layers" / "lens" / "python"
    # -S leaves site-packages out, -I the environment, -B bytecode.
    command = [str(python), "-I", "-S", "-B", "-c", _IMPORTS, str(packages), str(lens)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LayerError(
            f"Python {target.python} cannot import the layer ({last[0]}): add what is missing to "
            "REQUIREMENTS in layers/build.py"
        )
    return f"imported by Python {target.python}"


def find_python(version: str) -> Path | None:
    """That Python on the PATH or among pyenv's; a pyenv shim that would not run does not count."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = shutil.which(f"python{version}")
    candidates = [Path(found)] if found else []
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return next((path for path in candidates if _runs(path)), None)


def _runs(python: Path) -> bool:
    return subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
