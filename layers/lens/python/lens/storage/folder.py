"""A folder as a storage, with compare-and-swap between all threads and processes that use it.

An etag is the file's modification time and size, so a folder copied with its times keeps its
etags. Every write gets a time that no earlier write in this folder had. An etag can therefore
repeat only by what others do: a file replaced by one of equal size with its old time restored,
or the lock file removed while the clock is set back. A program that writes here without the
lock is noticed by compare-and-swap unless it writes at the very moment of the swap.

Names that start with "." are not objects: they cannot be written and otherwise are absent.
"""

import errno
import io
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lens.errors import (
    ConflictError,
    NotFoundError,
    StorageError,
    UnreadableError,
    UsageError,
)
from lens.storage.contract import ObjectInfo, check_conditions, check_key, check_path, is_key
from lens.storage.disk import (
    ABSENT,
    explained,
    locked,
    remove_part,
    replacing,
    stamp,
    sync_names,
)

_log = logging.getLogger(__name__)

_Scan = Callable[[Path, str, str], list[tuple[str, os.stat_result]]]

# Seconds before each try to read a file that another program is writing in place.
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)


class FileStorage:
    """The objects in one folder, which need not exist: until the first write it is empty.

    Only write and delete change anything in it. Links are followed by all that reads; a write
    or delete through a linked folder that leads elsewhere is refused with UsageError.
    `content_type` and `cache_control` have no effect here.
    """

    def __init__(self, root: Path) -> None:
        self.root = root  # absolute
        self.location = root.as_uri()
        self._lock = root / ".lock"

    def __repr__(self) -> str:
        return f"FileStorage({self.location!r})"

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        sink = io.BytesIO()
        info = self._copy(key, sink)
        return sink.getvalue(), info

    def fetch(self, key: str, path: Path) -> ObjectInfo:
        with replacing(path) as sink:
            return self._copy(key, sink)

    def head(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        status = None if _is_hidden(key) else _status(path)
        return None if status is None else _info(key, status)

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
        path = self._path(key)
        if _is_hidden(key):
            raise UsageError(f"the key {key!r} has a name that starts with '.': choose another")
        self._check_inside(path)
        with locked(self._lock) as lock:
            old = _status(path)
            if if_absent and old is not None:
                raise ConflictError(f"{str(path)!r} exists already")
            if if_match is not None and (old is None or _info(key, old).etag != if_match):
                was = "deleted" if old is None else "changed"
                raise ConflictError(f"{str(path)!r} was {was} in the meantime")
            if old is None and path.is_dir():
                with suppress(OSError):  # an empty folder is nothing, as it is in S3
                    path.rmdir()
            with replacing(path, durable=durable) as sink:
                sink.write(data)
                sink.flush()
                return _info(key, stamp(sink.fileno(), lock, old))

    def delete(self, key: str) -> None:
        self.delete_many([key])

    def delete_many(self, keys: Iterable[str]) -> None:
        """As for every storage; a folder is synced once, however much was removed from it."""
        changed: set[Path] = set()
        try:
            for key in keys:
                path = self._path(key)
                if self.head(key) is not None:
                    self._remove(path)
                    changed.add(path.parent)
        finally:
            sync_names(changed)

    def _remove(self, path: Path) -> None:
        self._check_inside(path)
        with locked(self._lock), explained("delete", path):
            path.unlink(missing_ok=True)
            # S3 has no empty folders. Under the lock none is one that a writer has just made.
            for folder in path.relative_to(self.root).parents[:-1]:
                try:
                    (self.root / folder).rmdir()
                except OSError:
                    break

    def remove_partial(self, before: float) -> int:
        """As for every storage; links are not followed."""
        removed = 0
        for folder, _, names in os.walk(self.root):
            removed += sum(remove_part(Path(folder, name), before) for name in names)
        return removed

    def now(self) -> float:
        return time.time()

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        """As for every storage; links are followed, but into no folder from within itself.

        Files that vanish meanwhile and links that lead nowhere are left out. A name that is not
        valid UTF-8 cannot be a key: it is left out and logged. StorageError for a folder that
        cannot be read, whose files would otherwise seem deleted.
        """
        check_path(prefix.rpartition("/")[0])
        if prefix.startswith("/"):
            raise UsageError(f"the prefix {prefix!r} is absolute: leave out the leading '/'")
        return _after(after, self._list(prefix, _scan))

    def readable(self, after: str = "") -> Iterator[ObjectInfo]:
        """All that can be listed: a folder in it that cannot be read is left out and logged."""
        return _after(after, self._list("", _scan_readable))

    def _list(self, prefix: str, scan: _Scan) -> Iterator[ObjectInfo]:
        with explained("list", self.root):
            try:
                root = self.root.stat()
            except FileNotFoundError:
                return
        if not stat.S_ISDIR(root.st_mode):
            raise StorageError(f"cannot list {str(self.root)!r}: it is not a folder")
        # What is still to be visited, the next one last, each with the folders it lies in.
        todo = [("", root, frozenset[tuple[int, int]]())]
        while todo:
            key, status, above = todo.pop()
            if stat.S_ISREG(status.st_mode):
                if key.startswith(prefix):
                    yield _info(key, status)
            elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in above:
                within = above | {(status.st_dev, status.st_ino)}
                inner = scan(self.root, key and f"{key}/", prefix)
                todo += [(name, found, within) for name, found in reversed(inner)]

    def _path(self, key: str) -> Path:
        check_key(key)
        if key.startswith("/") or "//" in key:
            raise UsageError(f"the key {key!r} is absolute or has an empty name in its path")
        return self.root / key

    def _check_inside(self, path: Path) -> None:
        with explained("write", path):
            inside = path.parent.resolve().is_relative_to(self.root.resolve())
        if not inside:
            raise UsageError(f"{str(path)!r} leads out of its storage by a link: remove the link")

    def _copy(self, key: str, sink: BinaryIO) -> ObjectInfo:
        """Write one version into the empty sink.

        A file that changes while it is copied is tried again. UnreadableError if it never holds
        still: half a photo must not pass for one, and when its writer is done it can be read.
        """
        path = self._path(key)
        for pause in _PAUSES:
            time.sleep(pause)
            source = None if _is_hidden(key) else _open(path)
            if source is None:
                raise NotFoundError(f"there is no object {key!r} in {self.location}")
            with source:
                before = os.fstat(source.fileno())
                sink.seek(0)
                sink.truncate()
                _pour(source, sink, path)
                info = _info(key, os.fstat(source.fileno()))
            if info == _info(key, before) and info.size == sink.tell():
                return info
        raise UnreadableError(f"{str(path)!r} is being written to: try again when it is done")


def _after(key: str, listed: Iterator[ObjectInfo]) -> Iterator[ObjectInfo]:
    """Those behind a key; a folder is walked from its beginning whatever is wanted of it."""
    return (info for info in listed if info.key.encode() > key.encode()) if key else listed


def _open(path: Path) -> io.FileIO | None:
    """The file, opened for reading; None if there is none, or it is a folder or a device."""
    with explained("read", path):
        try:
            # Non-blocking, because opening a named pipe would wait for its writer.
            source = io.FileIO(
                path, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
            )
        except OSError as error:
            if error.errno in ABSENT | {errno.EISDIR}:
                return None
            raise
    if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        return source
    source.close()
    return None


def _pour(source: io.FileIO, sink: BinaryIO, path: Path) -> None:
    while True:
        # Only reading is explained here: a full disk is the sink's.
        with explained("read", path):
            chunk = source.read(1 << 20)
        if not chunk:
            return
        sink.write(chunk)


def _scan(root: Path, folder: str, prefix: str) -> list[tuple[str, os.stat_result]]:
    """What one folder holds whose key, or whose keys inside, can start with the prefix.

    In key order, for which a folder counts as its name and "/".
    """
    found = []
    with explained("list", root / folder):
        try:
            entries = os.scandir(root / folder)
        except OSError as error:
            if error.errno in ABSENT:
                return []
            raise
        with entries:
            for entry in entries:
                key = folder + entry.name
                if entry.name.startswith(".") or not (
                    key.startswith(prefix) or prefix.startswith(f"{key}/")
                ):
                    continue
                if not is_key(key):
                    _log.warning("left out %r in %r: rename it", entry.name, str(root / folder))
                    continue
                try:
                    found.append((key, entry.stat()))
                except OSError as error:
                    if error.errno not in ABSENT:
                        raise
    found.sort(key=lambda entry: f"{entry[0]}{'/' * stat.S_ISDIR(entry[1].st_mode)}".encode())
    return found


def _scan_readable(root: Path, folder: str, prefix: str) -> list[tuple[str, os.stat_result]]:
    try:
        return _scan(root, folder, prefix)
    except StorageError as error:
        if not folder:
            raise
        _log.warning("left out %r: %s", folder, error)
        return []


def _status(path: Path) -> os.stat_result | None:
    with explained("read", path):
        try:
            status = path.stat()
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise
    return status if stat.S_ISREG(status.st_mode) else None


def _is_hidden(key: str) -> bool:
    # Not listed, but read by its name: it says what a catalog leaves out.
    return key != ".lensignore" and any(name.startswith(".") for name in key.split("/"))


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}",
        size=status.st_size,
        modified=status.st_mtime_ns / 1e9,
    )
