"""The interpreters: finds a Python that the functions can run on, and makes two environments of it.

MiniStack pins another botocore, so one environment runs the emulator and the zip functions, and the
other runs the image functions with the image's libraries. Both are made once, in .emulator/.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.aws.turns import HOME, ROOT, turn

WANTED = ("3.13", "3.12")  # in order of preference; those that cdk/config.py accepts
RUNTIME_CLIENT = "awslambdaric==4.2.2"


class NoPythonError(Exception):
    """This machine has no Python that the functions can run on."""


@dataclass(frozen=True)
class Interpreters:
    """`version` as in "3.13", and the environments' executables."""

    version: str
    emulator: Path
    image: Path


def interpreters() -> Interpreters:
    """Find Python and make both environments if they are missing, which takes minutes."""
    version, python = find_python()
    here = Path(__file__).parent
    libraries = ROOT / "lambdas/requirements.txt"
    with turn("environments"):
        return Interpreters(
            version,
            _environment(python, f"ministack-{version}", ["-r", str(here / "ministack.txt")]),
            _environment(
                python,
                f"image-{version}",
                ["-c", str(ROOT / "constraints.txt"), "-r", str(libraries), RUNTIME_CLIENT],
            ),
        )


def find_python() -> tuple[str, str]:
    """Version and executable of a Python that the functions can run on, or NoPythonError."""
    for candidate in _candidates():
        ask = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
        try:
            told = subprocess.run([candidate, "-c", ask], capture_output=True, text=True)
        except OSError:
            continue
        if (version := told.stdout.strip()) in WANTED:
            return version, candidate
    named = os.environ.get("PYTHON_AWS")
    found = f"PYTHON_AWS={named} is not one" if named else "this machine has none"
    raise NoPythonError(
        f"make test-aws needs Python {' or '.join(WANTED)}, as the functions do, but {found}: "
        "install one, or name it: make test-aws PYTHON_AWS=/path/to/python"
    )


def _candidates() -> Iterator[str]:
    if named := os.environ.get("PYTHON_AWS"):
        yield named
        return
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in WANTED:
        yield from (str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python")))
        if found := shutil.which(f"python{version}"):
            yield found


def _environment(python: str, name: str, requirements: list[str]) -> Path:
    """A venv with these requirements; its stamp is written when it is complete."""
    folder = HOME / name
    executable = folder / "bin/python"
    files = [Path(each) for each in requirements if each.endswith(".txt")]
    text = [python, *requirements, *(path.read_text() for path in files)]
    digest = hashlib.sha256("\0".join(text).encode()).hexdigest()
    stamp = folder / "stamp"
    if stamp.is_file() and stamp.read_text() == digest:
        return executable
    shutil.rmtree(folder, ignore_errors=True)
    _run([python, "-m", "venv", str(folder)])
    _run([str(executable), "-m", "pip", "install", "--quiet", *requirements])
    stamp.write_text(digest)
    return executable


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NoPythonError(f"{' '.join(command[:5])} … failed: {''.join(reason)}")
