"""Street: people in photos, their garments found and answered with their kind, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.local.progress import progress_bar
from lambdas.local.shopper.asking import ask
from lambdas.local.shopper.folder import ShopperFolder
from lens.evaluation.intervals import Figure, mean_figure
from lens.evaluation.kinds import last_part
from lens.evaluation.street import CLOTHES, Garment, first_products
from lens.photos.catalog import category
from lens.search.results import Results
from lens.search.searcher import Searcher


@dataclass(frozen=True)
class GroupFigures:
    """Garments of one group; shares of them."""

    garments: int
    found: Figure  # one of the product's regions is on it
    box_first: Figure  # the first product is of its kind, its true box chosen
    box_first_five: Figure  # so is one of the first five products
    whole_first: Figure  # the same, the photo answered as it is
    whole_first_five: Figure


@dataclass(frozen=True)
class StreetFigures:
    """By group; "clothes" are the groups that the product must find, together."""

    photos: int
    regions: float  # that the product sees, a photo
    groups: dict[str, GroupFigures]


@dataclass(frozen=True)
class _Answer:
    photo: str
    garment: Garment
    found: bool
    box: list[bool]  # of the first products: whether the kind is right
    whole: list[bool]


def measure(searcher: Searcher, gallery: Sequence[str], folder: ShopperFolder) -> StreetFigures:
    """Ask each photo whole, and by the box of each garment that a gallery of these keys sells."""
    sold = {last_part(category(key)) for key in gallery}
    labeled = folder.street()
    answers: list[_Answer] = []
    regions = 0
    with progress_bar("Searching, street") as progress:
        for done, (path, garments) in enumerate(labeled.items(), start=1):
            whole = ask(searcher, path, top_k=len(gallery))
            regions += len(whole.regions)
            boxes = [region.box for region in whole.regions]
            for garment in garments:
                if garment.categories & sold:
                    chosen = ask(searcher, path, top_k=len(gallery), region=garment.box)
                    answers.append(
                        _Answer(
                            photo=path.name,
                            garment=garment,
                            found=garment.found_by(boxes),
                            box=_right(chosen, garment),
                            whole=_right(whole, garment),
                        )
                    )
            progress(done, len(labeled))
    groups: dict[str, list[_Answer]] = {
        "clothes": [each for each in answers if each.garment.group in CLOTHES]
    }
    for each in answers:
        groups.setdefault(each.garment.group or each.garment.kind, []).append(each)
    return StreetFigures(
        photos=len(labeled),
        regions=regions / max(len(labeled), 1),
        groups={name: _figures(of) for name, of in groups.items() if of},
    )


def _right(results: Results, garment: Garment) -> list[bool]:
    first = first_products([hit.item_id for hit in results.hits])
    return [last_part(results.hits[each].category) in garment.categories for each in first]


def _figures(answers: Sequence[_Answer]) -> GroupFigures:
    """A photo's garments are drawn together."""
    photos = [each.photo for each in answers]

    def share(right: Sequence[bool]) -> Figure:
        return mean_figure(right, photos)

    return GroupFigures(
        garments=len(answers),
        found=share([each.found for each in answers]),
        box_first=share([any(each.box[:1]) for each in answers]),
        box_first_five=share([any(each.box) for each in answers]),
        whole_first=share([any(each.whole[:1]) for each in answers]),
        whole_first_five=share([any(each.whole) for each in answers]),
    )
