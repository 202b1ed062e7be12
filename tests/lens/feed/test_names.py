"""Names: which of a key's words mean a product, and which comes first."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from lens.feed.names import item_of, names_in_key, names_of_product
from lens.feed.pictures import picture_id
from lens.feed.product import Product


def test_a_product_is_called_by_its_id_its_group_and_its_pictures() -> None:
    product = Product(
        "SKU-1-M",
        item_group_id="SKU-1",
        images=("https://cdn.example/p/Red%20Dress.jpg?v=3", "img/a/1.JPG"),
    )
    assert names_of_product(product) == (
        "id:sku-1-m",
        "group:sku-1",
        "photo:p/red dress.jpg",
        "file:red dress.jpg",
        "photo:img/a/1.jpg",
        "file:1.jpg",
        f"picture:{picture_id('https://cdn.example/p/Red%20Dress.jpg?v=3')}",
    )
    assert item_of(product) == "SKU-1"
    assert item_of(Product("x")) == "x"


def test_what_is_no_address_is_no_name_of_a_photo() -> None:
    assert names_of_product(Product("x", images=("https://[",)))[0] == "id:x"


@pytest.mark.parametrize(
    ("key", "id_name"),
    [
        ("SKU123_1.jpg", "id:sku123"),
        ("SKU123-1.jpg", "id:sku123"),
        ("SKU123 (2).jpg", "id:sku123"),
        ("SKU123_black_front.jpg", "id:sku123"),
        ("SKU123.jpg", "id:sku123"),
        ("WH-01-XS-Blue_2.jpg", "id:wh-01-xs-blue"),
        ("SKU123/1.jpg", "id:sku123"),
        ("SKU123/black/1.jpg", "id:sku123"),
        ("Women/Dresses/SKU123/1.jpg", "id:sku123"),
        ("Women/SKU123_1.jpg", "id:sku123"),
    ],
)
def test_every_usual_layout_names_its_product(key: str, id_name: str) -> None:
    assert id_name in names_in_key(key)


def test_the_nearest_folder_comes_before_the_file_and_an_id_before_a_group() -> None:
    names = list(names_in_key("Women/A/1.jpg"))
    assert names == [
        "photo:women/a/1.jpg",
        "file:1.jpg",
        "id:a",
        "id:women",
        "id:1",
        "group:a",
        "group:women",
        "group:1",
    ]


@pytest.mark.parametrize("key", ["_.jpg", "-_-.jpg", " (1).jpg", "...jpg", "a/.jpg"])
def test_a_name_of_marks_alone_ends(key: str) -> None:
    assert len(list(names_in_key(key))) < 20


def test_a_picture_s_path_names_a_photo_in_either_form_of_unicode() -> None:
    for written in ("NFC", "NFD"):
        product = Product("1", images=(normalize(written, "été/1.jpg"),))
        for lies in ("NFC", "NFD"):
            assert set(names_of_product(product)) & set(names_in_key(normalize(lies, "été/1.jpg")))
