"""A storage in memory whose clock a test sets; an etag tells the bytes, as on S3."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lens.errors import ConflictError, NotFoundError
from lens.storage import ObjectInfo
from lens.storage.contract import check_conditions, check_key


@dataclass
class MemoryStorage:
    """Objects by key, for one thread."""

    location: str
    clock: Callable[[], float]
    objects: dict[str, tuple[bytes, ObjectInfo]] = field(default_factory=dict)
    changes: int = 0  # while it stays so, whoever reads finds what he found

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        check_key(key)
        if key not in self.objects:
            raise NotFoundError(f"there is no object {key!r} in {self.location}")
        return self.objects[key]

    def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        return self.objects[key][1] if key in self.objects else None

    def write(
        self,
        key: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str | None = None,
        cache_control: str | None = None,
        durable: bool = True,
    ) -> ObjectInfo:
        check_conditions(if_match, if_absent)
        old = self.head(key)
        if (if_absent and old is not None) or (
            if_match is not None and (old is None or old.etag != if_match)
        ):
            raise ConflictError(f"{self.location}{key} changed in the meantime")
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        info = ObjectInfo(key, etag, len(data), self.clock())
        self.objects[key] = data, info
        self.changes += 1
        return info

    def delete(self, key: str) -> None:
        check_key(key)
        self.objects.pop(key, None)
        self.changes += 1

    def delete_many(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.delete(key)

    def remove_partial(self, before: float) -> int:
        return 0

    def now(self) -> float:
        return self.clock()

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        found = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        return iter([self.objects[key][1] for key in found])

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        data, info = self.read(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return info
