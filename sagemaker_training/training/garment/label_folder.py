"""The label folder: what the teachers said about each photo, written once and read by every run.

labels.jsonl     a line for each photo: its boxes as fractions of the photo, and its masks' files
masks/…          each (H, W), gray levels, as PNG; at most SIDE pixels a side

What a shop or a shopper said about a photo (item, category, label, sender) is not stored here: it
is read where the photos are, so a changed table of kinds needs no new labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from lens.errors import ArtifactError, UsageError
from training.garment.labels import Box, Place

SIDE = 288  # pixels of the longer side of a training photo
Source = Literal["catalog", "shopper"]
_FILE = "labels.jsonl"


class LabeledPlace(BaseModel):
    """A garment's place and its box, x0, y0, x1, y1 as fractions of the upright photo."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Place
    box: Box


class Label(BaseModel):
    """What the teachers said about a photo; see labels.Labeled for what the fields mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source
    key: str  # of the photo in its folder
    mask: str | None = None  # file in the label folder
    cut_out: str | None = None
    places: tuple[LabeledPlace, ...] = ()
    unsure: tuple[Place, ...] = ()
    worn: bool = False


class LabelFolder:
    """Labels in a folder, in the order in which they were written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def labels(self) -> dict[tuple[Source, str], Label]:
        """Every label by its photo. A last line that was not wholly written does not count.

        Raises ArtifactError for any other line that is no label.
        """
        return {(label.source, label.key): label for label in self._lines()}

    def mask(self, file: str) -> NDArray[np.uint8]:
        """(H, W) uint8; ArtifactError when the file is missing or damaged."""
        path = self._root / file
        try:
            return np.asarray(Image.open(BytesIO(path.read_bytes())).convert("L"))
        except (OSError, ValueError) as error:
            raise ArtifactError(f"the mask {path} cannot be read ({error}): label again") from error

    def write(
        self, label: Label, mask: NDArray[np.uint8] | None, cut_out: NDArray[np.uint8] | None
    ) -> None:
        """Append a photo's label, after its masks; the label's own names of them are replaced."""
        stem = f"masks/{label.source}/{label.key}"
        files: dict[str, str | None] = {"mask": None, "cut_out": None}
        if mask is not None:
            files["mask"] = self._write_mask(f"{stem}.mask.png", mask)
        if cut_out is not None:
            same = mask is not None and np.array_equal(mask, cut_out)
            name = f"{stem}.cut_out.png"
            files["cut_out"] = files["mask"] if same else self._write_mask(name, cut_out)
        line = label.model_copy(update=files).model_dump_json(exclude_defaults=True)
        with (self._root / _FILE).open("a") as out:
            out.write(line + "\n")

    def prepare(self) -> None:
        """Make the folder, and cut off a last line that was not wholly written."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            path = self._root / _FILE
            data = path.read_bytes() if path.exists() else b""
            if data and not data.endswith(b"\n"):
                path.write_bytes(data[: data.rfind(b"\n") + 1])
        except OSError as error:
            raise UsageError(f"cannot write labels to {self._root}: {error}") from error

    def _write_mask(self, name: str, mask: NDArray[np.uint8]) -> str:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path, "PNG")
        return name

    def _lines(self) -> Iterator[Label]:
        path = self._root / _FILE
        if not path.exists():
            return
        for number, line in enumerate(path.read_text().splitlines(keepends=True), start=1):
            if not line.endswith("\n"):
                return
            try:
                yield Label.model_validate(json.loads(line))
            except (ValueError, ValidationError) as error:
                raise ArtifactError(
                    f"{path}, line {number} is no label ({str(error).splitlines()[0]}): "
                    "delete the folder, and label again"
                ) from error
