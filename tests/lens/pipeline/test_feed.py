"""Feed: the product file is looked at as photos are, and costs what has changed in it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lens.errors import StorageError, UnreadableError
from lens.feed import feed as feed_module
from lens.feed.feed import READING, read_feed
from lens.feed.product import Product
from lens.gallery.commits import read_head
from lens.gallery.current import Current, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import ProductsManifest, parse_products_key, read_look
from lens.photos.catalog import Catalog
from lens.pipeline import feed as pipeline_feed
from lens.pipeline.commit import commit_feed
from lens.pipeline.feed import entries_of, look_at_feed
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.sources import open_catalog
from lens.settings import Settings
from lens.storage import FileStorage, ObjectInfo
from lens.storage.formats import SETTLED, announce_format
from tests.lens.feed.test_dialects import EXPORTS

MODEL = "m"
HEADER = "id,title,price\n"


class Shop:
    """A product file, and the head that follows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "photos"
        self.folder.mkdir()
        self.catalog = Catalog(FileStorage(self.folder))
        self.artifacts = FileStorage(folder / "artifacts")
        announce_format(self.artifacts, 0.0)
        swap_current(self.artifacts, lambda _: Current(live=MODEL))

    def write(self, *rows: str, name: str = "products.csv", header: str = HEADER) -> None:
        (self.folder / name).write_text(header + "".join(f"{row}\n" for row in rows))

    def look(self) -> str | None:
        return look_at_feed(self.artifacts, self.catalog, MODEL)

    def follow(self) -> ProductsManifest:
        """Look, and commit what was found."""
        key = self.look()
        assert key is not None
        look_id = parse_products_key(key)[1]
        assert commit_feed(self.artifacts, MODEL, [look_id], now=1.0) == []
        assert self.look() is None, "what was committed differs still"
        assert not compare_newest(self.catalog, self.artifacts, MODEL).looks
        return read_look(self.artifacts, MODEL, look_id)

    def titles(self) -> dict[str, bytes]:
        shelf = load_gallery(self.artifacts, read_head(self.artifacts, MODEL)).shelf
        assert shelf is not None
        return dict(shelf.assortment)

    def tables(self) -> int:
        return sum(info.key.endswith("table.npz") for info in self.artifacts.list("products/"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


class Locked(FileStorage):
    """A folder whose files may not be read, as long as there is a reason."""

    reason: str | None = "denied"

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        if self.reason:
            raise UnreadableError(f"cannot read {key}: {self.reason}")
        return super().read(key)


@pytest.mark.parametrize("known", [True, False])
def test_a_product_file_that_may_not_be_read_costs_itself_until_it_may(
    shop: Shop, known: bool
) -> None:
    if known:
        shop.write("a,Old,1 EUR")
        shop.follow()
    shop.write("a,New,2 EUR", "b,B,3 EUR")
    storage = Locked(shop.folder)
    shop.catalog = Catalog(storage)
    found = shop.follow()
    assert (found.trouble, found.products) == ("cannot read products.csv: denied", int(known))
    assert list(shop.titles()) == ["a"] * known
    storage.reason = "locked"
    assert not compare_newest(shop.catalog, shop.artifacts, MODEL).looks
    assert shop.follow().trouble == "cannot read products.csv: locked"
    storage.reason = None
    looks = compare_newest(shop.catalog, shop.artifacts, MODEL).looks
    assert [look.key for look in looks] == ["products.csv"]
    assert (shop.follow().trouble, set(shop.titles())) == ("", {"a", "b"})


def test_without_a_product_file_nothing_is_written(shop: Shop) -> None:
    assert shop.look() is None
    assert not compare_newest(shop.catalog, shop.artifacts, MODEL).looks


def test_a_changed_price_writes_the_changed_product_alone(shop: Shop) -> None:
    rows = [f"p{n},Title {n},{n + 1}.00 EUR" for n in range(1_000)]
    shop.write(*rows)
    first = shop.follow()
    rows[7] = "p7,Title 7,99.00 EUR"
    shop.write(*rows)
    second = shop.follow()
    assert second.whole == first.whole
    assert second.changes is not None
    assert second.changes.products == 1
    assert second.changes.size < 4_000
    assert b"99.00" in shop.titles()["p7"]
    assert len(shop.titles()) == 1_000


@pytest.fixture
def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the products that are read from their rows."""
    read: list[str] = []
    product = feed_module._Drafted.product

    def noted(self: feed_module._Drafted) -> Product | None:
        read.append(self.draft.fields["id"])
        return product(self)

    monkeypatch.setattr(feed_module._Drafted, "product", noted)
    return read


def test_rows_that_say_what_they_said_are_not_read_again(shop: Shop, read_again: list[str]) -> None:
    rows = [f"p{n},Title {n},{n + 1}.00 EUR" for n in range(50)]
    shop.write(*rows)
    shop.follow()
    read_again.clear()
    rows[7] = "p7,Title 7,99.00 EUR"
    shop.write(*reversed(rows))  # and where they stand is no matter
    assert shop.follow().products == 50
    assert read_again == ["p7"]
    read_again.clear()
    rows[8] = "p8,Title 8,98.00 EUR"
    shop.write(*rows)
    shop.follow()
    assert read_again == ["p7", "p8"], "those that differ from the table of all products"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_without_what_the_rows_said_all_is_read_and_written_again(
    shop: Shop, read_again: list[str], damage: Callable[[Path], object]
) -> None:
    shop.write("a,A,1.00 EUR", "b,B,1.00 EUR")
    first = shop.follow()
    (said,) = (shop.artifacts.root / "products" / MODEL / first.id).glob("fingerprints.*")
    damage(said)
    read_again.clear()
    shop.write("a,A,2.00 EUR", "b,B,1.00 EUR")
    second = shop.follow()
    assert read_again == ["a", "b"]
    assert second.whole != first.whole
    assert b"2.00" in shop.titles()["a"]


def test_what_another_reading_understood_is_read_again(
    shop: Shop, read_again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("a,A,1.00 EUR", "b,B,1.00 EUR")
    shop.follow()
    monkeypatch.setattr(pipeline_feed, "READING", READING + 1)
    read_again.clear()
    shop.write("a,A,2.00 EUR", "b,B,1.00 EUR")
    shop.follow()
    assert read_again == ["a", "b"]


def test_a_file_that_did_not_change_is_read_again_by_a_release_that_understands_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("a,A,1.00 EUR")
    before = shop.follow()
    monkeypatch.setattr(pipeline_feed, "READING", READING + 1)
    assert compare_newest(shop.catalog, shop.artifacts, MODEL).looks
    after = shop.follow()  # and the look after that one finds nothing
    assert after.whole and before.whole and after.whole.sha256 == before.whole.sha256
    monkeypatch.setattr(pipeline_feed, "READING", READING)
    assert shop.look() is None, "an earlier release does not read it back"


def test_what_is_wrong_with_a_row_is_said_again_at_every_look(shop: Shop) -> None:
    rows = ["a,A,1.00 EUR", "b,B,cheap", "a,Again,1.00 EUR", ",nameless,1"]
    shop.write(*rows)
    first = shop.follow()
    shop.write("z,Z,1.00 EUR", *rows)
    second = shop.follow()
    assert [each.line for each in first.first_problems] == [3, 4, 5]
    assert [each.line for each in second.first_problems] == [4, 5, 6]
    assert "line 3 already" in second.first_problems[1].what
    shop.write(*reversed(rows))
    assert shop.follow().problems == 3
    assert b"Again" in shop.titles()["a"]


@pytest.mark.parametrize("export", sorted(each.name for each in EXPORTS.iterdir()))
def test_whatever_changes_in_an_export_the_products_are_those_of_the_whole_file(
    shop: Shop, export: str
) -> None:
    """A row may say something of others': a parent of its variations, the first of those below."""
    chance = random.Random(5)
    rows = (EXPORTS / export).read_text().splitlines(keepends=True)
    name = f"products{Path(export).suffix}"
    first = 0 if name.endswith("jsonl") else 1
    (shop.folder / name).write_text("".join(rows))
    shop.follow()
    for _ in range(12):
        at = chance.randrange(first, len(rows))
        changed = list(rows)
        if chance.random() < 0.3 and len(rows) > first + 1:
            del changed[at]
        else:
            changed[at] = changed[at].translate(str.maketrans("123eo", "654ae"))
        text = "".join(changed)
        (shop.folder / name).write_text(text)
        feed = read_feed(name, text.encode())
        look_id = shop.look()
        if look_id is not None:
            commit_feed(shop.artifacts, MODEL, [parse_products_key(look_id)[1]], now=1.0)
        wanted = {entry.id: entry.text for entry in entries_of(feed.products)}
        assert shop.titles() == wanted
        assert shop.look() is None


def test_many_changes_are_written_as_one_table(shop: Shop) -> None:
    shop.write(*[f"p{n},Title,1.00 EUR" for n in range(1_000)])
    first = shop.follow()
    shop.write(*[f"p{n},Title,2.00 EUR" for n in range(1_000)])
    second = shop.follow()
    assert second.changes is None
    assert second.whole != first.whole


def test_a_file_with_the_same_products_writes_no_table(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR", "b,B,2.00 EUR")
    shop.follow()
    before = shop.tables()
    shop.write("a,A,1.00 EUR", "b,B,2.00 EUR", "", "")
    shop.follow()
    assert shop.tables() == before


def test_products_that_are_gone_are_gone_and_come_back(shop: Shop) -> None:
    for rows in (["a,A,1", "b,B,2"], ["a,A,1"], ["a,A,1", "b,B,3"], ["c,C,1"]):
        shop.write(*rows)
        shop.follow()
        assert sorted(shop.titles()) == [row[0] for row in rows]


@pytest.mark.parametrize(("header", "told"), [("nothing", "no columns"), (HEADER, "no product")])
def test_a_file_that_cannot_be_used_costs_nothing_and_is_named(
    shop: Shop, caplog: pytest.LogCaptureFixture, header: str, told: str
) -> None:
    shop.write("a,A,1.00 EUR")
    shop.follow()
    shop.write(header=header)
    look = shop.follow()
    assert told in look.trouble and told in caplog.text
    assert list(shop.titles()) == ["a"]
    shop.write("a,B,1.00 EUR")
    assert not shop.follow().trouble
    assert b"B" in shop.titles()["a"]


def test_a_bad_row_costs_itself_and_is_remembered(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR", ",nameless,1", "b,B,cheap")
    look = shop.follow()
    assert sorted(shop.titles()) == ["a", "b"]
    assert [(each.line, each.field) for each in look.first_problems] == [(3, "id"), (4, "price")]


def test_without_its_file_there_are_no_products(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR")
    shop.follow()
    (shop.folder / "products.csv").unlink()
    shop.follow()
    assert shop.titles() == {}


def test_a_look_that_another_has_overtaken_is_taken_again(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR")
    slow = shop.look()
    shop.write("a,A,2.00 EUR")
    shop.follow()
    assert slow is not None
    again = commit_feed(shop.artifacts, MODEL, [parse_products_key(slow)[1]], now=1.0)
    assert [(look.key, look.model_id) for look in again] == [("products.csv", MODEL)]
    assert b"2.00" in shop.titles()["a"]
    assert shop.look() is None


def test_a_look_that_comes_twice_is_taken_once(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR")
    look = shop.follow()
    number = read_head(shop.artifacts, MODEL).number
    assert commit_feed(shop.artifacts, MODEL, [look.id], now=1.0) == []
    assert read_head(shop.artifacts, MODEL).number == number


@pytest.mark.parametrize("name", ["products.tsv", "products.jsonl"])
def test_other_kinds_of_tables_are_read(shop: Shop, name: str) -> None:
    if name.endswith("tsv"):
        shop.write("a\tA\t1.00 EUR", name=name, header="id\ttitle\tprice\n")
    else:
        shop.write('{"id": "a", "title": "A", "price": "1.00 EUR"}', name=name, header="")
    shop.follow()
    assert list(shop.titles()) == ["a"]


def test_the_product_file_may_lie_elsewhere(tmp_path: Path, shop: Shop) -> None:
    path = tmp_path / "elsewhere" / "export.csv"
    path.parent.mkdir()
    path.write_text(HEADER + "z,Z,1.00 EUR\n")
    shop.write("a,A,1.00 EUR")
    shop.catalog = open_catalog(Settings(catalog=str(shop.folder), feed=str(path)))
    shop.follow()
    assert list(shop.titles()) == ["z"]
    path.unlink()  # a drive that is not mounted, more likely than a shop without products
    assert shop.follow().trouble
    assert list(shop.titles()) == ["z"]


class Unreachable:
    """Where a product file should be, and nothing answers."""

    def head(self, key: str) -> ObjectInfo | None:
        raise StorageError("no answer")

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        raise StorageError("no answer")


def test_a_file_that_cannot_be_reached_holds_nothing_up(shop: Shop) -> None:
    shop.write("a,A,1.00 EUR")
    shop.follow()
    shop.catalog = Catalog(shop.catalog.storage, (Unreachable(), "products.csv"))
    assert shop.look() is None
    assert not compare_newest(shop.catalog, shop.artifacts, MODEL).looks
    assert list(shop.titles()) == ["a"]


def test_while_an_earlier_release_may_read_the_heads_the_file_waits(shop: Shop) -> None:
    (shop.artifacts.root / "formats.json").unlink()
    announce_format(shop.artifacts, time.time())  # the artifacts are not new any more
    shop.write("a,A,1.00 EUR")
    assert shop.look() is None
    assert not compare_newest(shop.catalog, shop.artifacts, MODEL).looks
    (shop.artifacts.root / "formats.json").unlink()
    announce_format(shop.artifacts, time.time() - 2 * SETTLED)
    shop.follow()
    assert list(shop.titles()) == ["a"]
