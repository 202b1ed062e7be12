"""Joins: keeps the join of the newest gallery at hand, made beside whatever is being answered."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from lens.gallery.gallery import Gallery
from lens.search.join import Join, join, shelf_of


class Joins:
    """Safe to call from several threads. A join costs seconds the first time, so it is made when
    it is first asked for, and from then on whenever a gallery is loaded; or from the start."""

    def __init__(self, ahead: bool, currency: str = "") -> None:
        """`ahead`: whether to make them from the start. Amounts without a currency are in this
        one."""
        self._currency = currency
        self._used = ahead
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "join")
        self._newest: tuple[Gallery, Future[Join]] | None = None
        self._made: Join | None = None  # the worker's own

    def prepare(self, gallery: Gallery) -> None:
        """Begin the join of a gallery that was loaded, if joins are being used."""
        if self._used and gallery.shelf is not None:
            self._begin(gallery)

    def of(self, gallery: Gallery) -> Join:
        """The join of a gallery, when it is made. Raises FilterError where there is no product
        file."""
        shelf_of(gallery)
        self._used = True
        return self._begin(gallery).result()

    @property
    def pending(self) -> Gallery | None:
        """The gallery whose join was made or begun last."""
        return self._newest[0] if self._newest else None

    def _begin(self, gallery: Gallery) -> Future[Join]:
        with self._lock:
            if self._newest is None or self._newest[0] is not gallery:
                self._newest = gallery, self._worker.submit(self._make, gallery)
            return self._newest[1]

    def _make(self, gallery: Gallery) -> Join:
        self._made = join(gallery, self._made, self._currency)
        return self._made
