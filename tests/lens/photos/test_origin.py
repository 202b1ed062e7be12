"""Origin: artifacts belong to one catalog, until its owner says where the photos are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import DamagedError, UsageError
from lens.photos.catalog import Catalog
from lens.photos.origin import KEY, check_document, check_origin, claim_origin, read_origin
from lens.storage import FileStorage


def catalog(folder: Path, *, moved: bool = False) -> Catalog:
    folder.mkdir(exist_ok=True)
    return Catalog(FileStorage(folder), moved=moved)


def test_artifacts_without_an_origin_take_the_first(tmp_path: Path) -> None:
    artifacts, first = FileStorage(tmp_path / "artifacts"), catalog(tmp_path / "first")
    check_origin(artifacts, first)
    claim_origin(artifacts, first)
    assert read_origin(artifacts) == first.storage.location
    claim_origin(artifacts, first)


def test_another_catalog_is_refused_until_it_is_named(tmp_path: Path) -> None:
    artifacts = FileStorage(tmp_path / "artifacts")
    claim_origin(artifacts, catalog(tmp_path / "first"))
    for refuse in (check_origin, claim_origin):
        with pytest.raises(UsageError, match=r"belong to file:.*first.*LENS_MOVE_CATALOG=file:"):
            refuse(artifacts, catalog(tmp_path / "second"))
    moved = catalog(tmp_path / "second", moved=True)
    check_origin(artifacts, moved)
    claim_origin(artifacts, moved)
    assert read_origin(artifacts) == moved.storage.location
    with pytest.raises(UsageError, match="belong to"):
        check_origin(artifacts, catalog(tmp_path / "first"))


def test_a_link_to_the_same_folder_is_the_same_catalog(tmp_path: Path) -> None:
    artifacts = FileStorage(tmp_path / "artifacts")
    claim_origin(artifacts, catalog(tmp_path / "first"))
    (tmp_path / "link").symlink_to(tmp_path / "first")
    check_origin(artifacts, catalog(tmp_path / "link"))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"location": 1}', b'{"location": "ftp://x"}', b'{"x": ""}']
)
def test_a_damaged_document_says_nothing_and_is_made_anew(tmp_path: Path, data: bytes) -> None:
    artifacts, first = FileStorage(tmp_path / "artifacts"), catalog(tmp_path / "first")
    artifacts.write(KEY, data)
    with pytest.raises(DamagedError, match=KEY):
        check_document(artifacts)
    check_origin(artifacts, first)
    claim_origin(artifacts, first)
    assert read_origin(artifacts) == first.storage.location
    check_document(artifacts)
