"""Erasure: removes objects for good, with every version of them where a storage keeps versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from lens.storage.contract import Storage


@runtime_checkable
class Versioned(Protocol):
    """A storage that keeps what was replaced or deleted. Raises StorageError as every storage."""

    def versions(self, key: str) -> Iterator[bytes]:
        """The bytes of every version of an object that is still kept."""
        ...

    def erase(self, key: str) -> int:
        """Remove every version of an object; how many there were."""
        ...

    def erase_replaced(self, prefix: str, wanted: Callable[[str], bool]) -> int:
        """Remove the versions that were replaced or deleted, of keys that are wanted; how many."""
        ...


def versions(storage: Storage, key: str) -> Iterator[bytes]:
    """The bytes of every version of an object that a storage still keeps, beside the newest."""
    return storage.versions(key) if isinstance(storage, Versioned) else iter(())


def erase(storage: Storage, key: str) -> int:
    """Remove an object with all of its versions; how many there were."""
    if isinstance(storage, Versioned):
        return storage.erase(key)
    there = storage.head(key) is not None
    if there:
        storage.delete(key)
    return int(there)


def erase_replaced(storage: Storage, prefix: str, wanted: Callable[[str], bool]) -> int:
    """Remove what a storage keeps of replaced and deleted objects; how many versions."""
    if isinstance(storage, Versioned):
        return storage.erase_replaced(prefix, wanted)
    return 0
