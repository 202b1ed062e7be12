"""`lens sync`: makes a bucket's photos those of a folder, and uploads only what is missing."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.local.cli import main
from lambdas.local.stack.sync import Synced, catalog_in, synchronize
from lens.errors import StorageError, UsageError
from lens.photos.catalog import PARTITION_KEY
from lens.storage import FileStorage, ObjectInfo, Storage, open_storage
from lens.storage.s3 import S3Storage
from tests.support.s3_bucket import BUCKET

PARTITION = b"1\nimage_name item_id evaluation_status\na.jpg id_7 gallery\n"


@pytest.fixture
def catalog(s3: None) -> Storage:
    return open_storage(f"s3://{BUCKET}/catalog")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos, a partition file, two files that are no photos, one that is hidden."""
    folder = tmp_path / "photos"
    names = ("a.jpg", "WOMEN/ü b+c.PNG", "WOMEN/d.heic", "notes.txt", "WOMEN/Thumbs.db", ".e.jpg")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (folder / PARTITION_KEY).write_bytes(PARTITION)
    return folder


def content(catalog: Storage) -> dict[str, bytes]:
    return {info.key: catalog.read(info.key)[0] for info in catalog.list()}


def test_photos_and_their_partition_file_are_uploaded_with_their_types(
    photos: Path, catalog: Storage
) -> None:
    done: list[tuple[int, int]] = []
    synced = synchronize(str(photos), catalog, progress=lambda *each: done.append(each))
    assert synced == Synced(uploaded=4, skipped=0, removed=0, ignored=2)
    assert done[-1] == (3, 3)
    assert content(catalog) == {
        "a.jpg": b"a.jpg",
        "WOMEN/ü b+c.PNG": "WOMEN/ü b+c.PNG".encode(),
        "WOMEN/d.heic": b"WOMEN/d.heic",
        PARTITION_KEY: PARTITION,
    }
    s3 = boto3.client("s3", region_name="us-east-1")
    types = {
        key: s3.head_object(Bucket=BUCKET, Key=f"catalog/{key}")["ContentType"]
        for key in content(catalog)
    }
    assert types == {
        "a.jpg": "image/jpeg",
        "WOMEN/ü b+c.PNG": "image/png",
        "WOMEN/d.heic": "image/heic",
        PARTITION_KEY: "text/plain; charset=utf-8",
    }


def test_what_the_catalog_leaves_out_is_uploaded_with_the_photos(
    photos: Path, catalog: Storage
) -> None:
    (photos / ".lensignore").write_bytes(b"a.jpg")
    assert synchronize(str(photos), catalog) == Synced(uploaded=5, skipped=0, removed=0, ignored=2)
    assert content(catalog)[".lensignore"] == b"a.jpg"
    assert synchronize(str(photos), catalog) == Synced(0, 5, 0, 2)
    (photos / ".lensignore").unlink()
    assert synchronize(str(photos), catalog, delete=True) == Synced(0, 4, 1, 2)


def test_what_is_there_is_left_alone_and_what_changed_goes_up(
    photos: Path, catalog: Storage
) -> None:
    synchronize(str(photos), catalog)
    assert synchronize(str(photos), catalog) == Synced(0, 4, 0, 2)
    (photos / "a.jpg").write_bytes(b"A.JPG")  # of the same length
    before = (photos / "WOMEN/d.heic").stat().st_mtime
    os.utime(photos / "WOMEN/d.heic", (before + 900, before + 900))  # touched, but the same
    assert synchronize(str(photos), catalog) == Synced(1, 3, 0, 2)
    assert content(catalog)["a.jpg"] == b"A.JPG"


def test_only_with_delete_goes_what_the_folder_lacks_and_then_only_photos(
    photos: Path, catalog: Storage
) -> None:
    synchronize(str(photos), catalog)
    catalog.write("report.pdf", b"another's")
    (photos / "a.jpg").unlink()
    (photos / PARTITION_KEY).unlink()
    assert synchronize(str(photos), catalog).removed == 0
    assert len(content(catalog)) == 5
    assert synchronize(str(photos), catalog, delete=True) == Synced(0, 2, 2, 2)
    assert sorted(content(catalog)) == ["WOMEN/d.heic", "WOMEN/ü b+c.PNG", "report.pdf"]


def test_a_dry_run_tells_and_changes_nothing(photos: Path, catalog: Storage) -> None:
    synchronize(str(photos), catalog)
    (photos / "a.jpg").write_bytes(b"changed")
    (photos / "WOMEN/d.heic").unlink()
    (photos / "new.webp").write_bytes(b"new")
    before = content(catalog)
    assert synchronize(str(photos), catalog, delete=True, dry_run=True) == Synced(2, 2, 1, 2)
    assert content(catalog) == before


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_that_is_missing_or_has_no_photos_empties_no_bucket(
    name: str, tmp_path: Path, catalog: Storage
) -> None:
    catalog.write("a.jpg", b"1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"there is no folder|no photos in"):
        synchronize(str(tmp_path / name), catalog, delete=True)
    assert content(catalog) == {"a.jpg": b"1"}


def test_the_partition_file_is_there_before_the_photos_that_it_names(
    photos: Path, catalog: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = S3Storage.write

    def recorded(self: S3Storage, key: str, *arguments: Any, **options: Any) -> ObjectInfo:
        written.append(key)
        return write(self, key, *arguments, **options)

    monkeypatch.setattr(S3Storage, "write", recorded)
    synchronize(str(photos), catalog)
    assert written[0] == PARTITION_KEY and len(written) == 4


@pytest.mark.parametrize("end", [KeyboardInterrupt, StorageError])
def test_interrupted_it_stops_soon_and_run_again_it_goes_on(
    end: type[BaseException], tmp_path: Path, catalog: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(200):
        (tmp_path / f"{n:03}.jpg").write_bytes(b"%d" % n)
    write, lock = S3Storage.write, threading.Lock()
    count = 0

    def ending(self: S3Storage, *arguments: Any, **options: Any) -> ObjectInfo:
        nonlocal count
        with lock:
            count += 1
            if count == 50:
                raise end
        return write(self, *arguments, **options)

    monkeypatch.setattr(S3Storage, "write", ending)
    with pytest.raises(end):
        synchronize(str(tmp_path), catalog)
    there = len(content(catalog))
    assert 40 <= there < 150
    assert synchronize(str(tmp_path), catalog) == Synced(200 - there, there, 0, 0)
    assert len(content(catalog)) == 200


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("s3://shop", "s3://shop/catalog/"),
        ("s3://shop/", "s3://shop/catalog/"),
        ("s3://shop/catalog/", "s3://shop/catalog/"),
        ("S3://shop/a/b", "s3://shop/a/b/"),
    ],
)
def test_a_bucket_means_its_catalog(s3: None, location: str, meant: str) -> None:
    assert catalog_in(location).location == meant


def test_the_command_says_where_to_and_how_many(
    photos: Path, catalog: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", str(photos), f"s3://{BUCKET}", "--dry-run"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"into s3://{BUCKET}/catalog/ (dry run: no change)"
    assert content(catalog) == {}
    assert main(["sync", str(photos), f"s3://{BUCKET}", "--delete"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"into s3://{BUCKET}/catalog/",
        "4 uploaded, 0 there already, 0 removed, 2 ignored (no photos)",
    ]


@pytest.mark.parametrize(
    ("bucket", "code", "message"),
    [
        ("elsewhere", 2, "give s3://bucket, not elsewhere"),
        ("s3://", 2, "is not a location"),
        ("s3://no-such-bucket", 1, "check the bucket's name and the account"),
    ],
)
def test_a_wrong_destination_is_one_line(
    bucket: str,
    code: int,
    message: str,
    photos: Path,
    s3: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sync", str(photos), bucket]) == code
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        (folder / f"{number:02}.jpg").write_bytes(b"%d" % number)
    return folder


def test_a_mass_removal_is_held_until_its_hold_is_named(
    tmp_path: Path,
    catalog: Storage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    many(folder, 30)
    arguments = ["sync", str(folder), f"s3://{BUCKET}", "--delete"]
    assert main(arguments) == 0
    for path in sorted(folder.iterdir())[:20]:
        path.unlink()
    capsys.readouterr()
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert "0 removed" in told.out
    assert "20 photos more" in told.err
    assert len(content(catalog)) == 30
    words = re.findall(r"`lens (.*)`", told.err)[0].split()
    (folder / "11.jpg").write_bytes(b"back")
    assert main(words) == 2, "what would be removed is another"
    (folder / "11.jpg").unlink()
    assert main(words) == 0
    assert len(content(catalog)) == 10


def test_removals_of_a_day_count_together(tmp_path: Path, catalog: Storage) -> None:
    folder, kept = tmp_path / "photos", FileStorage(tmp_path / "kept")
    folder.mkdir()
    many(folder, 40)
    synchronize(str(folder), catalog, kept=kept)

    def sync(*names: str, at: float) -> Synced:
        for name in names:
            (folder / name).unlink()
        return synchronize(str(folder), catalog, delete=True, kept=kept, now=at)

    assert sync(*[f"{n:02}.jpg" for n in range(15)], at=1e9).removed == 15
    assert sync(*[f"{n:02}.jpg" for n in range(15, 21)], at=1e9 + 60).held == 6
    assert sync(at=1e9 + 86_500).removed == 6


def test_photos_in_a_folder_with_another_name_are_not_held(
    tmp_path: Path, catalog: Storage
) -> None:
    folder = tmp_path / "photos"
    (folder / "before").mkdir(parents=True)
    many(folder / "before", 5)
    synchronize(str(folder), catalog)
    (folder / "before").rename(folder / "after")
    synced = synchronize(str(folder), catalog, delete=True)
    assert (synced.uploaded, synced.removed, synced.held) == (5, 5, 0)
