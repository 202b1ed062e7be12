"""Examples: what of the gallery a search is to be like, or unlike, and how they make one vector.

The formula is Rocchio's, in measure (docs/experiments.md): what is searched for, and a part of what
is liked, less a smaller part of what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.errors import FieldError, NotFoundError
from lens.gallery.gallery import Gallery

Vector = NDArray[np.float32]  # (D,), unit length

MOST_PHOTOS = 5
MOST_EXAMPLES = 10  # of each kind
# Beside photos, a liked item leads away from the product that they show, toward its kind.
_LIKED = 0.5
_UNLIKED = 0.25
# Of an item's photos, by key, so many count. The first ones show the whole of it.
_OF_ITEM = 8


@dataclass(frozen=True)
class Examples:
    """Ids of items or of photos. Raises FieldError for what contradicts itself, or is too much."""

    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, ids in (("like", self.like), ("unlike", self.unlike)):
            if len(ids) > MOST_EXAMPLES:
                raise FieldError(f"{name}: send at most {MOST_EXAMPLES}")
        for example in self.unlike:
            if example in self.like:
                raise FieldError(f"unlike: {example!r} is in like too; send it once")

    def __bool__(self) -> bool:
        return bool(self.like or self.unlike)

    def called(self, item: Callable[[str], str]) -> Examples:
        """The same by the catalog's ids. Raises FieldError where two of them are one."""
        like, unlike = (tuple(dict.fromkeys(map(item, ids))) for ids in (self.like, self.unlike))
        return Examples(like, unlike)


NO_EXAMPLES = Examples()


@dataclass(frozen=True)
class Exemplars:
    """Examples as a gallery has them: a vector of each, and the keys of all their photos."""

    like: tuple[Vector, ...]
    unlike: tuple[Vector, ...]
    keys: frozenset[str]


def exemplars_of(gallery: Gallery, examples: Examples) -> Exemplars:
    """The gallery's vectors of the examples: an item's is the mean of its photos'. Raises
    NotFoundError, naming it, for an id that is neither an item's nor a photo's."""
    keys: set[str] = set()

    def vector_of(example: str) -> Vector:
        found = gallery.item_vectors(example) or gallery.photo_vectors(example)
        if not found:
            raise _unknown(example)
        keys.update(row.key for row, _ in found)
        return _mean([vector for _, vector in found[:_OF_ITEM]])

    like = tuple(map(vector_of, examples.like))
    unlike = tuple(map(vector_of, examples.unlike))
    return Exemplars(like, unlike, frozenset(keys))


def require_none(examples: Examples) -> None:
    """An empty gallery has none of them. Raises NotFoundError for the first."""
    for example in (*examples.like, *examples.unlike):
        raise _unknown(example)


def blend(photos: Sequence[Vector], like: Sequence[Vector], unlike: Sequence[Vector]) -> Vector:
    """One unit vector of photos' vectors and examples': the photos' mean, or without photos that
    of `like`, is what is searched for. One of both must be there."""
    blended = _mean(photos or like).astype(np.float64)
    if photos and like:
        blended += _LIKED * _mean(like)
    if unlike:
        blended -= _UNLIKED * _mean(unlike)
    return _unit(blended)


def _unknown(example: str) -> NotFoundError:
    return NotFoundError(f"no item and no photo of the gallery has the id {example!r}")


def _mean(vectors: Sequence[Vector]) -> Vector:
    return _unit(np.mean(np.asarray(vectors, np.float64), axis=0))


def _unit(vector: NDArray[np.float64]) -> Vector:
    # Opposite vectors have no direction in common: nothing is more like zeros than anything else.
    length = max(float(np.linalg.norm(vector)), float(np.finfo(np.float32).tiny))
    unit: Vector = (vector / length).astype(np.float32)
    return unit
