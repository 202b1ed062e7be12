"""The target: the Python and the processor that a layer is built for."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Lambda runs Python 3.12 and newer on Amazon Linux 2023. 3.11 is for an emulator on this machine.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Lambda's name of an architecture, and the name that wheels and kernels use.
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# manylinux_2_28: faiss-cpu and numpy have no wheels for an older glibc; Amazon Linux 2023 has 2.34.
NEWEST_GLIBC = 28


class LayerError(Exception):
    """A layer cannot be built or used; the message is one line that says what to do."""


@dataclass(frozen=True)
class Target:
    """A Python version ("3.13") and an architecture by Lambda's name ("arm64")."""

    python: str
    architecture: str

    def __post_init__(self) -> None:
        if self.python not in PYTHONS:
            known = ", ".join(PYTHONS)
            raise LayerError(f"no layer for Python {self.python!r}: choose one of {known}")
        if self.architecture not in ARCHITECTURES:
            known = " or ".join(ARCHITECTURES)
            raise LayerError(f"no layer for architecture {self.architecture!r}: choose {known}")

    @property
    def name(self) -> str:
        """As part of a folder's name under layers/vendor."""
        return f"py{self.python.replace('.', '')}-{self.architecture}"

    @property
    def machine(self) -> str:
        """The architecture by the kernel's name."""
        return ARCHITECTURES[self.architecture]


def find_python(version: str) -> Path | None:
    """The executable of this Python version, on the PATH or among pyenv's, if it runs.

    A pyenv shim may be on the PATH and not run."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = shutil.which(f"python{version}")
    candidates = [Path(found)] if found else []
    candidates += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return next((path for path in candidates if _runs(path)), None)


def _runs(python: Path) -> bool:
    return subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0
