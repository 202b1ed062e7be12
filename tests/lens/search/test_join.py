"""The join says of all photos at once what `products.sold_as` says of one, whatever changes.

Covers: join, joins, photo_names, selection, gallery.
"""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lens.errors import FilterError
from lens.feed.filter import Filter, parse_filter
from lens.feed.product import AVAILABILITIES, Money, Product
from lens.gallery.assortment import Products
from lens.gallery.gallery import Gallery
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, Shelf, TableRef
from lens.gallery.rows import Row
from lens.pipeline.compact import fold, merge
from lens.pipeline.feed import entries_of
from lens.search.join import Join, join
from lens.search.joins import Joins
from lens.search.photo_names import PhotoNames
from lens.search.products import Offers, sold_as
from lens.storage import FileStorage
from tests.support.small_galleries import NOW, add, gone, head, make_live, photo, vector
from tests.support.sold import gallery_with, photo_row

FILTERS = ("color=red", "color=red|blue;price<=2", "price>1", "size!=M", "availability=in_stock")


def _filter(text: str) -> Filter:
    found = parse_filter(text)
    assert found is not None
    return found


def _product(chance: random.Random, number: int) -> Product:
    """Of few items, that share pictures and file names with each other."""
    return Product(
        f"SKU{number}",
        price=Money(Decimal(chance.randrange(1, 4)), "EUR"),
        availability=chance.choice(AVAILABILITIES),
        color=chance.choice(["red", "Blue", "green", ""]),
        size=chance.choice("SML"),
        images=tuple(
            chance.choice(["front.jpg", "A/1.jpg", f"x/{number}.jpg", f"x/{number // 3}.jpg"])
            for _ in range(chance.randrange(3))
        ),
        item_group_id=chance.choice(["", f"G{number // 4}", f"G{number // 4}", "SKU1"]),
    )


def _key(chance: random.Random) -> str:
    number = chance.randrange(14)
    return chance.choice(
        [
            *(f"SKU{number}_{chance.randrange(3)}.jpg", f"A/SKU{number}/front.jpg"),
            *(f"A/G{number}/2.jpg", f"x/{number}.jpg", "A/1.jpg", f"other {number}.jpg"),
            f"G{number // 4}/SKU{number}/1.jpg",
        ]
    )


def _shelf(
    products: list[Product], before: Shelf | None, chance: random.Random, number: int
) -> Shelf:
    """These products, as a table or as what has changed since the last one."""
    entries = list(entries_of(products))
    ref = TableRef(id=f"t{number}", products=0, sha256="", size=0)
    manifest = ProductsManifest(
        id=f"l{number}", model_id="m", previous=None, file="products.csv", etag="1"
    )
    if before is None or before.manifest.whole is None or chance.random() < 0.3:
        manifest = manifest.model_copy(update={"whole": ref})
        return Shelf(manifest, {ref.id: Products.of(entries)})
    base = before.manifest.whole
    whole = before.tables[base.id]
    said = {name.decode(): whole.text_at(place) for place, name in enumerate(whole.id.tolist())}
    gone_ids = said.keys() - {each.id for each in entries}
    table = Products.of([each for each in entries if said.get(each.id) != each.text], gone_ids)
    manifest = manifest.model_copy(update={"whole": base, "changes": ref})
    return Shelf(manifest, {base.id: whole, ref.id: table})


def _selected(made: Join, wanted: Filter) -> set[str]:
    """The keys of all photos that a search with the filter can find."""
    found = made.gallery.search(vector("q"), 1_000, None, made.select(wanted, made.gallery))
    assert len({match.row.key for match in found}) == len(found)
    return {match.row.key for match in found}


def _check(gallery: Gallery, made: Join) -> int:
    rows = list(gallery.photos())
    chosen = 0
    for text in FILTERS:
        wanted = _filter(text)
        expected = set()
        for row in rows:
            satisfying = Offers(gallery, wanted).may_show(row)
            whole = Offers(gallery).may_show(row)
            assert satisfying == [each for each in whole if wanted.matches(each)]
            sold = sold_as(gallery, row, wanted)
            if satisfying:
                expected.add(row.key)
                assert sold is not None
                assert sold.product in satisfying
            elif sold is not None:
                assert sold == sold_as(gallery, row)
        assert _selected(made, wanted) == expected, text
        chosen += len(expected)
    return chosen


@pytest.mark.parametrize("seed", range(8))
def test_all_photos_at_once_are_told_as_each_is(tmp_path: Path, seed: int) -> None:
    """Snapshot and tail, changed and gone products, pins, names of several items."""
    chance = random.Random(seed)
    storage = FileStorage(tmp_path)
    make_live(storage)
    shelf: Shelf | None = None
    made: Join | None = None
    gallery: Gallery | None = None
    products = {n: _product(chance, n) for n in range(12)}
    seen = 0
    for step in range(1, 16):
        for _ in range(chance.randrange(1, 8)):
            key, name = _key(chance), f"{step:02X}"
            row: Row = photo(key, name, category=chance.choice(["", "A"]))
            add(storage, row if chance.random() < 0.85 else gone(key, name))
        if chance.random() < 0.4:
            chance.choice([fold, merge])(storage, head(storage), now=NOW)
        for number in chance.sample(range(14), chance.randrange(4)):
            if chance.random() < 0.3:
                products.pop(number, None)
            else:
                products[number] = _product(chance, number)
        listed = list(products.values())
        chance.shuffle(listed)
        shelf = _shelf(listed, shelf, chance, step)
        gallery = load_gallery(storage, head(storage), gallery)
        sold = replace(gallery, shelf=shelf)
        if chance.random() < 0.3:
            keys = [row.key for row in sold.photos()]
            sold = replace(
                sold, hidden=frozenset(k.encode() for k in keys if chance.random() < 0.2)
            )
        made = join(sold, made)
        seen += _check(sold, made)
        if chance.random() < 0.2:
            _check(sold, join(sold))
    assert seen > 100


def test_a_changed_price_makes_no_photo_s_names_again(monkeypatch: pytest.MonkeyPatch) -> None:
    products = [
        Product(f"P{n}", price=Money(Decimal(n), "EUR"), item_group_id="G") for n in range(9)
    ]
    rows = [photo_row(f"P{n}/1.jpg") for n in range(9)]
    gallery = gallery_with(products, rows)
    first = join(gallery)
    assert gallery.shelf is not None
    cheaper = [replace(products[0], price=Money(Decimal(99), "EUR")), *products[1:]]
    changes = Products.of(list(entries_of(cheaper))[:1])
    ref = TableRef(id="c", products=1, sha256="", size=0)
    manifest = gallery.shelf.manifest.model_copy(update={"changes": ref})
    changed = replace(gallery, shelf=Shelf(manifest, {**gallery.shelf.tables, "c": changes}))

    def fails(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(PhotoNames, "of", fails)
    monkeypatch.setattr(PhotoNames, "first_among", fails)
    second = join(changed, first)
    assert second.columns["t"] is first.columns["t"]
    found = changed.search(
        np.ones(2, np.float32), 20, None, second.select(_filter("price>50"), changed)
    )
    assert [match.row.key for match in found] == ["P0/1.jpg"]


def test_prices_of_several_currencies_are_compared_only_by_name() -> None:
    products = [
        Product("A", price=Money(Decimal(5), "EUR")),
        Product("B", price=Money(Decimal(500), "JPY")),
        Product("C", price=Money(Decimal(5), "")),
    ]
    made = join(gallery_with(products, [photo_row(f"{name}.jpg") for name in "ABC"]))
    with pytest.raises(FilterError, match="price: the product file has prices in EUR and JPY; na"):
        made.select(_filter("price<=50"), made.gallery)
    assert made.select(_filter("price<=50 EUR"), made.gallery).recent.tolist() == [
        True,
        False,
        False,
    ]
    same = join(gallery_with(products[::2], [photo_row("A.jpg"), photo_row("C.jpg")]))
    assert same.select(_filter("price<=50"), same.gallery).recent.tolist() == [True, True]


def test_without_a_product_file_there_is_nothing_to_filter_by() -> None:
    gallery = replace(gallery_with([Product("A")]), shelf=None)
    with pytest.raises(FilterError, match="there is no product file to filter by"):
        Joins(ahead=True).of(gallery)


def test_a_product_file_without_products_selects_nothing() -> None:
    made = join(gallery_with([], [photo_row("A.jpg")]))
    assert made.select(_filter("size!=M"), made.gallery).recent.tolist() == [False]


def test_joins_are_made_ahead_once_one_was_asked_for() -> None:
    first, second = (gallery_with([Product("A")], [photo_row("A.jpg")]) for _ in range(2))
    joins = Joins(ahead=False)
    joins.prepare(first)
    assert joins.pending is None
    assert joins.of(first).gallery is first
    joins.prepare(second)
    assert joins.pending is second
    assert joins.of(second) is joins.of(second)
    eager = Joins(ahead=True)
    eager.prepare(first)
    assert eager.pending is first
