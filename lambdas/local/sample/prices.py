"""Prices: the sample shop's product file, a small feed as a real shop would have it.

What is written is told from the products alone: the same shop has the same file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from lambdas.local.sample.accessories import ACCESSORIES
from lambdas.local.sample.assortment import VIEWS, Product
from lambdas.local.sample.shoes import SHOES

FEED = "products.csv"
_SHOP = "https://shop.example/"
_FIELDS = (
    "id", "item_group_id", "title", "description", "link", "image_link", "additional_image_link",
    "price", "sale_price", "availability", "brand", "color", "size", "gender", "product_type",
)  # fmt: skip
_NOUNS = {
    "tee": "T-shirt", "shirt": "Shirt", "knit": "Sweater", "dress": "Dress", "skirt": "Skirt",
    "trousers": "Trousers", "coat": "Jacket", "sneakers": "Sneakers", "tote": "Tote",
    "handbag": "Handbag", "cap": "Cap", "beanie": "Beanie",
}  # fmt: skip
_OF_CATEGORY = {
    "Blouses_Shirts": "Blouse", "Cardigans": "Cardigan", "Denim": "Jeans", "Shorts": "Shorts",
    "Sweatshirts_Hoodies": "Sweatshirt",
}  # fmt: skip
_FROM = {
    "T-shirt": 19, "Shirt": 45, "Blouse": 49, "Sweater": 69, "Cardigan": 79, "Sweatshirt": 55,
    "Dress": 89, "Skirt": 59, "Trousers": 65, "Jeans": 79, "Shorts": 39, "Jacket": 129,
    "Sneakers": 95, "Tote": 29, "Handbag": 119, "Cap": 25, "Beanie": 22,
}  # fmt: skip
_NAMES = (
    "Alba", "Birk", "Cove", "Dune", "Elm", "Fjord", "Grove", "Harbor", "Iris", "Juno", "Kelp",
    "Lark", "Moss", "Nara", "Orla", "Pine", "Quill",
)  # fmt: skip
_BRANDS = ("Lens & Loom", "Northfold", "Plain Days")


def feed_text(assortment: Iterable[Product]) -> str:
    """The file: a product for each color and size, in Google Merchant's fields."""
    out = io.StringIO()
    table = csv.DictWriter(out, _FIELDS, lineterminator="\n")
    table.writeheader()
    for number, product in enumerate(assortment, start=1):
        table.writerows(_variants(number, product))
    return out.getvalue()


def _variants(number: int, product: Product) -> Iterator[dict[str, str]]:
    item = f"id_{number:08}"
    gender, _, category = product.category.partition("/")
    noun = _OF_CATEGORY.get(category, _NOUNS[product.cut.kind])
    name = _NAMES[number % len(_NAMES)]
    price = _FROM[noun] + number % 4 * 5
    for series, colorway in enumerate(product.colorways, start=1):
        color = colorway.split()[0].capitalize()
        folder = f"img/{product.category}/{item}"
        pictures = [f"{folder}/{series:02}_{view}.jpg" for view in VIEWS]
        for size in _sizes(product):
            sold = {
                "id": f"{item}-{series:02}" + (f"-{size}" if size else ""),
                "item_group_id": item,
                "title": f"{name} {noun}",
                "description": f"{noun} in {color.lower()}, drawn for Image Lens.",
                "link": f"{_SHOP}{item}?color={color.lower()}" + (f"&size={size}" if size else ""),
                "image_link": pictures[0],
                "additional_image_link": ",".join(pictures[1:]),
                "price": f"{price}.00 EUR",
                "availability": "out_of_stock" if number % 11 == 7 else "in_stock",
                "brand": _BRANDS[number % len(_BRANDS)],
                "color": color,
                "size": size,
                "gender": "female" if gender == "WOMEN" else "male",
                "product_type": product.category.replace("/", " > "),
            }
            if number % 7 == 3:
                sold["sale_price"] = f"{price * 4 // 5}.00 EUR"
            yield sold


def _sizes(product: Product) -> tuple[str, ...]:
    if product.cut.kind in SHOES:
        return ("38", "40", "42")
    return ("",) if product.cut.kind in ACCESSORIES else ("S", "M", "L")
