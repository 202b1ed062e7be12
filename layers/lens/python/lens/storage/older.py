"""Older: what an object was before, where its storage remembers that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from lens.storage.contract import Storage


@runtime_checkable
class _Remembering(Protocol):
    def older_versions(self, key: str) -> Iterator[bytes]: ...


def older_versions(storage: Storage, key: str) -> Iterator[bytes]:
    """The object's earlier bytes, the newest first: those of a versioned bucket; a folder has
    none."""
    if isinstance(storage, _Remembering):
        yield from storage.older_versions(key)
