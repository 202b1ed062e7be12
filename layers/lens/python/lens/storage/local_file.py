"""Objects as local files: in place where they are local, else fetched to a temporary file."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lens.errors import NotFoundError
from lens.storage.contract import Storage
from lens.storage.folder import FileStorage


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
    with TemporaryDirectory(prefix="lens-") as folder:
        path = Path(folder) / "object"
        storage.fetch(key, path)
        yield path


def sha256_of(path: Path) -> str:
    """A file's checksum in hexadecimal; other threads run meanwhile."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
