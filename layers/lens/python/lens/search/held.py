"""Held: how many photos wait for their owner's word, read beside the gallery for health."""

from __future__ import annotations

import logging
import time

from lens.errors import LensError
from lens.gallery.holds import KEY, read_held
from lens.storage import FileStorage, Storage

log = logging.getLogger(__name__)

# A search on S3 does not ask each time; a folder's file costs nothing.
_SECONDS = 10.0


class Held:
    """The photos that are held, as they were when they were last read."""

    def __init__(self, artifacts: Storage) -> None:
        self._artifacts = artifacts
        self._seconds = 0.0 if isinstance(artifacts, FileStorage) else _SECONDS
        self._read_at: float | None = None
        self._etag = ""
        self.photos = 0

    def refresh(self) -> None:
        """Read them anew, unless that was just done; no failure may cost a search."""
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at < self._seconds:
            return
        self._read_at = now
        try:
            info = self._artifacts.head(KEY)
            etag = info.etag if info else ""
            if etag != self._etag:
                self.photos = sum(hold.photos for hold in read_held(self._artifacts))
                self._etag = etag
        except LensError as error:
            log.warning("what is held cannot be read: %s", error)
