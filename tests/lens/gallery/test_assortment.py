"""The assortment, against dictionaries: what is changed, gone and called the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from lens.gallery.assortment import (
    NO_PRODUCTS,
    Assortment,
    Entry,
    Owner,
    Products,
    name_hash,
)


def _entry(number: int, price: int, item: int | None = None) -> Entry:
    name = f"p{number}" * (1 + number % 5)
    item_id = f"item{item}" if item is not None else name
    names = (f"id:{name}", f"group:{item_id}")
    return Entry(name, item_id, names, f"{name} of {item_id} costs {price}".encode(), number)


def _changes(whole: Products, after: list[Entry]) -> Products:
    """What a table lacks to hold these."""
    gone = whole.not_among({each.id for each in after})
    return Products.of([each for each in after if not whole.has(each)], gone)


def _content(assortment: Assortment) -> dict[str, bytes]:
    return dict(assortment)


def test_no_products_are_found_nowhere() -> None:
    nothing = Assortment(NO_PRODUCTS, NO_PRODUCTS)
    assert len(nothing) == 0
    assert nothing.text("a") is None
    assert nothing.find(["id:a"]) is None
    assert list(nothing) == []


def test_of_ids_that_repeat_the_first_counts() -> None:
    twice = Products.of([_entry(1, 10), _entry(1, 20)])
    assert len(twice) == 1
    assert twice.text_at(0) == b"p1p1 of p1p1 costs 10"


def test_whatever_changes_a_table_and_its_changes_hold_what_one_table_would() -> None:
    chance = random.Random(3)
    for _ in range(60):
        before = [_entry(n, chance.randint(1, 3), chance.randint(0, 4)) for n in range(20)]
        before = chance.sample(before, chance.randint(0, 20))
        after = [_entry(n, chance.randint(1, 3), chance.randint(0, 4)) for n in range(25)]
        after = chance.sample(after, chance.randint(0, 25))
        whole = Products.of(before)
        both = Assortment(whole, _changes(whole, after))
        assert _content(both) == {each.id: each.text for each in after}
        assert len(both) == len(after)
        for entry in after:
            assert both.text(entry.id) == entry.text
        for entry in before:
            if entry.id not in {each.id for each in after}:
                assert both.text(entry.id) is None
        assert sorted(both.items()) == sorted((each.id, each.item_id) for each in after)
        for item in range(5):
            members = [each for each in after if each.item_id == f"item{item}"]
            ordered = sorted(members, key=lambda each: each.place)
            found = both.find([f"group:item{item}"])
            assert (found.ids if found else ()) == tuple(each.id for each in ordered)


def test_what_has_not_changed_is_not_written_again() -> None:
    entries = [_entry(n, 5) for n in range(100)]
    whole = Products.of(entries)
    entries[7] = _entry(7, 6)
    changes = _changes(whole, entries)
    assert changes.id.tolist() == [entries[7].id.encode()]
    assert len(changes.gone) == 0


def test_a_longer_id_is_not_taken_for_the_one_that_it_begins_with() -> None:
    whole = Products.of([Entry("ab", "ab", ("id:ab",), b"old")])
    new = [Entry("ab", "ab", ("id:ab",), b"old"), Entry("abc", "abc", ("id:abc",), b"new")]
    both = Assortment(whole, _changes(whole, new))
    assert both.text("ab") == b"old"
    assert both.text("abc") == b"new"
    assert both.text("abcd") is None


def test_a_name_of_two_items_says_nothing_and_the_next_is_asked() -> None:
    shared = [
        Entry("a", "a", ("id:a", "file:1.jpg"), b""),
        Entry("b", "b", ("id:b", "file:1.jpg"), b""),
    ]
    assortment = Assortment(Products.of(shared), NO_PRODUCTS)
    assert assortment.find(["file:1.jpg"]) is None
    found = assortment.find(["file:1.jpg", "id:b"])
    assert found is not None
    assert found.ids == ("b",)


def test_hashes_of_names_are_the_same_on_every_machine() -> None:
    assert int(name_hash("id:a")) == 4_131_723_750_268_811_231


def test_a_name_that_every_product_has_costs_a_look_at_two(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(f"p{n}", f"p{n}", ("file:front.jpg",), b"") for n in range(1_000)]
    assortment = Assortment(Products.of(entries), NO_PRODUCTS)
    looked: list[object] = []
    owners = Assortment._owners

    def counted(self: Assortment, span: Sequence[int]) -> Iterator[Owner]:
        for owner in owners(self, span):
            looked.append(owner)
            yield owner

    monkeypatch.setattr(Assortment, "_owners", counted)
    assert assortment.find(["file:front.jpg"]) is None
    assert len(looked) == 2


def test_variants_are_of_the_item_though_another_is_called_the_same() -> None:
    same = "group:a-1"
    entries = [Entry("x", "A-1", (same,), b"X", 1), Entry("y", "A.1", (same,), b"Y", 0)]
    assortment = Assortment(Products.of(entries), NO_PRODUCTS)
    assert assortment.variants("A-1", same) == [b"X"]
    assert assortment.variants("A.1", same) == [b"Y"]


def test_many_are_found_at_once_as_each_is_alone() -> None:
    chance = random.Random(5)
    for _ in range(40):
        before = [_entry(n, 1, chance.randint(0, 4)) for n in range(12)]
        after = [_entry(n, chance.randint(1, 2), chance.randint(0, 4)) for n in range(3, 15)]
        whole = Products.of(before)
        assortment = Assortment(whole, _changes(whole, after))
        words = [*(name for each in (*before, *after) for name in each.names), "id:none"]
        asked = [chance.choices(words, k=chance.randrange(5)) for _ in range(30)]
        names = np.array([name_hash(name) for each in asked for name in each], np.uint64)
        starts = np.cumsum([0, *map(len, asked)]).tolist()
        found = assortment.find_each(names, starts)
        alone = [assortment.find(each) for each in asked]
        assert [each and (each.item_id, each.ids) for each in found] == [
            each and (each.item_id, each.ids) for each in alone
        ]
        for each in filter(None, found):
            assert list(each.texts()) == [assortment.text(name) for name in each.ids]
    assert assortment.find_each(np.empty(0, np.uint64), [0]) == []


def test_a_table_is_read_as_it_was_written() -> None:
    for entries in ([], [_entry(1, 10)], [_entry(n, 10) for n in range(20)]):
        table = Products.read(Products.of(entries, ["gone"]).columns())
        table.check()
        assert _content(Assortment(NO_PRODUCTS, table)) == {each.id: each.text for each in entries}
        assert table.gone.tolist() == [b"gone"]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("id", [b"b", b"a"], "ids are not sorted"),
        ("gone", [b"b", b"a"], "ids are not sorted"),
        ("names", [2, 1], "names are not sorted"),
        ("ends", [2, 1], "texts do not fit"),
        ("ends", [1, 3], "texts do not fit"),
        ("owners", [0, 2], "belongs to no product"),
        ("owners", [-1, 0], "belongs to no product"),
    ],
)
def test_a_table_that_does_not_hold_together_is_told(
    column: str, values: list[object], message: str
) -> None:
    columns = Products.of([Entry(name, "", (name,), b"x") for name in "ab"], "cd").columns()
    table = Products.read({**columns, column: np.array(values, columns[column].dtype)})
    with pytest.raises(ValueError, match=message):
        table.check()


@pytest.mark.parametrize("column", ["item_id", "place", "ends", "owners", "text"])
def test_a_column_of_another_kind_or_length_is_told(column: str) -> None:
    columns = Products.of([Entry(name, "", (name,), b"x") for name in "ab"]).columns()
    for odd in (columns[column][None], columns[column].astype("U"), columns[column][:1]):
        if column == "text" and len(odd) == 1 and odd.ndim == 1:
            continue  # which the ends tell
        with pytest.raises(ValueError, match=f"{column} is "):
            Products.read({**columns, column: odd})
