"""Mapped: an object's bytes as memory mapped from a local file, paged in as they are read."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lens.errors import DamagedError, MissingError, NotFoundError
from lens.storage.contract import Storage
from lens.storage.disk import ABSENT, explained
from lens.storage.folder import FileStorage
from lens.storage.local_file import local_file

# A file in its place on this disk is checked by its size alone when it is larger: reading all of
# it would cost the seconds that mapping saves. What came over a network is always checked.
CHECKED_IN_PLACE = 64 * 2**20


def map_object(
    storage: Storage, key: str, *, sha256: str, size: int, whole: bool
) -> NDArray[np.uint8]:
    """An object's bytes, read-only; MissingError without it, DamagedError when it is damaged.

    Of a file larger than CHECKED_IN_PLACE in its place on this disk, changed bytes go unnoticed
    here unless the `whole` of it is to be checked, as `lens verify` and a fold do: its size and
    what its arrays say of themselves are all that a start looks at.

    A folder's file is mapped where it lies, anything else from a temporary file, whose name is
    removed at once: its space is freed when nothing uses the bytes any more. Either way the bytes
    outlive the object's removal.
    """
    try:
        with local_file(storage, key) as path:
            data = _map(path)
    except NotFoundError as error:
        raise MissingError(key) from error
    in_place = isinstance(storage, FileStorage)
    trusted = in_place and len(data) > CHECKED_IN_PLACE and not whole
    if len(data) != size:
        raise DamagedError(key, f"it has {len(data)} bytes instead of {size}")
    if not trusted and hashlib.sha256(data.data).hexdigest() != sha256:
        raise DamagedError(key, "it does not match its checksum")
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
