"""Aside: damaged objects are kept under `damaged/`, where nothing reads or removes them."""

from __future__ import annotations

from datetime import UTC, datetime

from lens.errors import NotFoundError
from lens.storage.contract import Storage

PREFIX = "damaged/"


def aside_folder(now: float) -> str:
    """Where what is set aside at this time goes; `now` is in seconds since the epoch."""
    return f"{PREFIX}{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}/"


def keep_copy(storage: Storage, key: str, folder: str) -> bool:
    """Copy an object as it is into a folder; False where there is none."""
    try:
        data, _ = storage.read(key)
    except NotFoundError:
        return False
    storage.write(folder + key, data)
    return True


def set_aside(storage: Storage, key: str, folder: str) -> bool:
    """Move an object into a folder; False where there is none."""
    if not keep_copy(storage, key, folder):
        return False
    storage.delete(key)
    return True
