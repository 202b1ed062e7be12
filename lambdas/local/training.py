"""Training: the training program of this checkout, run as a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lens.errors import LensError, UsageError

ROOT = Path(__file__).parents[2]
_PROGRAM = ROOT / "sagemaker_training/train.py"
_INSTALL = ".venv/bin/python -m pip install -c constraints.txt -e '.[serve,train]'"


class TrainingError(LensError):
    """The training program failed; it has printed the reason itself."""


def train(arguments: Sequence[str]) -> None:
    """Run it with these arguments until it ends; when it is interrupted, it writes a checkpoint.

    It runs as a process of its own, because torch and the functions' libraries are never loaded
    together. SageMaker runs the same program.
    """
    if not _PROGRAM.is_file():
        raise UsageError("the training program is in the repository: run this from a checkout")
    if importlib.util.find_spec("torch") is None:
        raise UsageError(f"training needs torch: {_INSTALL}")
    path = os.pathsep.join(filter(None, (str(ROOT / "layers/lens/python"), _paths())))
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), *arguments], env={**os.environ, "PYTHONPATH": path}
    ) as process:
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                continue  # the terminal interrupted the program too: it now writes a checkpoint
            break
    if status == 2:
        raise UsageError("the training program did not understand (see above)")
    if status:
        raise TrainingError(f"training ended with status {status} (see above)")


def _paths() -> str:
    return os.environ.get("PYTHONPATH", "")
