"""Sources: where the product file is, by path, bucket or address."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import UsageError
from lens.pipeline.sources import open_catalog
from lens.settings import Settings


def test_without_a_setting_the_product_file_is_in_the_photos(tmp_path: Path) -> None:
    catalog = open_catalog(Settings(catalog=str(tmp_path)))
    assert catalog.feed() is None
    (tmp_path / "products.tsv").write_text("id\ttitle\n")
    info = catalog.feed()
    assert info is not None
    assert info.key == "products.tsv"
    assert not catalog.feed_is_elsewhere


def test_a_path_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "export.csv").write_text("id,title\n")
    monkeypatch.chdir(tmp_path)
    for feed in (str(tmp_path / "export.csv"), "export.csv", "./export.csv"):
        catalog = open_catalog(Settings(catalog=str(tmp_path), feed=feed))
        info = catalog.feed()
        assert info is not None
        assert catalog.read_feed(info.key)[0] == b"id,title\n"


def test_an_address_names_it(tmp_path: Path) -> None:
    address = "https://shop.example/export?format=csv"
    assert open_catalog(Settings(catalog=str(tmp_path), feed=address)).feed_is_elsewhere


@pytest.mark.parametrize("feed", ["export.xlsx", "folder/", "http://shop.example/a.csv", "a.csv?x"])
def test_what_is_no_file_of_a_kind_that_is_read_is_refused(tmp_path: Path, feed: str) -> None:
    with pytest.raises(UsageError):
        open_catalog(Settings(catalog=str(tmp_path), feed=feed))


def test_a_catalog_has_moved_where_the_setting_names_its_location(tmp_path: Path) -> None:
    def moved(named: str) -> bool:
        return open_catalog(Settings(catalog=str(tmp_path), move_catalog=named)).moved

    assert [moved(""), moved(str(tmp_path / "other"))] == [False, False]
    assert [moved(f"{tmp_path}/"), moved(tmp_path.as_uri())] == [True, True]
