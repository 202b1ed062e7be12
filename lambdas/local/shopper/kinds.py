"""Kinds: photos of single garments, answered with the right kind and with its color, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lambdas.local.progress import progress_bar
from lambdas.local.shopper.asking import ask
from lambdas.local.shopper.folder import ShopperFolder, ShopperPhoto
from lens.evaluation.color_difference import Floats, ciede2000
from lens.evaluation.garment_color import color_in_box, color_on_backdrop
from lens.evaluation.intervals import Figure, figure, macro_figure, macro_mean
from lens.evaluation.kinds import Kinds, last_part, precision
from lens.models.regions import Box
from lens.photos.catalog import Catalog, category
from lens.photos.decoding import decode
from lens.search.searcher import Searcher
from lens.settings import Limits

_FEW = 12
_FIRST = 5  # of the right kind, whose colors are compared


@dataclass(frozen=True)
class ColorFigures:
    """CIEDE2000 of a query to products of its kind, mean over the kinds; `ratio` is the first's to
    all of that kind, so 1 is color ignored. `reachable`: the ratio of the nearest in color."""

    first: float
    random: float
    ratio: Figure
    reachable: float


@dataclass(frozen=True)
class KindAlone:
    """One kind's photos, and their precision among the first 1 and 12 hits."""

    photos: int
    first: float
    of_12: float


@dataclass(frozen=True)
class KindFigures:
    """Precision among the first 1 and 12 hits, mean over the kinds."""

    gallery: int
    senders: int
    chance: float
    first: Figure
    of_12: Figure
    by_kind: dict[str, KindAlone]
    box_found: Figure  # share of photos of which a part was searched
    color: ColorFigures | None  # None: no hit was of the right kind


@dataclass(frozen=True)
class _Answer:
    photo: ShopperPhoto
    right: list[bool]  # of every hit by rank
    keys: list[str]
    box: Box | None

    @property
    def right_keys(self) -> list[str]:
        """The photos of the right kind, by rank."""
        return [key for key, right in zip(self.keys, self.right, strict=True) if right]


def sold_kinds(folder: ShopperFolder, gallery: Sequence[str]) -> Kinds:
    """The folder's kinds of which a gallery of these keys has a photo."""
    sold = {last_part(category(key)) for key in gallery}
    mapping = folder.mapping()
    return Kinds({kind: of for kind, of in mapping.kinds.items() if of & sold})


def measure(
    searcher: Searcher, catalog: Catalog, gallery: Sequence[str], folder: ShopperFolder
) -> KindFigures:
    """Ask the photos of the measuring senders, of the kinds that this gallery sells."""
    kinds = sold_kinds(folder, gallery)
    photos = [photo for photo in folder.photos("measuring") if photo.kind in kinds.categories]
    answers = []
    with progress_bar("Searching, kinds") as progress:
        for done, photo in enumerate(photos, start=1):
            results = ask(searcher, photo.path, top_k=len(gallery))
            right = [kinds.right(photo.kind, hit.category) for hit in results.hits]
            keys = [hit.key for hit in results.hits]
            answers.append(_Answer(photo, right, keys, results.region))
            progress(done, len(photos))
    of = [photo.kind for photo in photos]
    senders = [photo.sender for photo in photos]
    first = [precision(each.right, 1) for each in answers]
    of_12 = [precision(each.right, _FEW) for each in answers]
    return KindFigures(
        gallery=len(gallery),
        senders=len(set(senders)),
        chance=kinds.only(of).chance([category(key) for key in gallery]),
        first=macro_figure(first, of, senders),
        of_12=macro_figure(of_12, of, senders),
        by_kind={kind: _alone(kind, of, first, of_12) for kind in sorted(set(of))},
        box_found=macro_figure([each.box is not None for each in answers], of, senders),
        color=_colors(searcher.limits, catalog, answers),
    )


def _alone(
    kind: str, of: Sequence[str], first: Sequence[float], of_12: Sequence[float]
) -> KindAlone:
    mine = [position for position, each in enumerate(of) if each == kind]
    return KindAlone(
        photos=len(mine),
        first=sum(first[each] for each in mine) / len(mine),
        of_12=sum(of_12[each] for each in mine) / len(mine),
    )


def _colors(limits: Limits, catalog: Catalog, answers: Sequence[_Answer]) -> ColorFigures | None:
    """Only answers that have photos of the right kind say anything: in a gallery that sells the
    kind, all have."""
    answers = [each for each in answers if any(each.right)]
    if not answers:
        return None
    keys = sorted({key for each in answers for key in each.right_keys})
    of_key: dict[str, Floats] = {}
    differences = []
    with progress_bar("Comparing colors") as progress:
        for done, key in enumerate(keys, start=1):
            shown = decode(catalog.storage.read(key)[0], limits)
            of_key[key] = color_on_backdrop(np.asarray(shown))
            progress(done, len(keys))
    for each in answers:
        photo = decode(each.photo.path.read_bytes(), limits)
        asked = color_in_box(np.asarray(photo), each.box)
        differences.append(ciede2000(asked, np.array([of_key[key] for key in each.right_keys])))
    of = [each.photo.kind for each in answers]
    first = macro_mean([each[:_FIRST].mean() for each in differences], of)
    everything = macro_mean([each.mean() for each in differences], of)
    nearest = macro_mean([np.sort(each)[:_FIRST].mean() for each in differences], of)
    every = np.arange(len(answers))
    return ColorFigures(
        first=first(every),
        random=everything(every),
        ratio=figure(
            lambda chosen: first(chosen) / everything(chosen),
            [each.photo.sender for each in answers],
        ),
        reachable=nearest(every) / everything(every),
    )
