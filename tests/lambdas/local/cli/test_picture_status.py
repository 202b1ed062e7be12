"""Picture status: the owner reads which pictures cannot be fetched, and why."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lambdas.local.cli import main
from lambdas.local.cli.picture_status import picture_lines, picture_status
from lens.feed.pictures import picture_id
from lens.feed.product import Product
from lens.fetching.polite import Rest
from lens.photos.catalog import Catalog
from lens.pipeline.picture_state import Failure, PicturesState, write_state
from lens.storage import open_storage
from tests.support.sold import gallery_with
from tests.support.tiny_model import png

GOOD, BAD = "https://shop.example/good.jpg", "https://shop.example/bad.jpg"


def test_what_is_there_lacks_failed_and_may_not_be_fetched_is_said(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    pictures = open_storage(tmp_path / "pictures")
    artifacts = open_storage(tmp_path / "made")
    catalog = Catalog(open_storage(tmp_path / "photos"), pictures=pictures)
    products = [
        Product("A", images=(GOOD,)),
        Product("B", images=(BAD,)),
        Product("C", images=("https://shop.example/later.jpg",)),
        *(Product(f"H{n}", images=(f"http://shop.example/{n}.jpg",)) for n in range(7)),
    ]
    pictures.write(f"A/feed-{picture_id(GOOD)}.png", png(1))
    pictures.write(f"Z/feed-{'0' * 16}.png", png(2))
    failure = Failure(product="B", address=BAD, why="the address answers 404", at=1.0)
    rest = Rest(2e9, "the address answers 503")
    write_state(
        artifacts,
        PicturesState(failures={picture_id(BAD): failure}, hosts={"shop.example": rest}),
    )
    found = picture_status(catalog, artifacts, gallery_with(products))
    assert found is not None
    assert [found[name] for name in ("named", "there", "lacking", "leaving")] == [3, 1, 1, 1]
    assert len(found["unusable"]) == 7
    text = "\n".join(picture_lines(found))
    assert "1 of 3 are fetched, 1 to be fetched" in text
    assert "shop.example is left alone for a while: the address answers 503" in text
    assert f"B: {BAD} cannot be fetched (the address answers 404)" in text
    assert "H0: http://shop.example/0.jpg may not be fetched (only addresses" in text
    assert "and 2 more that may not be fetched" in text
    assert "own photos are gone" not in text
    for since, is_told in ((time.time() - 60, True), (time.time() - 90_000, False)):
        write_state(artifacts, PicturesState(absent_since=since))
        told = picture_status(catalog, artifacts, gallery_with(products))
        assert told is not None
        assert told["own_photos_absent"] is is_told
        assert ("own photos are gone at once: is the drive" in str(picture_lines(told))) is is_told


def test_nothing_is_said_where_nothing_is_fetched(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    assert picture_status(Catalog(storage), storage, gallery_with([Product("A")])) is None


def test_feed_check_counts_addresses_and_names_those_that_may_not_be_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "products.csv"
    addresses = [
        GOOD,
        "http://shop.example/a.jpg",
        "https://10.0.0.1/a.jpg",
        "https://[::1]/a.jpg",
        "https:///a.jpg",
        "img/a.jpg",
        GOOD,
    ]
    rows = [f"P{n},Dress,{address}" for n, address in enumerate(addresses)]
    file.write_text("\n".join(["id,title,image_link", *rows]) + "\n")
    assert main(["feed", "check", str(file)]) == 0
    out = capsys.readouterr().out
    assert "pictures: 1 address; LENS_FEED_PICTURES=1 fetches those of products without" in out
    named = [line.partition(":")[0] for line in out.splitlines() if "may not be fetched" in line]
    assert named == ["P1", "P2", "P3", "P4"]
