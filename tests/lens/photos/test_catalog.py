"""The catalog: what a key says about its photo, and which files are photos."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest

from lens.errors import NotFoundError, StorageError, UnreadableError
from lens.photos.catalog import Catalog, category, is_photo, item_id, parse_partition
from lens.storage import FileStorage, open_storage
from tests.support.s3_bucket import BUCKET

HEADER = "2\nimage_name item_id evaluation_status\n"


@pytest.mark.parametrize(
    ("key", "item", "kind"),
    [
        ("img/WOMEN/Dresses/id_12/01_1_front.jpg", "WOMEN/Dresses/id_12", "WOMEN/Dresses"),
        ("shoes/red-sneaker/side.jpg", "shoes/red-sneaker", "shoes"),
        ("red-sneaker/side.jpg", "red-sneaker", ""),
        ("side.jpg", "side.jpg", ""),
        ("img/side.jpg", "img/side.jpg", ""),
    ],
)
def test_folders_name_the_item_and_its_category(key: str, item: str, kind: str) -> None:
    assert (item_id(key, {}), category(key)) == (item, kind)


def test_a_partition_file_names_the_item() -> None:
    partition = parse_partition(HEADER + "img/WOMEN/a/1.jpg   id_00000007   gallery\n")
    assert item_id("img/WOMEN/a/1.jpg", partition) == "id_00000007"
    assert item_id("img/WOMEN/a/2.jpg", partition) == "WOMEN/a"


def test_a_broken_partition_line_costs_itself_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = HEADER + "img/1.jpg id_1 train\nimg/2.jpg id_2 validation\nimg/3.jpg id_3 query\n"
    odd: list[str] = []
    assert list(parse_partition(text, odd.append)) == ["img/1.jpg", "img/3.jpg"]
    (line,) = odd
    assert line.startswith("line 4: expected")
    storage = open_storage(tmp_path)
    storage.write("list_eval_partition.txt", text.encode())
    assert len(Catalog(storage).partition()) == 2
    assert "1 lines are left out, the first: line 4" in caplog.text


def test_a_partition_file_that_may_not_be_read_says_what_it_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    storage = FileStorage(tmp_path)
    storage.write("list_eval_partition.txt", (HEADER + "img/1.jpg id_1 gallery\n").encode())
    catalog, new = Catalog(storage), Catalog(storage)
    before = catalog.partition()
    assert len(before) == 1
    storage.write("list_eval_partition.txt", (HEADER + "img/2.jpg id_1 gallery\n").encode())

    def refuse(key: str) -> object:
        raise UnreadableError(f"cannot read {key}: denied")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "read", refuse)
        assert catalog.partition() == before
        assert new.partition() == {}
    assert "photos are placed without it: cannot read list_eval_partition.txt" in caplog.text
    assert list(catalog.partition()) == list(new.partition()) == ["img/2.jpg"]


def test_a_partition_file_without_count_or_header_is_read_whole() -> None:
    line = "img/1.jpg id_1 train\n"
    for text in (line, f"1\n{line}", f"image_name item_id evaluation_status\n{line}"):
        assert list(parse_partition(text)) == ["img/1.jpg"]


def test_a_changed_partition_file_is_read_again(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    catalog = Catalog(storage)
    assert catalog.partition() == {}
    for name in ("one", "two"):
        storage.write("list_eval_partition.txt", f"{HEADER}a.jpg {name} query\n".encode())
        assert catalog.partition()["a.jpg"].item_id == name
    storage.delete("list_eval_partition.txt")
    assert catalog.partition() == {}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_partition_line_names_a_photo_in_either_form_of_unicode(
    form: Literal["NFC", "NFD"],
) -> None:
    entries = parse_partition(f"{HEADER}{normalize(form, 'été.jpg')} item query\n")
    assert entries[normalize("NFC", "été.jpg")] == entries[normalize("NFD", "été.jpg")]


def test_other_files_and_hidden_ones_are_no_photos(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.webp", "notes.txt", ".c.jpg", "d.png/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [info.key for info in Catalog(open_storage(tmp_path)).photos()] == ["a.JPG", "b.webp"]
    assert not is_photo("jpg")


def test_a_missing_folder_is_not_an_empty_catalog(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no folder"):
        list(Catalog(open_storage(tmp_path / "unmounted")).photos())


def test_fetched_pictures_are_photos_beside_the_shops_own_which_count_first(tmp_path: Path) -> None:
    own, fetched = open_storage(tmp_path / "own"), open_storage(tmp_path / "fetched")
    own.write("b/1.jpg", b"own")
    (tmp_path / "own" / ".lensignore").write_text("hidden/\n")
    for key in ("a/2.jpg", "b/1.jpg", "c/3.jpg", "hidden/4.jpg", "state.json"):
        fetched.write(key, b"fetched")
    catalog = Catalog(own, pictures=fetched)
    assert [info.key for info in catalog.photos()] == ["a/2.jpg", "b/1.jpg", "c/3.jpg"]
    assert [info.key for info in catalog.own_photos()] == ["b/1.jpg"]
    assert catalog.read("b/1.jpg")[0] == b"own" and catalog.read("a/2.jpg")[0] == b"fetched"
    head = catalog.head("b/1.jpg")
    assert head == own.head("b/1.jpg") and catalog.head("none.jpg") is None
    with pytest.raises(NotFoundError):
        catalog.read("none.jpg")


def test_a_folder_that_becomes_another_while_it_is_listed_is_no_listing(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    catalog = Catalog(open_storage(root))
    for number in range(3):
        catalog.storage.write(f"{number}/a.jpg", b"x")
    listed = catalog.photos()
    next(listed)
    root.rename(tmp_path / "drive")
    root.mkdir()
    with pytest.raises(StorageError, match="became another folder"):
        list(listed)


def test_a_catalog_is_there_where_its_photos_were_seen(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    catalog = Catalog(open_storage(root))
    with pytest.raises(StorageError, match="no folder"):
        catalog.check_there()
    catalog.storage.write("a.jpg", b"x")
    catalog.check_there()
    list(catalog.photos())
    catalog.check_there()
    root.rename(tmp_path / "drive")
    root.mkdir()
    list(catalog.photos())
    with pytest.raises(StorageError, match="is its drive mounted"):
        catalog.check_there()
    catalog.storage.write("b.jpg", b"x")
    list(catalog.photos())
    catalog.check_there()


def test_a_bucket_is_there_where_it_can_be_listed(s3: None) -> None:
    catalog = Catalog(open_storage(f"s3://{BUCKET}/catalog"))
    catalog.check_there()
    with pytest.raises(StorageError, match="no-such-bucket-here"):
        Catalog(open_storage("s3://no-such-bucket-here/catalog")).check_there()
