"""Feed status: the owner reads in `lens status` what became of the product file."""

from __future__ import annotations

from lambdas.local.cli.feed_status import feed_lines, feed_status
from lens.feed.product import Product
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery
from tests.support.sold import gallery_with, photo_row


def test_without_a_product_file_nothing_is_said() -> None:
    assert feed_status(Gallery(empty_commit("m"), None)) is None


def test_products_without_photos_and_photos_without_products_are_counted_and_listed() -> None:
    rows = [photo_row("A/1.jpg"), *(photo_row(f"x{n}/1.jpg") for n in range(9))]
    feed = feed_status(gallery_with([Product("A"), Product("B")], rows))
    assert feed is not None
    assert feed["products_without_photos"] == ["B"]
    assert len(feed["photos_without_product"]) == 9
    text = "\n".join(feed_lines(feed))
    assert "1 products have no photo: B" in text
    assert "9 photos have no product: x0/1.jpg" in text
    assert text.endswith(", ...")


def test_a_file_that_cannot_be_used_is_named() -> None:
    gallery = gallery_with([Product("A")])
    feed = feed_status(gallery)
    assert feed is not None
    lines = feed_lines({**feed, "trouble": "products.csv has no columns", "problems": 3})
    assert any("cannot be used now (products.csv has no columns)" in line for line in lines)
    assert any("3 problems" in line for line in lines)
