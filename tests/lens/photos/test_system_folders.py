"""System folders: what computers and drives keep among photos is not catalog, wherever it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.photos.catalog import Catalog
from lens.photos.ignored import NOTHING
from lens.photos.system_folders import system_part
from lens.storage import FileStorage


@pytest.mark.parametrize(
    "key",
    [
        "A/@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
        "#recycle/id_9/a.jpg",
        "@Recycle/a.jpg",
        "$RECYCLE.BIN/S-1/$R1.jpg",
        "$Recycle.Bin/a.jpg",
        "System Volume Information/a.jpg",
        "lost+found/a.jpg",
        ".Trash-1000/files/a.jpg",
        ".trashed-17-a.jpg",
        "__MACOSX/a.jpg",
        "a/._a.jpg",
        "a/.thumbnails/a.jpg",
        ".snapshot/a.jpg",
        "#snapshot/a.jpg",
        "~$a.jpg",
    ],
)
def test_what_is_a_system_s_is_left_out(key: str) -> None:
    part = system_part(key)
    assert part and part[0] in key.split("/") and part[1]
    assert NOTHING.has(key)


@pytest.mark.parametrize(
    "key", ["recycle/a.jpg", "~tilde.jpg", "#1/a.jpg", "$5/a.jpg", "@home/a.jpg", "thumbs/a..jpg"]
)
def test_a_shop_s_own_names_are_not(key: str) -> None:
    assert system_part(key) is None


def test_left_out_photos_are_counted_by_why(tmp_path: Path) -> None:
    for key in ("a.jpg", "@eaDir/b.jpg", "@eaDir/c.jpg", "#recycle/d.jpg", "x/e.jpg", "@eaDir/f"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(b"x")
    (tmp_path / ".lensignore").write_text("x/\n")
    catalog = Catalog(FileStorage(tmp_path))
    assert [info.key for info in catalog.photos()] == ["a.jpg"]
    assert catalog.left_out() == {
        "#recycle (a drive's recycle bin)": 1,
        ".lensignore": 1,
        "@eaDir (a Synology drive's thumbnails)": 2,
    }
