"""The shopper folder: photos that people took, their labels and their senders, read from disk.

photos.csv                 file, sender, …: who took which photo
train/KIND, validation/KIND   photos of one garment each
mapping.json               which categories of the shop are right for a kind
backgrounds/               photos without a garment, and what composites stand before
street/boxes.json          photos of people, their garments labeled
negatives/KIND/            more photos without a garment (need not be there)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, TypeAdapter, ValidationError

from lens.errors import UsageError
from lens.evaluation.boxes import fractions
from lens.evaluation.senders import Fold, fold_of
from lens.evaluation.street import Garment
from lens.photos.catalog import is_photo
from lens.photos.decoding import upright_size

_LABELED = ("train", "validation")  # both: what a photo is for, its sender decides


@dataclass(frozen=True)
class ShopperPhoto:
    """A photo of one garment."""

    path: Path
    sender: str
    kind: str


class Mapping(BaseModel):
    """mapping.json: by kind, the last parts of the right categories; kinds that nobody sells."""

    kinds: dict[str, frozenset[str]]
    not_sold: tuple[str, ...] = ()


class _Label(BaseModel):
    kind: str
    categories: frozenset[str]
    box: tuple[int, int, int, int]  # pixels: left, top, right, bottom


_LABELS = TypeAdapter(dict[str, list[_Label]])


@dataclass(frozen=True)
class ShopperFolder:
    """What the protocol reads; each method raises UsageError when its part is not as it must be."""

    root: Path

    def photos(self, fold: Fold) -> list[ShopperPhoto]:
        """The labeled photos of the senders of a fold, by file."""
        lines = csv.DictReader(self._text("photos.csv").splitlines())
        found = []
        for line in lines:
            if not {"file", "sender"} <= line.keys():
                raise UsageError(f"{self.root / 'photos.csv'} has no columns file and sender")
            parts = PurePosixPath(line["file"]).parts
            if len(parts) == 3 and parts[0] in _LABELED and fold_of(line["sender"]) == fold:
                found.append(ShopperPhoto(self.root / line["file"], line["sender"], parts[1]))
        return sorted(found, key=lambda photo: photo.path)

    def mapping(self) -> Mapping:
        """Which categories are right for which kind."""
        try:
            return Mapping.model_validate_json(self._text("mapping.json"))
        except ValidationError as error:
            raise self._unreadable("mapping.json", error) from error

    def street(self) -> dict[Path, list[Garment]]:
        """The labeled garments of each street photo."""
        try:
            labels = _LABELS.validate_json(self._text("street/boxes.json"))
        except ValidationError as error:
            raise self._unreadable("street/boxes.json", error) from error
        return dict(self._labeled(labels))

    def backgrounds(self) -> list[Path]:
        """Photos without a garment, by name."""
        found = _photos_in(self.root / "backgrounds")
        if not found:
            raise UsageError(f"no photos in {self.root / 'backgrounds'}: composites need some")
        return found

    def negatives(self) -> dict[str, list[Path]]:
        """Photos without a garment by kind; the backgrounds are one."""
        folders = sorted(path for path in (self.root / "negatives").glob("*") if path.is_dir())
        more = {folder.name: _photos_in(folder) for folder in folders}
        return {"backgrounds": self.backgrounds(), **{name: of for name, of in more.items() if of}}

    def _labeled(self, labels: dict[str, list[_Label]]) -> Iterator[tuple[Path, list[Garment]]]:
        for name, of in sorted(labels.items()):
            path = self.root / "street" / name
            size = upright_size(self._bytes(path))
            yield (
                path,
                [Garment(each.kind, each.categories, fractions(each.box, size)) for each in of],
            )

    def _text(self, name: str) -> str:
        return self._bytes(self.root / name).decode("utf-8", "replace")

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"cannot read {path}: {error.strerror}; "
                "--shopper names a folder of shoppers' photos"
            ) from error

    def _unreadable(self, name: str, error: ValidationError) -> UsageError:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return UsageError(f"{self.root / name}: {place}: {first['msg']}")


def _photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file() and is_photo(path.name))
