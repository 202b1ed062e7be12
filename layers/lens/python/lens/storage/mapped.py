"""Mapped: an object's bytes as memory mapped from a local file, paged in as they are read."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lens.errors import ArtifactError, NotFoundError
from lens.storage.contract import Storage
from lens.storage.disk import ABSENT, explained
from lens.storage.folder import FileStorage
from lens.storage.local_file import local_file

# A file in its place on this disk is checked by its size alone when it is larger: reading all of
# it would cost the seconds that mapping saves. What came over a network is always checked.
_CHECKED_IN_PLACE = 64 * 2**20


def map_object(storage: Storage, key: str, *, sha256: str, size: int) -> NDArray[np.uint8]:
    """An object's bytes, read-only; NotFoundError without it, ArtifactError when it is damaged.

    A folder's file is mapped where it lies, anything else from a temporary file, whose name is
    removed at once: its space is freed when nothing uses the bytes any more. Either way the bytes
    outlive the object's removal.
    """
    with local_file(storage, key) as path:
        data = _map(path)
    in_place = isinstance(storage, FileStorage)
    trusted = in_place and len(data) > _CHECKED_IN_PLACE
    if len(data) != size or (not trusted and hashlib.sha256(data.data).hexdigest() != sha256):
        raise ArtifactError(
            f"{key} does not match its checksum; "
            "`lens rollback` to an earlier commit, then index again"
        )
    return data


def _map(path: Path) -> NDArray[np.uint8]:
    with explained("read", path):
        try:
            file = path.open("rb")
        except OSError as error:
            if error.errno in ABSENT:
                raise NotFoundError(f"there is no file {str(path)!r}") from error
            raise
        with file:
            size = file.seek(0, 2)
            if size == 0:
                return np.empty(0, np.uint8)
            return np.frombuffer(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ), np.uint8)
