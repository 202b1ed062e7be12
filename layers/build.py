"""The build: a deployment's layers of packages, made from wheels, laid out as on Lambda.

    python -m layers.build -c packaging=zip -c python_version=3.13

Takes the deployment's settings as `cdk` does. Writes folders like
layers/vendor/gallery-py313-x86_64/python/ and checks them (layers/check.py). Needs no Docker and
runs on any machine; does nothing when the layers are up to date.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from cdk.config import ConfigError, config_from
from layers import check, trim
from layers.contents import ROOT, Layer, deployed
from layers.target import NEWEST_GLIBC, LayerError, Target, find_python

VENDOR = ROOT / "layers" / "vendor"

_UNREACHABLE = re.compile(r"Connection|timed? ?out|Name or service|name resolution|SSLError|Proxy")


class UnreachableIndexError(LayerError):
    """The package index cannot be reached."""


def build(layer: Layer, target: Target, vendor: Path = VENDOR) -> str:
    """Build the layer unless it is up to date; returns one line that says what was done.

    Raises LayerError when the layer cannot be built or fails its check.
    """
    name = f"{layer.name}-{target.name}"
    folder, stamp = vendor / name, vendor / f"{name}.stamp"
    python = find_python(target.python)
    inputs = _inputs(layer, target, python)
    if folder.is_dir() and stamp.is_file() and stamp.read_text().startswith(inputs):
        return f"{name} is up to date: {stamp.read_text().removeprefix(inputs)}"
    vendor.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=vendor) as scratch:
        made = Path(scratch) / "layer"
        packages = made / "python"
        _install(layer, target, packages)
        trim.trim(packages)
        if python:
            _compile(target, python, packages)
        made.chmod(0o755)
        packages.chmod(0o755)
        findings = check.check(layer, target, packages)
        # Without its stamp the layer is built again if this is interrupted between the two renames.
        stamp.unlink(missing_ok=True)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        made.rename(folder)
    stamp.write_text(inputs + findings)
    return f"{name} is built: {findings}"


def _inputs(layer: Layer, target: Target, python: Path | None) -> str:
    """A text that is different whenever the built layer would be different."""
    files = [layer.pinned, *sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"{layer.name} {target.name} {'compiled' if python else 'sources'} {digest}\n"


def _compile(target: Target, python: Path, packages: Path) -> None:
    """Compile as the image does. Lambda cannot write into a layer, so a module that is not compiled
    here is compiled at every cold start (serving: importing takes 2.5 s of CPU instead of 0.8)."""
    done = subprocess.run(
        [
            *(python, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"),
            # The paths on Lambda: right in tracebacks, and the same bytes on every machine.
            *("-s", packages, "-p", "/opt/python", packages),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LayerError(
            f"Python {target.python} cannot compile the layer ({_last(done.stdout)}): pin another "
            "version in constraints.txt, and run `make pins`"
        )


def _install(layer: Layer, target: Target, packages: Path) -> None:
    # pip accepts exactly the platforms that it is given, so name those of older glibc versions too.
    tags = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC, 16, -1)] + ["manylinux2014"]
    platforms = [f"--platform={tag}_{target.machine}" for tag in tags]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"),
            *("--disable-pip-version-check", "--only-binary=:all:", "--implementation=cp"),
            *(f"--python-version={target.python}", *platforms),
            *("--no-deps", "--require-hashes", f"--requirement={layer.pinned}"),
            f"--target={packages}",
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
    if "DO NOT MATCH THE HASHES" in said:
        return LayerError(
            "a package is not the one that layers/pinned names by its hash: find out why before "
            "anything is deployed; `make pins` takes it as it is"
        )
    if missing := re.search(r"distribution found for (\S+)", said):
        return LayerError(
            f"{missing[1]} has no wheel for Python {target.python} on {target.architecture}: pin a "
            "version that has one in constraints.txt and run `make pins`, or choose another "
            "python_version"
        )
    return LayerError(f"pip failed ({_last(said)}): fix that and build again")


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["it gave no reason"])[-1]


def main(arguments: list[str] | None = None) -> int:
    """The command; ignores arguments that are for `cdk` only."""
    os.umask(0o022)
    parser = argparse.ArgumentParser(prog="python -m layers.build", description="Build the layers.")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE")
    options, _ = parser.parse_known_args(arguments)
    try:
        config = config_from(dict(each.partition("=")[::2] for each in options.context))
        target = Target(config.python_version, config.architecture)
        for layer in deployed(config.packaging):
            print(f"layers/vendor/{build(layer, target)}")
    except (ConfigError, LayerError) as error:
        print(f"layers.build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
