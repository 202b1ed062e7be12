"""The face: of a product's photos the one that its shop shows first."""

from __future__ import annotations

import pytest

from lens.feed.pictures import picture_folder, picture_id, picture_key
from lens.feed.product import Product
from lens.gallery.rows import Row
from lens.search.face import face_of
from tests.support.sold import gallery_with, photo_row


def _face(row: Row, product: Product, *others: str) -> str | None:
    rows = [row, *(photo_row(key, row.item_id) for key in others)]
    face = face_of(gallery_with([product], rows), row, product)
    return face.key if face else None


@pytest.mark.parametrize(
    "image", ["A/front.jpg", "a/Front.jpg", "https://shop.example/media/front.jpg?v=2"]
)
def test_a_back_that_was_found_has_the_front_for_its_face(image: str) -> None:
    product = Product("A", images=(image, "A/back.jpg"))
    assert _face(photo_row("A/back.jpg", "A"), product, "A/front.jpg") == "A/front.jpg"


def test_the_face_itself_has_none() -> None:
    product = Product("A", images=("A/front.jpg", "A/back.jpg"))
    assert _face(photo_row("A/front.jpg", "A"), product, "A/back.jpg") is None


def test_without_a_picture_in_the_product_file_or_in_the_catalog_there_is_none() -> None:
    row = photo_row("A/back.jpg", "A")
    assert _face(row, Product("A"), "A/front.jpg") is None
    assert _face(row, Product("A", images=("A/gone.jpg",)), "A/front.jpg") is None


def test_of_colors_with_the_same_file_names_it_is_the_one_in_the_same_folder() -> None:
    product = Product("A-red", images=("https://shop.example/cdn/front.jpg",))
    others = ("A/blue/front.jpg", "A/red/front.jpg")
    assert _face(photo_row("A/red/back.jpg", "A"), product, *others) == "A/red/front.jpg"
    assert _face(photo_row("A/green/back.jpg", "A"), product, *others) is None


def test_a_fetched_picture_is_told_by_its_address() -> None:
    front, back = ("https://shop.example/1.jpg", "https://shop.example/2.jpg")
    product = Product("A", images=(front, back))
    keys = [
        picture_key(picture_folder(product), picture_id(address), ".jpg")
        for address in (front, back)
    ]
    assert _face(photo_row(keys[1], "A"), product, keys[0]) == keys[0]
