"""A bounded, thread-safe cache that drops the least recently used entries and counts its hits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

V = TypeVar("V")


class Cache(Generic[V]):
    """At most `capacity` in the sum of the entries' sizes (by default, each counts one)."""

    def __init__(self, capacity: int, size_of: Callable[[V], int] | None = None) -> None:
        self._entries: LRUCache[Hashable, V] = LRUCache(capacity, getsizeof=size_of)
        self._lock = threading.Lock()
        self._hits = self._misses = 0

    def get(self, key: Hashable) -> V | None:
        """The entry, now the most recently used, or None."""
        with self._lock:
            value = self._entries.get(key)
            if value is None:
                self._misses += 1
            else:
                self._hits += 1
            return value

    def put(self, key: Hashable, value: V) -> None:
        """Keep an entry, unless it alone is larger than the capacity."""
        with self._lock:
            try:
                self._entries[key] = value
            except ValueError:  # cachetools' "value too large"
                self._entries.pop(key, None)

    def figures(self) -> dict[str, int]:
        """hits, misses, entries, size and capacity."""
        with self._lock:
            return {
                "hits": self._hits,
                "misses": self._misses,
                "entries": len(self._entries),
                "size": int(self._entries.currsize),
                "capacity": int(self._entries.maxsize),
            }
