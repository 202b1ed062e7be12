"""A storage that lets a test step in at any operation: crash, lose an answer, let another act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lens.errors import ConflictError
from lens.storage import ObjectInfo, Storage

Way = Literal["crash before", "crash after", "lost answer", "another acts"]


class Crash(BaseException):
    """The process ends here. No handler of errors may stop it."""


@dataclass
class Interruption:
    """What happens at operation number `at`, counted from 0 over the storages that share it."""

    at: int
    way: Way
    act: Callable[[], None] = lambda: None

    def take(self) -> Way | None:
        """Count one operation; how it is interrupted, if it is."""
        self.at -= 1
        return self.way if self.at == -1 else None


class InterruptingStorage:
    """Passes everything on; `written` hears every key whose new content took effect."""

    def __init__(self, inner: Storage, written: Callable[[str, bytes], None]) -> None:
        self.inner = inner
        self.interruption: Interruption | None = None
        self._written = written

    @property
    def location(self) -> str:
        return self.inner.location

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        self._before()
        return self.inner.read(key)

    def head(self, key: str) -> ObjectInfo | None:
        self._before()
        return self.inner.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        self._before()
        return iter(list(self.inner.list(prefix)))

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        self._before()
        return self.inner.fetch(key, path)

    def delete(self, key: str) -> None:
        way = self._before()
        self.inner.delete(key)
        if way in ("crash after", "lost answer"):
            raise Crash

    def write(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str | None = None,
        cache_control: str | None = None,
    ) -> ObjectInfo:
        way = self._before()
        info = self.inner.write(key, data, if_match=if_match, if_absent=if_absent)
        self._written(key, data)
        if way == "crash after":
            raise Crash
        if way == "lost answer" and (if_match or if_absent):
            # The client has sent the request again and was told that the object is there.
            raise ConflictError(f"{key} is not as expected")
        return info

    def _before(self) -> Way | None:
        if self.interruption is None:
            return None
        way = self.interruption.take()
        if way == "crash before":
            raise Crash
        if way == "another acts":
            acting, self.interruption = self.interruption, None
            acting.act()
        return way
