"""The address file: a file at an https address, as a storage has files, fetched again at times."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable

from lens.errors import LensError
from lens.fetching.fetch import Fetcher
from lens.storage import ObjectInfo

log = logging.getLogger(__name__)


class AddressFile:
    """What is at an address, at most `minutes` old; what was fetched before, while the address
    cannot be reached."""

    def __init__(
        self,
        fetcher: Fetcher,
        address: str,
        minutes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher, self._address = fetcher, address
        self._seconds, self._clock = 60 * minutes, clock
        self._lock = threading.Lock()
        self._asked: float | None = None
        self._file: tuple[bytes, ObjectInfo] | None = None

    def head(self, key: str) -> ObjectInfo:
        """The file's info, whose ETag is its content's; raises as `read`."""
        return self.read(key)[1]

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        """The file, under this key. Raises a LensError until it could be fetched once."""
        with self._lock:
            now = self._clock()
            if self._file is None or self._asked is None or now - self._asked >= self._seconds:
                self._fetch(key)
            assert self._file is not None
            return self._file

    def _fetch(self, key: str) -> None:
        try:
            data = self._fetcher.fetch(self._address)
        except LensError as error:
            if self._file is None:
                raise
            log.warning("the file at an address is used as it was fetched before: %s", error)
        else:
            etag = hashlib.sha256(data).hexdigest()[:32]
            self._file = data, ObjectInfo(key, etag, len(data), time.time())
        self._asked = self._clock()  # a large file takes minutes
