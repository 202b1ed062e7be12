"""Colors: within the right kind, whether the first hits have the color of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lambdas.local.progress import progress_bar
from lambdas.local.shopper.folder import ShopperPhoto
from lens.evaluation.color_difference import Floats, ciede2000
from lens.evaluation.garment_color import color_in_center, color_on_backdrop
from lens.evaluation.intervals import Figure, figure, macro_mean
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode
from lens.settings import Limits

_FIRST = 5


@dataclass(frozen=True)
class OfItsKind:
    """A photo, and all of the gallery's photos of its kind, by rank."""

    photo: ShopperPhoto
    keys: Sequence[str]


@dataclass(frozen=True)
class ColorFigures:
    """CIEDE2000 between a query's garment and the first five of its kind; and all of that kind,
    which is what random ones have. Means over the kinds."""

    first: float
    everything: float
    ratio: Figure  # of the two: 1 is color ignored
    reachable: float  # that ratio, were the first five the nearest in color


def measure(limits: Limits, catalog: Catalog, answers: Sequence[OfItsKind]) -> ColorFigures | None:
    """None when nothing of the right kind was found at all."""
    answers = [each for each in answers if each.keys]
    if not answers:
        return None
    color_of = _shown(limits, catalog, sorted({key for each in answers for key in each.keys}))
    differences = []
    for each in answers:
        photo = decode(each.photo.path.read_bytes(), limits)
        asked = color_in_center(np.asarray(photo))
        differences.append(ciede2000(asked, np.array([color_of[key] for key in each.keys])))
    kinds = [each.photo.kind for each in answers]
    first = macro_mean([each[:_FIRST].mean() for each in differences], kinds)
    everything = macro_mean([each.mean() for each in differences], kinds)
    nearest = macro_mean([np.sort(each)[:_FIRST].mean() for each in differences], kinds)
    all_of_them = np.arange(len(answers))
    return ColorFigures(
        first=first(all_of_them),
        everything=everything(all_of_them),
        ratio=figure(
            lambda chosen: first(chosen) / everything(chosen),
            [each.photo.sender for each in answers],
        ),
        reachable=nearest(all_of_them) / everything(all_of_them),
    )


def _shown(limits: Limits, catalog: Catalog, keys: Sequence[str]) -> dict[str, Floats]:
    """The color of each of the catalog's photos."""
    found = {}
    with progress_bar("Comparing colors") as progress:
        for done, key in enumerate(keys, start=1):
            photo = decode(catalog.storage.read(key)[0], limits)
            found[key] = color_on_backdrop(np.asarray(photo))
            progress(done, len(keys))
    return found
