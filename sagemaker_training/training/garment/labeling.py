"""Labeling: asks the teachers about the photos that may be trained on, and writes their answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lens.errors import UsageError
from lens.photos.catalog import Catalog
from lens.storage import open_storage
from training.garment.flat import is_worn, label_flat
from training.garment.label_folder import SIDE, Label, LabeledPlace, LabelFolder, Source
from training.garment.labels import PLACES, Box, Place
from training.garment.pictures import read_photo, reduced
from training.garment.shopper_photos import training_photos
from training.garment.teachers import Pose, Saliency
from training.garment.wearables import wearable_of
from training.garment.worn import label_worn

_PHOTOS_A_LINE = 100
_SOFTENED = 0.8  # deviation of the blur of a mask's edge, in pixels of the photo
_SALIENCY_SIDE = 320  # what the teacher is shown at most


@dataclass(frozen=True)
class _Photo:
    """A photo to be labeled; `place` is that of its garment, or None."""

    source: Source
    key: str
    path: Path
    place: Place | None


_Labels = tuple[Label, NDArray[np.uint8] | None, NDArray[np.uint8] | None]


def label_photos(
    data: Path,
    shopper: Path,
    output: Path,
    *,
    saliency: Saliency,
    pose: Pose,
    say: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Label a catalog's photos and those of shoppers, and write them to the label folder `output`.

    Photos that have a label there are left alone, so a run that was stopped goes on. Returns False
    when `stopping` stopped it. Raises UsageError for a folder or a photo that cannot be read.
    """
    folder = LabelFolder(output)
    photos = [*_catalog(data), *_shoppers(shopper)]
    folder.prepare()
    there = folder.labels()
    left = [photo for photo in photos if (photo.source, photo.key) not in there]
    say(f"{len(photos)} photos, {len(photos) - len(left)} of them labeled before")

    def label(photo: _Photo) -> _Labels:
        image = read_photo(photo.path)
        if photo.source == "catalog":
            return _label_worn(photo, image, pose)
        return _label_flat(photo, image, saliency, pose)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, labels in enumerate(pool.map(label, left), start=1):
                folder.write(*labels)
                if done % _PHOTOS_A_LINE == 0 or done == len(left):
                    say(f"labeled {done}/{len(left)}")
                if done < len(left) and stopping():
                    return False
        finally:
            pool.shutdown(cancel_futures=True)
    return True


def _catalog(data: Path) -> Iterator[_Photo]:
    catalog = Catalog(open_storage(data))
    partition = catalog.partition()
    for info in catalog.photos():
        if not partition or info.key in partition:
            yield _Photo("catalog", info.key, data / info.key, wearable_of(info.key).place)


def _shoppers(shopper: Path) -> Iterator[_Photo]:
    for photo in training_photos(shopper):
        if not (shopper / photo.key).is_file():
            raise UsageError(f"there is no {shopper / photo.key}, which photos.csv names")
        yield _Photo("shopper", photo.key, shopper / photo.key, photo.wearable.place)


def _label_worn(photo: _Photo, image: Image.Image, pose: Pose) -> _Labels:
    landmarks = pose.landmarks(image) if photo.place is not None else None
    worn = label_worn(np.asarray(image), photo.place, landmarks)
    size = reduced(image, SIDE).size
    label = Label(
        source="catalog",
        key=photo.key,
        places=tuple(_placed(place, box, image.size) for place, box in worn.places),
        unsure=tuple(place for place in PLACES if place in worn.unsure),
        worn=True,
    )
    mask, cut_out = (
        None if each is None else _soft(each, size) for each in (worn.garment, worn.cut_out)
    )
    return label, mask, cut_out


def _label_flat(photo: _Photo, image: Image.Image, saliency: Saliency, pose: Pose) -> _Labels:
    worn = is_worn(pose.landmarks(image))
    found = saliency.mask(reduced(image, _SALIENCY_SIDE))
    size = reduced(image, SIDE).size
    mask = np.asarray(Image.fromarray(found).resize(size, Image.Resampling.BILINEAR))
    flat = None if worn else label_flat(mask)
    if flat is None or photo.place is None:
        label = Label(source="shopper", key=photo.key, unsure=PLACES, worn=worn)
        return label, None, None
    label = Label(
        source="shopper", key=photo.key, places=(_placed(photo.place, flat.box, size),), worn=worn
    )
    return label, flat.mask, flat.mask


def _placed(place: Place, box: Box, size: tuple[int, int]) -> LabeledPlace:
    """A box in pixels of an image of this width and height, as a label has it."""
    (x0, y0, x1, y1), (width, height) = box, size
    fractions = (x0 / width, y0 / height, x1 / width, y1 / height)
    return LabeledPlace.model_validate({"place": place, "box": fractions})


def _soft(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask (H, W) as gray levels with a soft edge, at another width and height."""
    levels = ndimage.gaussian_filter(mask.astype(np.float32), _SOFTENED) * 255
    soft = Image.fromarray(levels.astype(np.uint8))
    return np.asarray(soft.resize(size, Image.Resampling.BICUBIC))
