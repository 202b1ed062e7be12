"""What a storage promises, whatever is behind it: the protocol, its objects and its keys."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lens.errors import ConflictError, UsageError


@dataclass(frozen=True)
class ObjectInfo:
    """One version of one object.

    The etag is opaque: equal etags of one key mean the same version. (On S3 they may also mean
    another version with the same bytes, so what is compared-and-swapped should carry a uuid.)
    """

    key: str  # relative to the storage's location, always with "/" separators
    etag: str
    size: int  # bytes
    modified: float  # seconds since the epoch


class Storage(Protocol):
    """Named objects under one location; safe to share between threads.

    Every method raises StorageError when the location itself fails (no permission, no bucket,
    no space) and UsageError for a key that is empty, ends in "/", has a "." or ".." in its
    path, or is not text.
    """

    @property
    def location(self) -> str:
        """Normalized: "file:///abs/path" or "s3://bucket/prefix/"; open_storage takes it back."""
        ...

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """The bytes and the info of one version, never a mix; NotFoundError if there is none."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """The info alone; None where there is no such object."""
        ...

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
        """Put a whole new version in place, on a condition if one is given.

        It outlives a power cut: what is written next may name it. One that is not `durable` may
        be missing afterwards, or broken, and costs less: for what is easily made again.

        `if_match` wants the current version to have this etag, `if_absent` wants there to be
        none; otherwise ConflictError and nothing is written. A request whose reply was lost is
        sent again, so a ConflictError may stem from the writer's own success: read the object
        before concluding that somebody else won.
        """
        ...

    def delete(self, key: str) -> None:
        """Make the object absent; it may be absent already. It stays so after a power cut."""
        ...

    def delete_many(self, keys: Iterable[str]) -> None:
        """Make these objects absent, with as few requests as there can be; when it raises, some may
        be absent and others not. Those that are stay so after a power cut."""
        ...

    def remove_partial(self, before: float) -> int:
        """Remove what killed writers left half written before this time, in seconds since the
        epoch; how much there was. What a live writer holds stays."""
        ...

    def now(self) -> float:
        """The storage's own clock, by which `ObjectInfo.modified` is told, to a second."""
        ...

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix` and comes after `after`, in bytewise order of
        the UTF-8 keys."""
        ...

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        """Copy one version to a local file, which appears whole; NotFoundError if there is none.

        The file's folder is made if need be.
        """
        ...


def write_once(storage: Storage, key: str, data: bytes, *, content_type: str | None = None) -> None:
    """Write under a name that is used only once, ever; ConflictError if other bytes lie there.

    A request whose reply was lost is sent again and then told that the object exists: that is
    this writer's own success.
    """
    try:
        storage.write(key, data, if_absent=True, content_type=content_type)
    except ConflictError:
        if storage.read(key)[0] != data:
            raise


def check_key(key: str) -> None:
    """UsageError unless the key can name an object of any storage.

    A backslash counts as a separator here, so that no key escapes its root on any system.
    """
    if not key or key.endswith("/"):
        raise UsageError(f"{key!r} is not the key of an object: give a path like 'folder/name'")
    check_path(key)


def check_path(path: str) -> None:
    """UsageError if a key, or a prefix of keys, is not text or has a "." or ".." in its path."""
    if not {".", ".."}.isdisjoint(re.split(r"[/\\]", path)):
        raise UsageError(f"the key {path!r} has a '.' or '..' in its path: name the object itself")
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"the key {path!r} is not valid UTF-8: rename the object") from error
    if "\0" in path:
        raise UsageError(f"the key {path!r} has a NUL in it: name another object")


def is_key(key: str) -> bool:
    """Whether check_key accepts the key."""
    try:
        check_key(key)
    except UsageError:
        return False
    return True


def check_conditions(if_match: str | None, if_absent: bool) -> None:
    """UsageError if a write wants the object both to be there and not to be."""
    if if_match is not None and if_absent:
        raise UsageError("a write is conditional on if_match or on if_absent, not on both")
