"""A slow catalog: one whose listing takes something for every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lens.photos.catalog import Catalog
from lens.storage import ObjectInfo, Storage


class SlowCatalog(Catalog):
    """Calls `page` before each page of so many files."""

    def __init__(self, storage: Storage, size: int, page: Callable[[], object]) -> None:
        super().__init__(storage)
        self._size = size
        self._page = page

    def files_after(self, key: str) -> Iterator[ObjectInfo]:
        for number, info in enumerate(list(super().files_after(key))):
            if number % self._size == 0:
                self._page()
            yield info
