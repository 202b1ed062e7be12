"""Kinds: photos of single garments, answered with their kind or with another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.local.progress import progress_bar
from lambdas.local.shopper import colors
from lambdas.local.shopper.asking import ask
from lambdas.local.shopper.colors import ColorFigures, OfItsKind
from lambdas.local.shopper.folder import ShopperFolder
from lens.evaluation.intervals import Figure, macro_figure
from lens.evaluation.kinds import Kinds, last_part, precision
from lens.photos.catalog import Catalog, category
from lens.search.searcher import Searcher

_FEW = 12


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
    right: list[list[bool]] = []
    answers: list[OfItsKind] = []
    cut: list[bool] = []
    with progress_bar("Searching, kinds") as progress:
        for done, photo in enumerate(photos, start=1):
            results = ask(searcher, photo.path, top_k=len(gallery))
            right.append([kinds.right(photo.kind, hit.category) for hit in results.hits])
            of_kind = itertools.compress(results.hits, right[-1])
            answers.append(OfItsKind(photo, [hit.key for hit in of_kind]))
            cut.append(results.region is not None)
            progress(done, len(photos))
    of = [photo.kind for photo in photos]
    senders = [photo.sender for photo in photos]
    first = [precision(each, 1) for each in right]
    of_12 = [precision(each, _FEW) for each in right]
    return KindFigures(
        gallery=len(gallery),
        senders=len(set(senders)),
        chance=kinds.only(of).chance([category(key) for key in gallery]),
        first=macro_figure(first, of, senders),
        of_12=macro_figure(of_12, of, senders),
        by_kind={kind: _alone(kind, of, first, of_12) for kind in sorted(set(of))},
        box_found=macro_figure(cut, of, senders),
        color=colors.measure(searcher.limits, catalog, answers),
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
