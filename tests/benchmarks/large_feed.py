"""Large feed: a product file of many rows, from the file to the commit, and one price changed.

python -m tests.benchmarks.large_feed [--rows 1000000]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lens.feed.names import names_in_key
from lens.gallery.commits import read_head
from lens.gallery.current import Current, swap_current
from lens.gallery.product_tables import Shelf, load_shelf, parse_products_key, read_look
from lens.photos.catalog import Catalog
from lens.pipeline.commit import commit_feed
from lens.pipeline.feed import look_at_feed
from lens.storage import FileStorage
from lens.storage.formats import announce_format

_T = TypeVar("_T")
_MODEL = "model"
_HEADER = "id,item_group_id,title,link,image_link,price,availability,brand,color,size\n"
_LOOKUPS = 2_000


def main() -> None:
    """Print what each step took, by the clock and of the processor, and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        shop = _Shop(Path(folder))
        shop.write(rows, changed=None)
        _say(f"file of {rows} rows", shop.file.stat().st_size / 1e6, "MB")
        _step("first look and commit", shop.follow)
        shelf = _step("loaded cold", shop.load)
        _step(f"{_LOOKUPS} photos joined", lambda: _join(shelf, rows))
        shop.write(rows, changed=rows // 2)
        _step("one price changed, look and commit", shop.follow)
        later = _step("loaded warm", lambda: shop.load(shelf))
        changed = later.assortment.text(f"sku-{rows // 2}")
        assert changed is not None
        assert b"7.77" in changed
        written = [info for info in shop.artifacts.list("products/") if "table" in info.key]
        for info in sorted(written, key=lambda each: -each.size):
            _say("table", info.size / 1e6, "MB")


class _Shop:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "photos" / "products.csv"
        self.file.parent.mkdir()
        self.catalog = Catalog(FileStorage(self.file.parent))
        self.artifacts = FileStorage(folder / "artifacts")
        announce_format(self.artifacts, 0.0)
        swap_current(self.artifacts, lambda _: Current(live=_MODEL))

    def write(self, rows: int, changed: int | None) -> None:
        with self.file.open("w") as out:
            out.write(_HEADER)
            for n in range(rows):
                price = "7.77" if n == changed else f"{10 + n % 90}.00"
                out.write(
                    f"sku-{n},group-{n // 5},Product number {n // 5},https://shop.example/{n},"
                    f"https://cdn.example/p/{n // 5}-{n % 5 // 3}.jpg,{price} EUR,in stock,"
                    f"Brand {n % 70},color {n % 12},{n % 5}\n"
                )

    def follow(self) -> None:
        key = look_at_feed(self.artifacts, self.catalog, _MODEL)
        assert key is not None
        assert not commit_feed(self.artifacts, _MODEL, [parse_products_key(key)[1]], now=1.0)

    def load(self, before: Shelf | None = None) -> Shelf:
        head = read_head(self.artifacts, _MODEL)
        assert head.products is not None
        manifest = read_look(self.artifacts, _MODEL, head.products.id)
        shelf = load_shelf(self.artifacts, manifest, before)
        assert len(shelf.assortment) == manifest.products
        return shelf


def _join(shelf: Shelf, rows: int) -> None:
    for n in range(_LOOKUPS):
        sku = n * (rows // _LOOKUPS) if rows >= _LOOKUPS else n % rows
        found = shelf.assortment.find(names_in_key(f"Women/Dresses/sku-{sku}_1.jpg"))
        assert found is not None
        assert found.ids == (f"sku-{sku}",)


def _step(what: str, work: Callable[[], _T]) -> _T:
    began, busy = time.perf_counter(), time.process_time()
    done = work()
    _say(what, time.perf_counter() - began, "s")
    _say("... CPU", time.process_time() - busy, "s")
    return done


def _say(what: str, value: float, unit: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<36} {value:8.2f} {unit:<3} (peak {peak:,.0f} MiB)", flush=True)


if __name__ == "__main__":
    main()
