"""The protocols: which photos of a partition file are queries, and which are searched."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, get_args

from lens.photos.catalog import PartitionEntry

Protocol = Literal["benchmark", "strict"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
_FRONT = "_1_front"


@dataclass(frozen=True)
class Split:
    """A protocol's keys."""

    queries: tuple[str, ...]
    gallery: tuple[str, ...]


def split_of(partition: dict[str, PartitionEntry], protocol: Protocol) -> Split:
    """benchmark: the partition file's query and gallery photos. strict: front photos of the test
    items are the gallery and their other photos the queries, so that a recolored copy of the same
    photograph cannot be the answer."""
    if protocol == "benchmark":
        queries = [key for key, entry in partition.items() if entry.status == "query"]
        gallery = [key for key, entry in partition.items() if entry.status == "gallery"]
        return Split(tuple(queries), tuple(gallery))
    return split_by_view([key for key, entry in partition.items() if entry.status != "train"])


def split_by_view(keys: list[str]) -> Split:
    """Front photos, by In-Shop's file names, as the gallery of all the others."""
    fronts = {key for key in keys if PurePosixPath(key).stem.endswith(_FRONT)}
    gallery = tuple(key for key in keys if key in fronts)
    return Split(tuple(key for key in keys if key not in fronts), gallery)
