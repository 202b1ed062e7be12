"""Kinds: which of a shop's categories are right for a kind of garment, and how often they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kinds:
    """The kinds that a shop sells, each with the last parts of its right categories."""

    categories: Mapping[str, frozenset[str]]

    def right(self, kind: str, category: str) -> bool:
        """Whether a hit of this category answers a photo of this kind."""
        return last_part(category) in self.categories[kind]

    def only(self, kinds: Iterable[str]) -> Kinds:
        """Those of these kinds."""
        wanted = set(kinds)
        return Kinds({kind: of for kind, of in self.categories.items() if kind in wanted})

    def chance(self, gallery: Sequence[str]) -> float:
        """Precision of hits drawn blindly from photos of these categories, mean over the kinds."""
        if not gallery or not self.categories:
            return 0.0
        shares = [
            sum(self.right(kind, each) for each in gallery) / len(gallery)
            for kind in self.categories
        ]
        return sum(shares) / len(shares)


def last_part(category: str) -> str:
    """`WOMEN/Dresses` -> `Dresses`."""
    return category.rpartition("/")[2]


def precision(right: Sequence[bool], k: int) -> float:
    """Share of the first k hits that are right, by rank; hits that there are not, are wrong."""
    return sum(right[:k]) / k
