"""Shards: photos come out as they went in, from few files, or not at all."""

from __future__ import annotations

import hashlib
import json
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from lens.errors import ArtifactError, LensError, UnreadableError, UsageError
from lens.photos.catalog import PARTITION_KEY, Catalog
from lens.photos.shards import INDEX, listing_name, unpack, write_shards
from lens.storage import FileStorage, ObjectInfo
from tests.support.tiny_model import png

PARTITION = b"1\nimage_name item_id evaluation_status\nimg/a.png id_1 train\n"


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    storage = FileStorage(tmp_path / "photos")
    for n in range(9):
        storage.write(f"img/{'größe' if n % 2 else 'a'}/{n}.png", png(n))
    storage.write("notes.txt", b"no photo")
    storage.write(PARTITION_KEY, PARTITION)
    return Catalog(storage)


@pytest.fixture
def packed(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "packed")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_photos_and_partition_come_out_as_they_went_in(
    catalog: Catalog, packed: FileStorage, tmp_path: Path
) -> None:
    index = write_shards(catalog, packed, size=3_000)
    assert index.photos == 9 and 1 < len(index.shards) < 9
    root = unpack(packed.root, tmp_path / "scratch")
    before = contents(tmp_path / "photos")
    before = {key: data for key, data in before.items() if key not in ("notes.txt", ".lock")}
    assert contents(root) == before
    assert unpack(packed.root, tmp_path / "scratch") == root  # once


def test_any_reader_of_tar_files_finds_the_keys_in_order(
    catalog: Catalog, packed: FileStorage
) -> None:
    write_shards(catalog, packed)
    with tarfile.open(packed.root / "photos-00000.tar") as archive:
        names = archive.getnames()
    assert names[0] == PARTITION_KEY
    assert names[1:] == [info.key for info in catalog.photos()]


def test_the_same_photos_give_the_same_bytes_and_name(
    catalog: Catalog, packed: FileStorage, tmp_path: Path
) -> None:
    write_shards(catalog, packed)
    write_shards(catalog, FileStorage(tmp_path / "again"))
    assert contents(packed.root) == contents(tmp_path / "again")
    name = listing_name(catalog)
    assert name == listing_name(catalog)
    catalog.storage.write("img/new.png", png(20))
    assert name != listing_name(catalog)


def test_a_photo_that_cannot_be_read_costs_itself(
    catalog: Catalog, packed: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = catalog.read

    def archived(key: str) -> tuple[bytes, ObjectInfo]:
        if key.endswith("8.png"):
            raise UnreadableError(f"{key} is archived")
        return read(key)

    monkeypatch.setattr(catalog, "read", archived)
    index = write_shards(catalog, packed)
    assert index.photos == 8
    assert index.left_out == {"img/a/8.png": "img/a/8.png is archived"}


def test_a_folder_without_photos_is_refused(packed: FileStorage, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="name another folder"):
        write_shards(Catalog(FileStorage(tmp_path / "empty")), packed)
    assert packed.head(INDEX) is None


def test_a_folder_of_photos_is_taken_as_it_is(catalog: Catalog, tmp_path: Path) -> None:
    assert unpack(tmp_path / "photos", tmp_path / "scratch") == tmp_path / "photos"


@pytest.mark.parametrize("damage", ["missing", "cut off", "changed", "index"])
def test_what_is_not_as_it_was_written_is_not_unpacked(
    catalog: Catalog, packed: FileStorage, tmp_path: Path, damage: str
) -> None:
    index = write_shards(catalog, packed, size=3_000)
    last = packed.root / index.shards[-1].name
    data = last.read_bytes()
    if damage == "missing":
        last.unlink()
    elif damage == "cut off":
        last.write_bytes(data[:-700])
    elif damage == "changed":
        last.write_bytes(data[:600] + b"x" + data[601:])
    else:
        (packed.root / INDEX).write_bytes(b"{")
    with pytest.raises(ArtifactError, match="pack the photos again"):
        unpack(packed.root, tmp_path / "scratch")
    assert not list((tmp_path / "scratch").glob("*"))


@pytest.mark.parametrize("name", ["../out.png", "/lens-out.png", "link"])
def test_a_member_that_leads_elsewhere_is_refused(
    packed: FileStorage, tmp_path: Path, name: str
) -> None:
    raw = BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type = tarfile.SYMTYPE if name == "link" else tarfile.REGTYPE
        info.linkname = "/etc"
        archive.addfile(info, BytesIO())
    data = raw.getvalue()
    packed.write("photos-00000.tar", data)
    shard = {
        "name": "photos-00000.tar",
        "photos": 1,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    packed.write(INDEX, json.dumps({"shards": [shard]}).encode())
    with pytest.raises(LensError):
        unpack(packed.root, tmp_path / "scratch")
    assert not (tmp_path / "out.png").exists() and not Path("/lens-out.png").exists()
