"""Products: a photo that was found is shown as the shop sells it."""

from __future__ import annotations

from lens.feed.product import Availability, Product
from lens.gallery.commits import empty_commit
from lens.gallery.gallery import Gallery
from lens.search.products import matched, sold_as
from tests.support.sold import gallery_with, photo_row


def _variant(color: str, size: str, availability: Availability = "in_stock") -> Product:
    return Product(
        f"A-{color}-{size}",
        color=color,
        size=size,
        availability=availability,
        images=(f"a/{color}.jpg",),
        item_group_id="A",
    )


def test_without_a_product_file_a_photo_is_sold_as_nothing() -> None:
    assert sold_as(Gallery(empty_commit("m"), None), photo_row("A/1.jpg")) is None


def test_a_photo_is_sold_as_the_product_that_its_key_names() -> None:
    gallery = gallery_with([Product("A", title="Shirt"), Product("B", title="Hat")])
    for key in ("A/1.jpg", "A_1.jpg", "Men/a/black/1.jpg"):
        sold = sold_as(gallery, photo_row(key))
        assert sold is not None
        assert sold.product.title == "Shirt"
        assert sold.variants == ()
    assert sold_as(gallery, photo_row("C/1.jpg")) is None


def test_a_picture_of_a_color_is_sold_in_that_color_in_a_size_that_is_there() -> None:
    products = [
        _variant("red", "S"),
        _variant("blue", "S", "out_of_stock"),
        _variant("blue", "M"),
        _variant("blue", "L"),
    ]
    sold = sold_as(gallery_with(products), photo_row("a/blue.jpg"))
    assert sold is not None
    assert sold.product.id == "A-blue-M"
    assert [each.id for each in sold.variants] == ["A-red-S", "A-blue-S", "A-blue-M", "A-blue-L"]


def test_what_is_sold_out_is_said_so() -> None:
    sold = sold_as(gallery_with([_variant("red", "S", "out_of_stock")]), photo_row("a/red.jpg"))
    assert sold is not None
    assert sold.product.availability == "out_of_stock"


def test_a_folder_named_like_the_group_is_any_of_its_variants() -> None:
    sold = sold_as(
        gallery_with([_variant("red", "S"), _variant("blue", "S")]), photo_row("x/A/9.jpg")
    )
    assert sold is not None
    assert sold.product.id == "A-red-S"


def test_products_and_photos_that_have_no_other_are_told() -> None:
    rows = [photo_row("A/1.jpg"), photo_row("C/1.jpg"), photo_row("B.jpg")]
    gallery = gallery_with([Product("A"), Product("B"), Product("D")], rows)
    items, without = matched(gallery)
    assert items == {"A", "B"}
    assert without == ["C/1.jpg"]
