"""Shoppers' photos: which of them may be trained on, and what each is said to show.

photos.csv has the columns file and sender. A photo's label is the name of the folder that it lies
in: train/shirt/…, extra/blazer/….
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lens.errors import UsageError
from lens.evaluation.senders import Fold, fold_of
from training.garment.wearables import Wearable, labeled_wearable

_LIST = "photos.csv"


@dataclass(frozen=True)
class ShopperPhoto:
    """A photo that one shopper took of one garment; `key` is its file in the folder."""

    key: str
    wearable: Wearable


def training_photos(folder: Path) -> list[ShopperPhoto]:
    """`photos_of` the senders that are trained on."""
    return photos_of(folder, "training")


def photos_of(folder: Path, fold: Fold) -> list[ShopperPhoto]:
    """The photos of the senders of a fold, those with a label that is known, by file.

    Raises UsageError when the folder has no such list.
    """
    path = folder / _LIST
    try:
        lines = list(csv.DictReader(path.read_text().splitlines()))
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror}): --shopper names a folder of shoppers' photos"
        ) from error
    found = []
    for line in lines:
        if not {"file", "sender"} <= line.keys():
            raise UsageError(f"{path} has no columns file and sender")
        wearable = labeled_wearable(PurePosixPath(line["file"]).parent.name)
        if wearable is not None and fold_of(line["sender"]) == fold:
            found.append(ShopperPhoto(line["file"], wearable))
    return sorted(found, key=lambda photo: photo.key)
