"""Checkpoints: a run's state on disk, from which it resumes, and its best model.

The files are `epoch_{n}.pth` (after n whole epochs), `epoch_{n}_step_{s}.pth` (after s steps of the
next epoch) and `best_model.pth`. Each is written atomically, so a run can be killed at any moment.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import torch

from lens.errors import ArtifactError

BEST = "best_model.pth"
_KEPT = 2  # the newest, and the one before it in case the disk damages the newest
_NAME = re.compile(r"epoch_(\d+)(?:_step_(\d+))?\.pth")


def save_checkpoint(folder: Path, state: dict[str, Any], epochs: int, step: int = 0) -> Path:
    """Write the state after `epochs` whole epochs and `step` steps of the next one.

    All but the newest two checkpoints are removed.
    """
    name = f"epoch_{epochs}_step_{step}.pth" if step else f"epoch_{epochs}.pth"
    _save(folder / name, state)
    for old in _by_age(folder)[:-_KEPT]:
        old.unlink()
    return folder / name


def save_best(folder: Path, state: dict[str, Any]) -> None:
    """Write the best model so far."""
    _save(folder / BEST, state)


def load_best(folder: Path) -> dict[str, Any]:
    """Return the best model so far; ArtifactError if it cannot be read."""
    return _load(folder / BEST)


def has_begun(folder: Path) -> bool:
    """Return whether there is a checkpoint to resume from."""
    return bool(_by_age(folder))


def load_newest(folder: Path) -> dict[str, Any] | None:
    """Return the newest readable checkpoint; None if the run has none.

    Raises ArtifactError if there are checkpoints and none can be read.
    """
    found = _by_age(folder)
    for file in reversed(found):
        try:
            return _load(file)
        except ArtifactError:
            if file == found[0]:
                raise
    return None


def _by_age(folder: Path) -> list[Path]:
    def position(file: Path) -> tuple[int, int]:
        match = _NAME.fullmatch(file.name)
        assert match is not None
        return int(match[1]), int(match[2] or 0)

    return sorted((f for f in folder.glob("epoch_*") if _NAME.fullmatch(f.name)), key=position)


def _save(file: Path, state: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    with partial.open("wb") as out:
        torch.save(state, out)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)


def _load(file: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise nearly anything
        raise ArtifactError(f"{file} cannot be read ({error}): delete it, and run again") from error
    return state
