"""Reconciliation: finds every key where gallery and catalog differ, and no other."""

from __future__ import annotations

import os
from pathlib import Path

from lens.errors import StorageError
from lens.gallery.product_tables import UNREAD, ProductsManifest
from lens.gallery.rows import Cause, Kind, Row
from lens.gallery.versions import Look, Version
from lens.photos.catalog import PARTITION_KEY, Catalog
from lens.photos.layouts.layout import Layout, Placed, Rule
from lens.pipeline.reconcile import Comparison, compare, feed_differs
from lens.pipeline.waiting import always, never
from lens.storage import FileStorage, ObjectInfo
from tests.support.small_galleries import MODEL, NOW, add, gallery, gone, make_live, photo


class Shop:
    """A catalog in a folder, and a gallery."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder / "catalog")
        self.artifacts = FileStorage(folder / "artifacts")
        make_live(self.artifacts)

    def put(self, key: str) -> str:
        return self.storage.write(key, key.encode()).etag

    def known(self, row: Row, etag: str) -> None:
        add(self.artifacts, row._replace(etag=etag))

    @property
    def comparison(self) -> Comparison:
        return self.compared(Layout())

    def compared(self, layout: Layout) -> Comparison:
        return compare(Catalog(self.storage), gallery(self.artifacts), layout)

    @property
    def differences(self) -> list[Look]:
        return self.comparison.looks


def look(key: str, sequencer: str) -> Look:
    return Look(key, Version(sequencer, 1), MODEL)


def test_what_the_gallery_never_heard_of_is_looked_at_below_every_event(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put("a.png")
    shop.put("not a photo.txt")
    assert shop.differences == [look("a.png", "")]


def test_a_photo_that_changed_is_looked_at_just_above_what_was_seen(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.put("a.png")
    shop.known(photo("a.png", "5"), "another")
    assert shop.differences == [look("a.png", "5")]


def test_a_photo_that_is_gone_or_back_is_looked_at(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("gone.png", "5"), "etag")
    shop.known(gone("back.png", "6"), "")
    shop.known(gone("still gone.png", "6"), "")
    shop.put("back.png")
    assert shop.differences == [look("back.png", "6"), look("gone.png", "5")]


def test_an_unusable_photo_is_left_alone_until_it_changes_or_goes(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key in ("same.png", "changed.png", "gone.png"):
        row = Row(key, Version("5"), Kind.REJECTION, NOW, reason="broken")
        shop.known(row, shop.put(key))
    shop.put("changed.png")
    shop.storage.delete("gone.png")
    assert shop.differences == [look("changed.png", "5"), look("gone.png", "5")]


def waiting(key: str, sequencer: str, at: float = NOW) -> Row:
    return Row(key, Version(sequencer), Kind.WAITING, at, reason="it is archived")


def test_what_waits_is_looked_at_when_its_pause_is_over_with_the_reason_that_is_known(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path)
    etag = shop.put("a.png")
    shop.known(photo("a.png", "5"), "earlier")
    shop.known(waiting("a.png", "6"), etag)

    def after(hours: float) -> Comparison:
        known = gallery(shop.artifacts)
        return compare(Catalog(shop.storage), known, Layout(), lambda: NOW + 3_600 * hours)

    asked = [after(hours) for hours in (0.1, 1.1, 2.1, 3.1, 4.1, 5.1)]
    assert [len(each.looks) for each in asked] == [1, 1, 1, 0, 1, 0]
    assert asked[0].looks == [Look("a.png", Version("6", 1), MODEL, "it is archived")]
    assert (asked[0].waiting, asked[0].oldest) == (1, None)


def test_a_promotion_does_not_wait_for_what_waits(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(waiting("a.png", "6"), shop.put("a.png"))
    found = compare(Catalog(shop.storage), gallery(shop.artifacts), Layout(), lambda: NOW, never)
    assert found.looks == []


def test_what_waits_is_looked_at_above_its_row_when_it_changes_or_goes(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key in ("changed.png", "gone.png", "never read.png"):
        shop.known(photo(key, "5"), "earlier")
        shop.known(waiting(key, "6"), shop.put(key))
    shop.put("changed.png")
    shop.storage.delete("gone.png")
    found = compare(Catalog(shop.storage), gallery(shop.artifacts), Layout(), lambda: NOW, never)
    assert found.looks == [look("changed.png", "6"), look("gone.png", "6")]


def test_a_photo_in_a_folder_that_cannot_be_listed_waits_as_others_do(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("private/a.png", "5"), "etag")
    shop.known(waiting("private/a.png", "6"), "")
    files = Catalog(shop.storage), gallery(shop.artifacts), Layout(), lambda: NOW
    shop.storage.root.mkdir(exist_ok=True)
    assert compare(*files, never).looks == []
    (again,) = compare(*files, always).looks
    assert again == Look("private/a.png", Version("6", 1), MODEL, "it is archived")


def test_a_photo_of_another_item_is_misplaced_and_not_looked_at(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("a.png", "5"), shop.put("a.png"))
    assert not shop.comparison.misplaced
    lines = "1\nimage_name item_id evaluation_status\na.png id_7 gallery\n"
    shop.storage.write(PARTITION_KEY, lines.encode())
    assert shop.differences == []
    assert shop.comparison.misplaced == {"a.png": Placed("id_7", "", told="partition")}


def test_a_photo_that_another_layout_groups_otherwise_is_misplaced(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key in ("a1_1.png", "a1_2.png", "new_1.png", "changed_1.png"):
        etag = shop.put(key)
        shop.known(photo(key, "5"), "another" if key == "changed_1.png" else etag)
    shop.storage.delete("new_1.png")
    compared = shop.compared(Layout(root=Rule("whole")))
    assert compared.misplaced == {
        key: Placed("a1", "", "", "name") for key in ("a1_1.png", "a1_2.png")
    }
    assert compared.looks == [look("changed_1.png", "5"), look("new_1.png", "5")]


def test_a_photo_that_is_ignored_from_now_on_is_looked_at(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("a.png", "5"), shop.put("a.png"))
    (shop.storage.root / ".lensignore").write_text("a.png")
    assert shop.differences == [look("a.png", "5")]


def test_a_gallery_that_equals_its_catalog_differs_in_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key in ("a.png", "b/c.png", "ü/x y.png"):
        row = photo(key, "5")._replace(item_id="b" if "b" in key else "ü" if "ü" in key else key)
        shop.known(row, shop.put(key))
    assert shop.differences == []


def test_photos_found_and_rejected_are_counted(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key in ("a.png", "b.png", "gone.png"):
        shop.known(photo(key, "5"), shop.put(key))
    shop.known(gone("gone.png", "6"), "")
    shop.known(Row("broken.png", Version("5"), Kind.REJECTION, NOW, reason="broken"), "etag")
    assert (shop.comparison.photos, shop.comparison.rejected) == (2, 1)


def test_many_photos_that_events_removed_within_a_day_are_told(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("stays.png", "1"), shop.put("stays.png"))

    def removed(hours_ago: float, cause: Cause) -> int:
        at = NOW - 3_600 * hours_ago
        rows = [gone(f"{hours_ago}{n}.png", "2", at=at) for n in range(30)]
        add(shop.artifacts, *(row._replace(reason=cause) for row in rows), now=at)
        found = gallery(shop.artifacts)
        return compare(Catalog(shop.storage), found, Layout(), clock=lambda: NOW).removed

    assert removed(25, Cause.EVENT) == 0, "it is longer ago"
    assert removed(2, Cause.LISTING) == 0, "that is held, or was let go"
    assert removed(23, Cause.EVENT) == 30


def write_at(shop: Shop, key: str, modified: float) -> str:
    shop.put(key)
    os.utime(shop.storage.root / key, (modified, modified))
    info = shop.storage.head(key)
    assert info is not None
    return info.etag


def test_the_age_is_that_of_the_oldest_photo_that_the_gallery_lacks(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("known.png", "5"), write_at(shop, "known.png", NOW - 9_000))
    shop.known(photo("gone.png", "5"), "etag")
    assert shop.comparison.age(since=0, now=NOW) == 0, "a listing tells not when a photo went"
    write_at(shop, "new.png", NOW - 100)
    shop.known(photo("changed.png", "5"), "etag")
    write_at(shop, "changed.png", NOW - 500)
    shop.known(gone("back.png", "6"), "")
    write_at(shop, "back.png", NOW - 300)
    assert shop.comparison.age(since=0, now=NOW) == 500
    assert shop.comparison.age(since=NOW - 50, now=NOW) == 50, "it is not late with older photos"
    assert shop.comparison.age(since=0, now=NOW - 600) == 0, "clocks differ"


def test_another_item_is_no_photo_that_the_gallery_lacks(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.known(photo("a.png", "5"), write_at(shop, "a.png", NOW - 500))
    lines = "1\nimage_name item_id evaluation_status\na.png id_7 gallery\n"
    shop.storage.write(PARTITION_KEY, lines.encode())
    assert list(shop.comparison.misplaced) == ["a.png"]
    assert shop.comparison.age(since=0, now=NOW) == 0


def test_a_photo_that_was_moved_is_not_missing(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for key, now_at in (("a.png", "new/a.png"), ("b.png", "known.png")):
        shop.known(photo(key, "5"), shop.put(now_at))
    shop.known(photo("known.png", "5"), "another")
    shop.known(photo("gone.png", "5"), "etag")
    shop.known(photo("copy of a.png", "5"), shop.put("new/a.png"))
    found = shop.comparison
    assert [each.key for each in found.looks if each.cause == Cause.LISTING] == sorted(
        ["a.png", "b.png", "copy of a.png", "gone.png"]
    )
    assert set(found.missing) == {"a.png", "gone.png"}


class Locked(FileStorage):
    """A folder whose files may be listed and not read."""

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        raise StorageError(f"{key} is locked")


def test_a_product_file_that_could_not_be_read_is_looked_at_once_it_can_be(
    tmp_path: Path,
) -> None:
    folder = FileStorage(tmp_path)
    etag = folder.write("products.csv", b"id,title\na,A\n").etag
    unread = ProductsManifest(
        id="1", model_id=MODEL, previous=None, file="products.csv", etag=f"{UNREAD}{etag}"
    )
    assert not feed_differs(Catalog(Locked(tmp_path)), unread)
    assert feed_differs(Catalog(folder), unread)
