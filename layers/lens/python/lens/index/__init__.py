"""The index: nearest neighbors of a unit vector, exact or measured to be nearly so."""

from lens.index.building import BuiltIndex, build_index
from lens.index.earlier import read_vectors
from lens.index.lists import Lists, load_lists
from lens.index.nearest import Index, similarities_of

__all__ = [
    "BuiltIndex",
    "Index",
    "Lists",
    "build_index",
    "load_lists",
    "read_vectors",
    "similarities_of",
]
