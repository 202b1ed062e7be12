"""Street: garments labeled in photos of people, and which of the product's regions find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lens.models.regions import Box, overlap

Group = Literal["upper", "lower", "one_piece", "shoes", "bag"]
CLOTHES: frozenset[Group] = frozenset({"upper", "lower", "one_piece"})
FOUND = 0.5  # intersection over union

_GROUPS: dict[Group, frozenset[str]] = {
    "upper": frozenset(
        {"blazer", "blouse", "cardigan", "coat", "hoodie", "jacket", "shirt", "sweater"}
        | {"sweatshirt", "t-shirt", "tank", "top", "vest"}
    ),
    "lower": frozenset({"jeans", "leggings", "pants", "shorts", "skirt"}),
    "one_piece": frozenset({"dress", "jumper", "romper", "suit"}),
    "shoes": frozenset({"boots", "flats", "heels", "sandals", "shoes", "sneakers"}),
    "bag": frozenset({"bag", "purse"}),
}


@dataclass(frozen=True)
class Garment:
    """One labeled garment; its box is in fractions of the photo, as the labels' pixels say."""

    kind: str
    categories: frozenset[str]  # the last parts of those that are right
    box: Box

    @property
    def group(self) -> Group | None:
        """The product's kind of it; None of what the product has no kind for."""
        return next((group for group, kinds in _GROUPS.items() if self.kind in kinds), None)

    def found_by(self, boxes: Sequence[Box]) -> bool:
        """Whether one of the boxes is on it."""
        return any(overlap(self.box, box) >= FOUND for box in boxes)


def first_products(item_ids: Sequence[str], count: int = 5) -> list[int]:
    """By rank, the positions of the first hits that each show another product than all before."""
    seen: dict[str, int] = {}
    for position, item_id in enumerate(item_ids):
        seen.setdefault(item_id, position)
    return list(seen.values())[:count]
