"""Objects as local files: in place where they are local, else fetched to a temporary file."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from lens.errors import NotFoundError
from lens.storage.contract import Storage
from lens.storage.disk import remove_part
from lens.storage.folder import FileStorage

_PREFIX, _NAME = "image-lens-", "object"
# Fetching takes minutes at most, and whoever has opened a file keeps it.
_LEFT_SECONDS = 86_400.0


@contextmanager
def local_file(storage: Storage, key: str) -> Iterator[Path]:
    """A file with an object's bytes, to be read only; NotFoundError if there is no object.

    A fetched one is gone after the block, but what has opened or mapped it keeps it.
    """
    if isinstance(storage, FileStorage):
        if storage.head(key) is None:
            raise NotFoundError(f"there is no object {key!r} in {storage.location}")
        yield (storage.root / key).resolve()
        return
    _remove_left()
    with TemporaryDirectory(prefix=_PREFIX) as folder:
        path = Path(folder) / _NAME
        storage.fetch(key, path)
        yield path


@cache
def _remove_left() -> None:
    """Once in a process, remove what killed ones fetched and could not remove."""
    before = time.time() - _LEFT_SECONDS
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another user's, or another process is faster
            if folder.is_symlink() or folder.stat().st_mtime >= before:
                continue
            for file in list(folder.iterdir()):
                if file.name == _NAME:
                    file.unlink()
                else:
                    remove_part(file, before)
            folder.rmdir()


def sha256_of(path: Path) -> str:
    """A file's checksum in hexadecimal; other threads run meanwhile."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
