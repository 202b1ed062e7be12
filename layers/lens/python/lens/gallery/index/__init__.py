"""The index: nearest neighbors of a unit vector, exact or measured to be nearly so."""

from lens.gallery.index.building import BuiltIndex, build_index
from lens.gallery.index.earlier import read_vectors
from lens.gallery.index.index import Index, similarities_of
from lens.gallery.index.inverted_lists import Lists, load_lists

__all__ = [
    "BuiltIndex",
    "Index",
    "Lists",
    "build_index",
    "load_lists",
    "read_vectors",
    "similarities_of",
]
