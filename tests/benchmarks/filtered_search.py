"""How fast and how right a filtered search is, beside one of everything: by the share of the photos
that the filter leaves, for filters that know nothing of how things look and for filters that do.

    python -m tests.benchmarks.filtered_search [PHOTOS] [--rows 100000] [--products 30000]

PHOTOS is a catalog, or a .npz that `index_search --save` wrote; without it the sample catalog is
drawn. Times are CPU milliseconds of one thread, of searches one after another in turn: filtered,
unfiltered, the next filter. Recall is of the exact scan of what the filter leaves.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lens.feed.columns import Columns
from lens.feed.filter import parse_filter
from lens.feed.product import Money, Product
from lens.gallery.assortment import Products
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, Shelf, TableRef
from lens.gallery.selection import Selection
from lens.pipeline.feed import entries_of
from lens.search.facets import COUNTED
from lens.search.join import Join, join
from lens.search.photo_names import PhotoNames
from lens.search.scope import Scope, Vector
from lens.storage import FileStorage
from tests.benchmarks.figures import markdown
from tests.benchmarks.synthetic_gallery import Photos, Vectors, real_photos, synthetic_photos
from tests.benchmarks.written_galleries import segment_of, write_gallery

QUERIES, ROUNDS, PAGE, RECALL_AT = 100, 7, 12, 10
# A share of the photos by chance (the price), or by how an item looks (the color: those that are
# furthest in one direction).
_FILTERS = (
    ("50 %, any look", "price<=500"),
    ("5 %, any look", "price<=50"),
    ("0.5 %, any look", "price<=5"),
    ("50 %, one look", "color=c50"),
    ("5 %, one look", "color=c5"),
    ("0.5 %, one look", "color=c0"),
)


@dataclass(frozen=True)
class Way:
    """One filter's figures; CPU milliseconds are medians of a round."""

    what: str
    share: float
    recall: float
    filtered: list[float]  # by round
    everything: list[float]  # by round, searched in turn with it
    selected_ms: float  # once a filter


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Measure filtered searches.")
    parser.add_argument("photos", nargs="?", metavar="PHOTOS")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--products", type=int, default=30_000)
    options = parser.parse_args(arguments)
    real = real_photos(options.photos)
    drawn = synthetic_photos(real, options.rows + QUERIES, seed=options.rows)
    asked = np.random.default_rng(1).permutation(len(drawn))
    queries = drawn.vectors[asked[:QUERIES]]
    photos = drawn.take(np.sort(asked[QUERIES:]))
    with TemporaryDirectory() as folder:
        storage = FileStorage(Path(folder))
        gallery = load_gallery(storage, write_gallery(storage, segment_of(photos)))
        products = _products(photos, options.products)
        gallery = replace(gallery, shelf=_shelf(products))
        made = _costs(gallery, products)
        ways = _ways(gallery, made, queries)
        print(_table(ways))
        print(_pages(gallery, made, queries))


def _products(photos: Photos, count: int) -> list[Product]:
    """Variants of the photos' items, as many of each; what looks alike has one color."""
    chance = np.random.default_rng(3)
    items, first = np.unique(photos.item, return_index=True)
    direction = chance.standard_normal(photos.vectors.shape[1], dtype=np.float32)
    along: Vectors = photos.vectors[first] @ direction
    # A thing of several colors is found by each of them.
    color = np.full(len(items), "other", dtype="U9")
    for share, name in ((0.5, "c50"), (0.05, "c5/c50"), (0.005, "c0/c5/c50")):
        color[along <= np.quantile(along, share)] = name
    each = max(1, round(count / len(items)))
    return [
        Product(
            f"id_{item:08d}-{size}",
            title=f"Thing {item}",
            link=f"https://shop.example/{item}?size={size}",
            price=Money(Decimal(int(price)), "EUR"),
            availability="in_stock",
            brand=f"Brand {item % 70}",
            color=str(of_item),
            size=str(size),
            item_group_id=f"id_{item:08d}",
        )
        for item, of_item, price in zip(
            items.tolist(), color, chance.integers(1, 1_001, len(items)), strict=True
        )
        for size in range(each)
    ]


def _shelf(products: Sequence[Product], changed: Sequence[Product] = ()) -> Shelf:
    whole, changes = (
        TableRef(id=name, products=len(some), sha256="", size=0)
        for name, some in (("whole", products), ("changes", changed))
    )
    manifest = ProductsManifest(
        id="look", model_id="m", previous=None, file="products.csv", etag="1", whole=whole
    )
    tables = {"whole": Products.of(list(entries_of(products)))}
    if changed:
        manifest = manifest.model_copy(update={"changes": changes})
        tables["changes"] = Products.of(list(entries_of(changed)))
    return Shelf(manifest, tables)


def _costs(gallery: Gallery, products: list[Product]) -> Join:
    """Print what is made before the first filtered search, and again after a changed price."""
    snapshot, shelf = gallery.snapshot, gallery.shelf
    assert snapshot is not None
    assert shelf is not None
    table = shelf.tables["whole"]
    rows = []

    def step(what: str, work: Callable[[], object]) -> None:
        since, cpu = time.perf_counter(), time.process_time()
        work()
        wall, used = time.perf_counter() - since, time.process_time() - cpu
        rows.append((what, f"{wall:.2f}", f"{used:.2f}"))

    positions = snapshot.layout.rows_at.astype(np.intp)
    step(f"names of {len(positions):,} photos", lambda: PhotoNames.of(snapshot.rows, positions))
    texts = map(table.text_at, range(len(table)))
    step(f"columns of {len(table):,} products", lambda: Columns.of(texts))
    made: list[Join] = []
    step("the whole join", lambda: made.append(join(gallery)))
    cheaper = replace(products[0], price=Money(Decimal("0.50"), "EUR"))
    shelf = _shelf(products, [cheaper])
    known = Shelf(shelf.manifest, {**shelf.tables, "whole": table})
    step("after a changed price", lambda: made.append(join(replace(gallery, shelf=known), made[0])))
    print(markdown(("made beside searches", "s", "CPU s"), rows), "\n")
    return made[0]


def _ways(gallery: Gallery, made: Join, queries: Vectors) -> list[Way]:
    snapshot = gallery.snapshot
    assert snapshot is not None
    index, layout, rows = snapshot.index, snapshot.layout, snapshot.rows
    prepared = []
    for what, text in _FILTERS:
        wanted = parse_filter(text)
        assert wanted is not None
        since = time.thread_time()
        selection = made.select(wanted, gallery)
        selected = (time.thread_time() - since) * 1e3
        assert selection.indexed is not None
        positions = np.flatnonzero(selection.indexed.mask)
        recalls = []
        for query in queries:
            nearest = positions[np.argsort(-(index.vectors[positions] @ query))[:RECALL_AT]]
            exact = {rows.key[layout.rows_at[position]].decode() for position in nearest}
            found = gallery.search(query, PAGE, None, selection)[:RECALL_AT]
            recalls.append(len(exact & {match.row.key for match in found}) / len(exact))
        share = len(positions) / len(index)
        prepared.append(Way(what, share, float(np.mean(recalls)), [], [], selected))
    for round_ in range(ROUNDS + 1):
        for way, (_, text) in zip(prepared, _FILTERS, strict=True):
            wanted = parse_filter(text)
            assert wanted is not None
            filtered, everything = _in_turn(gallery, queries, made.select(wanted, gallery))
            if round_:  # the first warms up
                way.filtered.append(filtered)
                way.everything.append(everything)
    return prepared


def _in_turn(gallery: Gallery, queries: Vectors, selection: Selection) -> tuple[float, float]:
    """Medians of CPU milliseconds, with the selection and without."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for query in queries:
        for filtered in times:
            since = time.thread_time()
            gallery.search(query, PAGE, None, selection if filtered else None)
            times[filtered].append((time.thread_time() - since) * 1e3)
    return float(np.median(times[True])), float(np.median(times[False]))


def _table(ways: Sequence[Way]) -> str:
    def spread(values: Sequence[float]) -> str:
        return f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"

    lines = [
        (
            way.what,
            f"{way.share:.2%}",
            f"{way.recall:.4f}",
            spread(way.filtered),
            spread(way.everything),
            f"{np.median(np.divide(way.filtered, way.everything)):.2f}",
            f"{way.selected_ms:.1f}",
        )
        for way in ways
    ]
    header = ("filter leaves", "share", "recall@10", "filtered", "everything", "ratio", "once")
    return (
        f"{markdown(header, lines)}\n\n{QUERIES} queries, a page of {PAGE}, {ROUNDS} rounds: CPU "
        "ms, medians of a round, and their least and most. `once`: the first with a filter.\n"
    )


def _pages(gallery: Gallery, made: Join, queries: Vectors) -> str:
    """What else a request may ask for, beside the search: with a filter, and without."""
    wanted = parse_filter("price<=500")
    assert wanted is not None
    scopes = [
        Scope(gallery, None, wanted, made.select(wanted, gallery), "last"),
        Scope(gallery, None, None, None, "last"),
    ]
    ways: dict[str, Callable[[Scope, Vector], object]] = {
        "12 photos": lambda scope, query: scope.photos(query, PAGE),
        "12 items": lambda scope, query: scope.items(query, PAGE),
        "facets: 200 items": lambda scope, query: scope.facets(
            partial(scope.items, query), ("brand",)
        ),
        "by price: 200 items": lambda scope, query: scope.order("price").arranged(
            scope.items(query, COUNTED)
        ),
        "a second page: 200 photos": lambda scope, query: scope.photos(query, 200),
        "beyond 200: 1,000 photos": lambda scope, query: scope.photos(query, 1_000),
        "beyond 200: 1,000 items": lambda scope, query: scope.items(query, 1_000),
    }
    lines = []
    for what, work in ways.items():
        line = [what]
        for scope in scopes:
            times = []
            for query in queries[:20]:
                # One for each search, as a server makes them: it keeps what was looked up.
                mine = replace(scope)
                since = time.thread_time()
                work(mine, query)
                times.append((time.thread_time() - since) * 1e3)
            line += [f"{np.median(times):.1f}", f"{max(times):.1f}"]
        lines.append(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    header = ("CPU ms", "a filter leaves 50 %", "most", "no filter", "most")
    return f"{markdown(header, lines)}\n\nmost memory, drawing and building too: {peak:,.0f} MiB"


if __name__ == "__main__":
    main()
