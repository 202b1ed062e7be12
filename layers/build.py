"""The vendor layer: the packages that zip functions need, as Lambda unpacks them.

    python -m layers.build --python 3.13 --architecture x86_64

Writes layers/vendor/py313-x86_64/python/ from wheels, checked (layers/check.py), without Docker and
on any machine; does nothing when it is up to date.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from layers import check, trim
from layers.target import ARCHITECTURES, NEWEST_GLIBC, PYTHONS, LayerError, Target

REQUIREMENTS = ("aws-lambda-powertools", "boto3", "cachetools", "faiss-cpu", "numpy", "pydantic")
ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "layers" / "vendor"
CONSTRAINTS = ROOT / "constraints.txt"

_UNREACHABLE = re.compile(r"Connection|timed? ?out|Name or service|name resolution|SSLError|Proxy")


class UnreachableIndexError(LayerError):
    """The package index did not answer."""


def build(target: Target, vendor: Path = VENDOR) -> str:
    """Build the layer unless it is up to date; says in a line what was done.

    Raises LayerError when it cannot be built, or does not pass its check.
    """
    layer, stamp = vendor / target.name, vendor / f"{target.name}.stamp"
    inputs = _inputs(target)
    if layer.is_dir() and stamp.is_file() and stamp.read_text().startswith(inputs):
        return f"{target.name} is up to date: {stamp.read_text().removeprefix(inputs)}"
    vendor.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=vendor) as scratch:
        made = Path(scratch) / "layer"
        packages = made / "python"
        _install(target, packages)
        trim.trim(packages)
        made.chmod(0o755)
        packages.chmod(0o755)
        findings = check.check(target, packages, ROOT)
        # Without its stamp a half-done swap is built anew.
        stamp.unlink(missing_ok=True)
        if layer.exists():
            layer.rename(Path(scratch) / "old")
        made.rename(layer)
    stamp.write_text(inputs + findings)
    return f"{target.name} is built: {findings}"


def _inputs(target: Target) -> str:
    """Changes with whatever changes the layer."""
    files = [CONSTRAINTS, *sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{target.name} {digest}\n"


def _install(target: Target, packages: Path) -> None:
    # pip takes a platform literally: a wheel for an older glibc fits too, if it is named.
    tags = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC, 16, -1)] + ["manylinux2014"]
    platforms = [f"--platform={tag}_{target.machine}" for tag in tags]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"),
            *("--disable-pip-version-check", "--only-binary=:all:", "--implementation=cp"),
            *(f"--python-version={target.python}", *platforms),
            *(f"--target={packages}", f"--constraint={CONSTRAINTS}", *REQUIREMENTS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise _explained(target, done.stderr)


def _explained(target: Target, said: str) -> LayerError:
    if _UNREACHABLE.search(said):
        return UnreachableIndexError(
            "the package index cannot be reached: check the network and `pip config list`"
        )
    if "No module named pip" in said:
        return LayerError(f"{sys.executable} has no pip: run `{sys.executable} -m ensurepip`")
    # pip does not tell an absent wheel from pins that contradict each other.
    if missing := re.search(r"(?:distribution found for|Cannot install) (\S+)", said):
        return LayerError(
            f"{missing[1]}, or what it needs, has no wheel for Python {target.python} on "
            f"{target.architecture}: pin a version that has one in constraints.txt, or choose "
            "another --python"
        )
    last = said.strip().splitlines()[-1:] or ["it gave no reason"]
    return LayerError(f"pip failed ({last[0]}): mend that and build again")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    os.umask(0o022)
    parser = argparse.ArgumentParser(prog="python -m layers.build", description="Build the layer.")
    deployed = json.loads((ROOT / "cdk.json").read_text())["context"]
    parser.add_argument("--python", choices=PYTHONS, default=deployed["python_version"])
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=deployed["architecture"])
    given = parser.parse_args(arguments)
    try:
        print(f"layers/vendor/{build(Target(given.python, given.architecture))}")
    except LayerError as error:
        print(f"layers.build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
