"""The thumbnail reader and thumbnail_store: made on demand, bounded, none of a deleted photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.errors import NotFoundError
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment
from lens.gallery.versions import Version
from lens.photos.catalog import Catalog
from lens.photos.decoding import photo_id
from lens.photos.thumbnail_store import is_whole, thumb_key, write_thumbnail
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits
from lens.storage import FileStorage
from tests.support.photos import encode, picture

RED, BLUE = (encode(picture(600, 400, seed), "PNG") for seed in (1, 2))


def jpeg(inner: bytes) -> bytes:
    """What begins and ends as a JPEG does."""
    return b"\xff\xd8" + inner + b"\xff\xd9"


STORED = jpeg(b"stored")


def showing(photos: dict[str, bytes]) -> Gallery:
    """A gallery of these photos."""
    rows = [
        Row(key, Version("1"), Kind.PHOTO, 0.0, photo_id=photo_id(data))
        for key, data in sorted(photos.items())
    ]
    segment = Segment(Rows.of(rows), np.eye(len(rows), 8, dtype=np.float32))
    return Gallery(empty_commit("m"), None, tail={"s": segment})


@pytest.fixture
def artifacts(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "artifacts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    return tmp_path / "catalog"


def thumbnails(artifacts: FileStorage, folder: Path, cached_bytes: int = 10**6) -> Thumbnails:
    return Thumbnails(artifacts, Catalog(FileStorage(folder)), Limits(), cached_bytes)


def test_a_thumbnail_that_is_stored_is_read_once(artifacts: FileStorage, folder: Path) -> None:
    write_thumbnail(artifacts, photo_id(RED), STORED)
    thumbs = thumbnails(artifacts, folder)
    gallery = showing({"red.png": RED})
    assert thumbs.read(gallery, photo_id(RED)) == STORED
    artifacts.delete(thumb_key(photo_id(RED)))
    assert thumbs.read(gallery, photo_id(RED)) == STORED
    assert thumbs.cache_figures()["hits"] == 1


def test_a_thumbnail_that_is_missing_is_made_and_stored(
    artifacts: FileStorage, folder: Path
) -> None:
    (folder / "red.png").write_bytes(RED)
    made = thumbnails(artifacts, folder).read(showing({"red.png": RED}), photo_id(RED))
    assert made.startswith(b"\xff\xd8\xff")
    assert artifacts.read(thumb_key(photo_id(RED)))[0] == made


@pytest.mark.parametrize("left", [b"", STORED[:5], jpeg(bytes(4096)), bytes(len(STORED))], ids=len)
def test_a_thumbnail_that_a_power_cut_tore_is_made_again(
    artifacts: FileStorage, folder: Path, left: bytes
) -> None:
    (folder / "red.png").write_bytes(RED)
    write_thumbnail(artifacts, photo_id(RED), left)
    made = thumbnails(artifacts, folder).read(showing({"red.png": RED}), photo_id(RED))
    assert made == artifacts.read(thumb_key(photo_id(RED)))[0] != left
    assert is_whole(made)


def test_a_replaced_photo_is_never_stored_under_the_old_one_s_address(
    artifacts: FileStorage, folder: Path
) -> None:
    (folder / "red.png").write_bytes(BLUE)
    with pytest.raises(NotFoundError):
        thumbnails(artifacts, folder).read(showing({"red.png": RED}), photo_id(RED))
    assert artifacts.head(thumb_key(photo_id(RED))) is None


def test_a_photo_that_the_gallery_does_not_show_has_no_thumbnail(
    artifacts: FileStorage, folder: Path
) -> None:
    write_thumbnail(artifacts, photo_id(RED), STORED)
    thumbs = thumbnails(artifacts, folder)
    thumbs.read(showing({"red.png": RED}), photo_id(RED))
    for gallery in (None, showing({"blue.png": BLUE})):
        with pytest.raises(NotFoundError):
            thumbs.read(gallery, photo_id(RED))


def test_memory_is_bounded_in_bytes(artifacts: FileStorage, folder: Path) -> None:
    photos = {f"{n}.png": bytes([n]) for n in range(10)}
    for data in photos.values():
        write_thumbnail(artifacts, photo_id(data), jpeg(bytes(96)))
    thumbs = thumbnails(artifacts, folder, cached_bytes=350)
    gallery = showing(photos)
    for data in photos.values():
        thumbs.read(gallery, photo_id(data))
    figures = thumbs.cache_figures()
    assert (figures["entries"], figures["size"], figures["misses"]) == (3, 300, 10)
