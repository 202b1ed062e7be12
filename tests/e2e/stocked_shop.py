"""A stocked shop: products enough for several pages, with names that a filter must quote."""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image

from tests.support.drawn_shop import draw_shop

PRODUCTS = 66
BRANDS = ("Åsa & Co", "Lens, Loom; Sons|Co", 'O\'Neil "76"', "東京")
_DRAWN = ("Sweaters", "Dresses", "Denim")
_NOUNS = {"Sweaters": "Sweater", "Dresses": "Dress", "Denim": "Jeans"}
_COLORS = ("Red", "Navy", "Light Blue")
_SIZES = ("L", "S", "M")
_FIELDS = (
    "id", "item_group_id", "title", "link", "image_link", "additional_image_link", "price",
    "sale_price", "availability", "brand", "color", "size",
)  # fmt: skip


def stock(folder: Path, drawn: Path) -> int:
    """Write the photos, a front and a back of each product, and the product file; how many photos
    there are. `drawn` is where what they are made from is drawn."""
    draw_shop(drawn, _DRAWN)
    for number in range(PRODUCTS):
        for view, back in (("1_front", False), ("3_back", True)):
            write_photo(folder, drawn, number, view, back)
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _FIELDS)
        table.writeheader()
        table.writerows(row for number in range(PRODUCTS) for row in _variants(number))
    return 2 * PRODUCTS


def write_photo(folder: Path, drawn: Path, number: int, view: str, back: bool) -> None:
    """A drawn garment in a hue of the product's own; its back is what is seen in a mirror."""
    category = _DRAWN[number % len(_DRAWN)]
    source = next(drawn.glob(f"img/*/{category}/*/01_{view}.jpg"))
    hue, saturation, value = Image.open(source).convert("HSV").resize((240, 300)).split()
    turned = hue.point(lambda each: (each + 11 * number) % 256)
    picture = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
    if back:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    target = folder / category / f"P{number:03}" / f"{view}.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target, "JPEG", quality=85)


def _variants(number: int) -> list[dict[str, str]]:
    item = f"P{number:03}"
    category = _DRAWN[number % len(_DRAWN)]
    price = 10 + 3 * number
    return [
        {
            "id": f"{item}-{color}-{size}".replace(" ", ""),
            "item_group_id": item,
            "title": f"{_NOUNS[category]} {number}",
            "link": f"https://shop.example/{item}?color={color.replace(' ', '+')}&size={size}",
            "image_link": f"{category}/{item}/1_front.jpg",
            "additional_image_link": f"{category}/{item}/3_back.jpg",
            "price": f"{price + (2 if size == 'L' else 0)}.50 EUR",
            "sale_price": f"{price - 5}.00 EUR" if number % 5 == 0 else "",
            "availability": "out_of_stock" if size == "M" or number % 6 == 5 else "in_stock",
            "brand": BRANDS[number % len(BRANDS)],
            "color": color,
            "size": size,
        }
        for color in _COLORS[: 1 + number % 3]
        for size in _SIZES
    ]
