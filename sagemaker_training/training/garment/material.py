"""Material: the labeled photos and the backgrounds that a garment network is trained on.

Of a catalog with a partition file only the train part is taken, and only photos of senders that are
for training: what measures the model is never read here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import UsageError
from lens.photos.catalog import Catalog, is_photo, item_id
from lens.storage import open_storage
from training.garment.label_folder import SIDE, Label, LabelFolder, Source
from training.garment.labels import PLACES, Box, Labeled
from training.garment.pictures import read_photo, reduced
from training.garment.shopper_photos import ShopperPhoto, training_photos
from training.garment.wearables import Wearable, admissible, wearable_of

# The colors of an item are numbered in In-Shop's file names: 02_1_front.jpg.
_COLOR = re.compile(r"(\d+)_\d+_\w+")
_BACKGROUND_SIDE = 768  # pixels: a piece of it still fills a view
_THING_SIDE = 384
_OPAQUE = 255

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Material:
    """catalog, shoppers: labeled photos. backgrounds: (H, W, 3) uint8 each, without garments.
    things: (H, W, 4) uint8 each, cut-outs of what is no garment."""

    catalog: tuple[Labeled, ...]
    shoppers: tuple[Labeled, ...]
    backgrounds: tuple[NDArray[np.uint8], ...]
    things: tuple[NDArray[np.uint8], ...] = ()

    @property
    def items(self) -> int:
        """How many items the catalog's photos show."""
        return len({photo.item for photo in self.catalog})

    def describe(self) -> dict[str, object]:
        """Return the counts that the model's manifest stores."""
        return {
            "catalog": {"photos": len(self.catalog), "items": self.items},
            "shoppers": {"photos": len(self.shoppers)},
            "with a box": sum(bool(p.places) for p in (*self.catalog, *self.shoppers)),
            "backgrounds": len(self.backgrounds),
            "things": len(self.things),
        }


def read_material(
    labels: Path,
    data: Path,
    shopper: Path,
    scenes: Path | None = None,
    things: Path | None = None,
) -> Material:
    """Read what was labeled of a catalog and of shoppers' photos, and the backgrounds: every
    second surface of the shoppers', twice, and the photos in the folder `scenes`. The folder
    `things` holds PNG cut-outs of what is no garment.

    Raises UsageError when there is nothing to train on, and ArtifactError for damaged labels.
    """
    folder = LabelFolder(labels)
    known = folder.labels()
    if not known:
        raise UsageError(f"{labels} has no labels: run `garment.py label --output {labels}` first")
    surfaces = photos_in(shopper / "surfaces")[::2]  # the others are for measuring
    material = Material(
        catalog=tuple(_catalog(folder, known, data)),
        shoppers=tuple(_shoppers(folder, known, shopper)),
        backgrounds=tuple(
            _parallel(background, [*(photos_in(scenes) if scenes else ()), *surfaces, *surfaces])
        ),
        things=read_things(things),
    )
    if material.items < 2 or not material.shoppers or not material.backgrounds:
        raise UsageError(
            f"{labels} has labels of {material.items} items to train on and of "
            f"{len(material.shoppers)} photos of shoppers, and there are "
            f"{len(material.backgrounds)} backgrounds: is each folder the right one?"
        )
    return material


_Known = dict[tuple[Source, str], Label]


def _catalog(folder: LabelFolder, known: _Known, data: Path) -> Iterator[Labeled]:
    catalog = Catalog(open_storage(data))
    partition = catalog.partition()
    keys = [info.key for info in catalog.photos() if ("catalog", info.key) in known]
    if partition:
        keys = [key for key in keys if key in partition and partition[key].status == "train"]

    def labeled(key: str) -> Labeled:
        return _labeled(folder, known["catalog", key], data, wearable_of(key))

    items: dict[str, int] = {}
    colors: dict[str, int] = {}
    for key, photo in zip(keys, _parallel(labeled, keys), strict=True):
        item = item_id(key, partition)
        color = _COLOR.fullmatch(PurePosixPath(key).stem)
        color_name = f"{item} {color[1]}" if color else item
        yield replace(
            photo,
            item=items.setdefault(item, len(items)),
            color=colors.setdefault(color_name, len(colors)),
        )


def _shoppers(folder: LabelFolder, known: _Known, shopper: Path) -> Iterator[Labeled]:
    photos = [p for p in training_photos(shopper) if ("shopper", p.key) in known]

    def labeled(photo: ShopperPhoto) -> Labeled:
        return _labeled(folder, known["shopper", photo.key], shopper, photo.wearable)

    return _parallel(labeled, photos)


def _labeled(folder: LabelFolder, label: Label, root: Path, wearable: Wearable) -> Labeled:
    image = reduced(read_photo(root / label.key), SIDE)
    mask = folder.mask(label.mask) if label.mask else None
    cut_out = folder.mask(label.cut_out) if label.cut_out else None
    for each in (mask, cut_out):
        if each is not None and each.shape[::-1] != image.size:
            raise UsageError(f"{root / label.key} is not the photo that was labeled: label again")
    return Labeled(
        name=f"{label.source}/{label.key}",
        image=np.asarray(image),
        mask=mask,
        cut_out=cut_out,
        places=tuple((PLACES.index(p.place), _pixels(p.box, image.size)) for p in label.places),
        unsure=frozenset(PLACES.index(place) for place in label.unsure),
        kinds=admissible(wearable.kinds),
        worn=label.worn,
    )


def _pixels(box: Box, size: tuple[int, int]) -> Box:
    """A box in fractions of an image of this width and height, in its pixels."""
    (x0, y0, x1, y1), (width, height) = box, size
    return (x0 * width, y0 * height, x1 * width, y1 * height)


def background(path: Path) -> NDArray[np.uint8]:
    """A photo without garments, as large as a view needs."""
    return np.asarray(reduced(read_photo(path), _BACKGROUND_SIDE))


def read_things(folder: Path | None) -> tuple[NDArray[np.uint8], ...]:
    """The folder's PNG cut-outs of what is no garment, (H, W, 4) uint8 each; none without it."""
    return tuple(_parallel(_thing, sorted(folder.glob("*.png")) if folder else ()))


def _thing(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        thing = reduced(picture.convert("RGBA"), _THING_SIDE)
    if thing.getchannel("A").getextrema()[0] == _OPAQUE:
        raise UsageError(f"{path} is opaque everywhere: a thing is cut out, as a PNG with alpha")
    return np.asarray(thing)


def photos_in(folder: Path) -> list[Path]:
    """The photos that lie in a folder, by name."""
    return sorted(path for path in folder.glob("*") if path.is_file() and is_photo(path.name))


def _parallel(work: Callable[[_In], _Out], given: Sequence[_In]) -> Iterator[_Out]:
    """The results in the order of what is given; photos are decoded on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(work, given)
