"""Dialects: each shop system's own export becomes the same products.

Covers: google, shopify, woocommerce, woocommerce_columns, magento, draft, product.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from lens.feed.feed import Feed, read_feed
from lens.feed.product import Money, Product

EXPORTS = Path(__file__).parent / "exports"  # as the systems write them, small, with oddities


def feed(name: str) -> Feed:
    return read_feed(name, (EXPORTS / name).read_bytes())


def by_id(found: Feed) -> dict[str, Product]:
    assert found.problems == ()
    return {product.id: product for product in found.products}


def test_google_s_fields_are_read_with_either_spelling() -> None:
    found = feed("google.tsv")
    assert found.dialect == "Google Merchant"
    first = by_id(found)["SW-1-M"]
    assert first == Product(
        id="SW-1-M",
        title="Knit sweater",
        description="Soft & warm.",
        link="https://shop.example/p/sw-1?v=m",
        images=(
            "https://cdn.example/sw-1.jpg",
            "https://cdn.example/sw-1b.jpg",
            "https://cdn.example/sw-1c.jpg",
        ),
        price=Money(Decimal("59.90"), "EUR"),
        sale_price=Money(Decimal("39.90"), "EUR"),
        availability="in_stock",
        brand="Nord",
        color="green",
        size="M",
        gender="female",
        category="Home/Women/Sweaters",
        item_group_id="SW-1",
    )
    assert by_id(found)["SW-1-L"].availability == "out_of_stock"
    assert by_id(found)["HAT-7"].price == Money(Decimal("1299.00"), "EUR")
    header, rows = (EXPORTS / "google.tsv").read_text().split("\n", 1)
    underscored = "\t".join(name.replace(" ", "_") for name in header.split("\t"))
    assert read_feed("x.tsv", f"{underscored}\n{rows}".encode()).products == found.products


def test_google_s_fields_are_read_from_json_lines() -> None:
    found = by_id(feed("google.jsonl"))
    assert found["SW-1-M"].price == Money(Decimal("59.90"), "EUR")
    assert len(found["SW-1-M"].images) == 2
    assert found["77"].title == "Scarf"


def test_google_s_fields_are_read_as_its_api_names_them() -> None:
    line = (
        '{"id": "A", "imageLink": "https://cdn.example/w_1,h_2/a.jpg", "additionalImageLinks": '
        '["https://cdn.example/w_1,h_2/b.jpg", "//cdn.example/c.jpg"], "itemGroupId": "G", '
        '"price": {"value": "12.50", "currency": "EUR"}, '
        '"salePrice": {"value": 9.995, "currency": "EUR"}}'
    )
    [product] = read_feed("p.jsonl", line.encode()).products
    assert (product.item_group_id, str(product.price)) == ("G", "12.50 EUR")
    assert str(product.sale_price) == "9.995 EUR"
    assert product.images == (
        "https://cdn.example/w_1,h_2/a.jpg",
        "https://cdn.example/w_1,h_2/b.jpg",
        "//cdn.example/c.jpg",
    )


@pytest.mark.parametrize(
    ("own", "of_google", "category"),
    [
        ("Women > Tees, Sale > Tees", "", "Women/Tees"),
        ("Hats, caps > Caps", "Apparel > Hats", "Hats, caps/Caps"),
        ("", "Apparel > Hats", "Apparel/Hats"),
        ("", "2271", ""),
    ],
)
def test_google_s_categories_are_the_shop_s_own_first(
    own: str, of_google: str, category: str
) -> None:
    text = f'id,product-type,google_product_category\nA,"{own}",{of_google}\n'
    [product] = read_feed("p.csv", text.encode()).products
    assert product.category == category


@pytest.mark.parametrize("compared", ["0.00", "", "40.00", "50.00", "none"])
def test_shopify_s_price_is_what_is_asked_where_nothing_more_was_asked_before(
    compared: str,
) -> None:
    text = (
        f"Handle,Title,Variant SKU,Variant Price,Variant Compare At Price\na,A,1,50.00,{compared}\n"
    )
    found = read_feed("p.csv", text.encode())
    assert found.problems == ()
    assert (found.products[0].price, found.products[0].sale_price) == (Money(Decimal(50)), None)


def test_what_woocommerce_hides_is_left_out_with_its_variations_and_its_lines_end() -> None:
    text = (
        "ID,Type,SKU,Name,Published,Visibility in catalog,Description,Regular price,Parent\n"
        "1,simple,A,A,1,hidden,,5,\n"
        "2,variable,B,B,1,hidden,,,\n"
        "3,variation,B-1,B,1,visible,,5,B\n"
        "4,simple,C,C,1,visible,Soft.\\n\\nWarm.,5,\n"
    )
    found = read_feed("p.csv", text.encode())
    assert [(each.id, each.description) for each in found.products] == [("C", "Soft. Warm.")]
    assert found.left_out == {"hidden from the shop's catalog": 2}


def test_shopify_s_variants_share_what_the_first_row_tells() -> None:
    found = feed("shopify.csv")
    assert (found.dialect, found.left_out) == ("Shopify", {"not published": 1})
    products = by_id(found)
    assert list(products) == ["LS-W-S", "LS-W-M", "linen-shirt-Blue-S", "0042"]
    small, medium, blue, belt = products.values()
    assert {each.item_group_id for each in (small, medium, blue)} == {"linen-shirt"}
    assert {each.title for each in (small, medium, blue)} == {"Linen shirt"}
    assert small.description == "Light, cool."
    assert (small.price, small.sale_price) == (Money(Decimal("69.00")), Money(Decimal("49.00")))
    assert (blue.price, blue.sale_price) == (Money(Decimal("49.00")), None)
    assert [each.availability for each in products.values()] == [
        "in_stock",
        "out_of_stock",
        "in_stock",
        "in_stock",
    ]
    assert (small.color, small.size, blue.color) == ("White", "S", "Blue")
    assert small.images[0] == "https://cdn.example/linen-w.jpg"
    assert small.images[1:] == tuple(f"https://cdn.example/linen-{n}.jpg" for n in (1, 2, 3, 4))
    assert blue.images[0] == "https://cdn.example/linen-1.jpg"
    assert (belt.item_group_id, belt.size, belt.category) == ("", "", "Belts")


def test_shopify_s_rows_are_joined_where_the_file_was_sorted_since() -> None:
    header, *rows = csv.reader(StringIO((EXPORTS / "shopify.csv").read_text()))
    out = StringIO()
    csv.writer(out).writerows([header, *sorted(rows, key=lambda row: row[::-1])])
    found = read_feed("p.csv", out.getvalue().encode())
    assert found.problems == () and found.left_out == {"not published": 1}
    then, now = by_id(feed("shopify.csv")), by_id(found)
    assert now.keys() == then.keys()
    for name, product in now.items():  # pictures are in the file's order
        assert sorted(product.images) == sorted(then[name].images)
        assert replace(product, images=()) == replace(then[name], images=())


def test_shopify_s_newer_column_names_are_known() -> None:
    found = by_id(feed("shopify_renamed.csv"))
    assert list(found) == ["CAP-R", "CAP-B"]
    assert [each.availability for each in found.values()] == ["out_of_stock", "in_stock"]
    assert found["CAP-B"].sale_price == Money(Decimal("15"))
    assert found["CAP-B"].images[0] == "https://cdn.example/cap-b.jpg"
    assert {each.item_group_id for each in found.values()} == {"cap"}


def test_woocommerce_s_variations_have_what_their_parent_tells() -> None:
    found = feed("woocommerce.csv")
    assert (found.dialect, found.left_out) == ("WooCommerce", {"not published": 1})
    products = by_id(found)
    assert list(products) == ["DRESS-R", "12", "SOCK"]
    red, blue, socks = products.values()
    assert (red.item_group_id, blue.item_group_id, socks.item_group_id) == ("DRESS", "DRESS", "")
    assert (red.color, red.size, blue.color) == ("Red", "S", "Blue")
    assert red.category == blue.category == "Clothing/Dresses"
    assert (red.sale_price, blue.sale_price) == (Money(Decimal("29.90")), None)
    assert blue.description == "For warm days"
    assert blue.images == ("https://shop.example/u/dress.jpg",)
    assert len(socks.images) == 2
    assert [each.availability for each in products.values()] == [
        "in_stock",
        "out_of_stock",
        "backorder",
    ]


# As exports of German, French and Spanish shops have them; the values are not translated.
LANGUAGES = {
    "German": "ID,Typ,Artikelnummer,Name,Veröffentlicht,Ist hervorgehoben?,Sichtbarkeit im Katalog,"
    "Kurzbeschreibung,Beschreibung,Vorrätig?,Bestand,Angebotspreis,Regulärer Preis,Kategorien,"
    "Bilder,Übergeordnetes Produkt,Externe URL,Attribut 1 Name,Attribut 1 Wert(e),"
    "Attribut 2 Name,Attribut 2 Wert(e)",
    "French": "ID,Type,UGS,Nom,Publié,Mis en avant\u00a0?,Visibilité dans le catalogue,"
    "Description courte,Description,En stock\u00a0?,Stock,Tarif promo,Tarif régulier,Catégories,"
    "Images,Parent,URL externe,Nom de l\u2019attribut 1,Valeur(s) de l\u2019attribut 1,"
    "Nom de l'attribut 2,Valeur(s) de l'attribut 2",
    "Spanish": "ID,Tipo,SKU,Nombre,Publicado,¿Está destacado?,Visibilidad en el catálogo,"
    "Descripción corta,Descripción,¿Existencias?,Inventario,Precio rebajado,Precio normal,"
    "Categorías,Imágenes,Superior,URL externa,Nombre del atributo 1,Valor(es) del atributo 1,"
    "Nombre del atributo 2,Valor(es) del atributo 2",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_woocommerce_s_columns_are_known_in_the_exporter_s_language(language: str) -> None:
    header, rows = (EXPORTS / "woocommerce.csv").read_text().split("\n", 1)
    assert header.count(",") == LANGUAGES[language].count(",")
    assert read_feed("p.csv", f"{LANGUAGES[language]}\n{rows}".encode()) == feed("woocommerce.csv")


def test_magento_s_simple_products_are_a_group_by_the_configurable_one() -> None:
    found = feed("magento.csv")
    assert (found.dialect, found.left_out) == ("Magento", {"not enabled": 1})
    products = by_id(found)
    assert list(products) == ["WS03-XS-Red", "WS03-S-Blue", "24-MB01"]
    red, blue, bag = products.values()
    assert (red.item_group_id, blue.item_group_id, bag.item_group_id) == ("WS03", "WS03", "")
    assert red.title == blue.title == "Iris Workout Top"
    assert red.description == "Spandex"
    assert (red.color, red.size, red.gender) == ("Red", "XS", "women")
    assert red.category == "Women/Tops/Tees"
    assert blue.images == (
        "/w/s/ws03-blue_main.jpg",
        "/w/s/ws03-blue_back.jpg",
        "/w/s/ws03-red_main.jpg",
    )
    assert (blue.price, blue.sale_price) == (Money(Decimal("29.00")), Money(Decimal("19.00")))
    assert (blue.availability, bag.availability) == ("out_of_stock", "in_stock")


@pytest.mark.parametrize("name", sorted(path.name for path in EXPORTS.iterdir()))
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_spreadsheet_s_encodings_change_nothing(name: str, encoding: str) -> None:
    text = (EXPORTS / name).read_text().replace("\n", "\r\n")
    assert read_feed(name, text.encode(encoding)).products == feed(name).products
