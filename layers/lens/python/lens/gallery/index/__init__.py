"""The index of a snapshot's vectors: a scan, or FAISS's inverted lists; the one owner of faiss."""

from lens.gallery.index.allowed import Allowed
from lens.gallery.index.building import BuiltIndex, build_index
from lens.gallery.index.eight_bits import EightBits
from lens.gallery.index.index import ROUNDING, SCAN_LIMIT, Index, similarities_of
from lens.gallery.index.inverted_lists import InvertedLists, load_lists

__all__ = [
    "ROUNDING",
    "SCAN_LIMIT",
    "Allowed",
    "BuiltIndex",
    "EightBits",
    "Index",
    "InvertedLists",
    "build_index",
    "load_lists",
    "similarities_of",
]
