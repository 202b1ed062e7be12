"""`lens index --explain`: what is understood of a catalog before anything is embedded.

Covers: explanation, feed_explanation, unread_feeds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.local.cli import main
from tests.lambdas.local.photos import garment
from tests.support.storefront import LAYOUTS, Photo, read_photos


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def photos(storefront: Path) -> list[Photo]:
    return read_photos(storefront)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["index", "photos", "--explain", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not Path(".lens").exists(), "it writes nothing"
    return lines


def put(*keys: str) -> None:
    for key in keys:
        path = Path("photos", key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"it is not read")


# The layout, how it tells products, and whether it tells variants and categories.
EXPLAINED = {
    "SKU_1.jpg": (
        "SKU_1.jpg, SKU_variant_1.jpg (recognized)",
        "the file name begins with the product",
        (True, False),
    ),
    "SKU/1.jpg": ("SKU/1.jpg: a folder is a product", "a folder is a product", (False, False)),
    "SKU/variant/1.jpg": (
        "SKU/variant/1.jpg (recognized)",
        "a folder is a product, the folders in it are its variants",
        (True, False),
    ),
    "Category/SKU/1.jpg": (
        "SKU/1.jpg: a folder is a product",
        "a folder is a product",
        (False, True),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_storefront_is_explained_right_in_each_layout(
    photos: list[Photo], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    put(*(LAYOUTS[name](photo) for photo in photos))
    skus = sorted({photo.sku for photo in photos})
    sold = set(skus[:100])
    rows = "".join(f"{sku},{sku}\n" for sku in sorted(sold))
    Path("photos/products.csv").write_text(f"id,title\n{rows}")
    layout, way, (variants, categories) = EXPLAINED[name]
    counts = f"{len(photos):,} photos, {len(skus)} products"
    if variants:
        counts += f", {len({(photo.sku, photo.color) for photo in photos})} variants"
    if categories:
        counts += f", {len({photo.folder for photo in photos})} categories"
    lines = explained(capsys)
    assert lines[0] == f"catalog    photos: {counts}"
    assert lines[1] == f"layout     {layout}"
    assert lines[2] == f"           {way}: {counts}"
    assert len([line for line in lines if line.startswith(" " * 13)]) == 3
    matched = sum(photo.sku in sold for photo in photos)
    assert lines[-3:] == [
        "feed       products.csv: 100 products (Google Merchant), 100 of them with photos; "
        f"{matched} of {len(photos):,} photos match",
        lines[-2],
        "nothing was embedded or written",
    ]
    assert lines[-2].startswith(
        f"doubtful   {len(photos) - matched} photos match no product of the feed: "
    )


def test_examples_and_what_is_doubtful_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    put(*(f"A{i}_{n}.jpg" for i in range(1, 10) for n in (1, 2, 3, 4)))
    put("IMG_0001.jpg", "front.jpg", "back.jpg")
    assert explained(capsys)[1:] == [
        "layout     SKU_1.jpg, SKU_variant_1.jpg (recognized)",
        "           the file name begins with the product: 36 photos, 9 products",
        "             A1: A1_1.jpg, A1_2.jpg, A1_3.jpg, ...",
        "             A2: A2_1.jpg, A2_2.jpg, A2_3.jpg, ...",
        "             A3: A3_1.jpg, A3_2.jpg, A3_3.jpg, ...",
        "           each photo is a product of its own: 3 photos, 3 products",
        "             IMG_0001.jpg: IMG_0001.jpg",
        "             back.jpg: back.jpg",
        "             front.jpg: front.jpg",
        "doubtful   1 photo has a camera's name and is a product of its own: IMG_0001.jpg",
        "doubtful   2 photos lie in no folder, have no product's name and are products of their "
        "own: back.jpg, front.jpg",
        "nothing was embedded or written",
    ]


def test_photos_that_do_not_fit_what_was_given_are_doubtful(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("MEN/A1/1.jpg", "MEN/A1/2.jpg", "odd.jpg")
    monkeypatch.setenv("LENS_LAYOUT", "{category}/{item}/*")
    lines = explained(capsys)
    assert lines[1] == "layout     {category}/{item}/* (LENS_LAYOUT)"
    assert lines[3] == "             A1: MEN/A1/1.jpg, MEN/A1/2.jpg"
    assert lines[-2] == (
        "doubtful   1 photo does not fit LENS_LAYOUT and is grouped by its folders: odd.jpg"
    )


def test_a_wrong_layout_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.jpg")
    monkeypatch.setenv("LENS_LAYOUT", "{itm}_*")
    assert main(["index", "photos", "--explain"]) == 2
    assert capsys.readouterr().err.startswith("lens: LENS_LAYOUT='{itm}_*': {itm} is none of ")


def test_an_empty_folder_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("photos").mkdir()
    assert main(["index", "photos", "--explain"]) == 2
    assert "no photos" in capsys.readouterr().err


def test_status_names_the_layout_and_a_change_embeds_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        for n in (1, 2):
            path = Path("photos", f"A{i}_{n}.png")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(garment(i, view=n))
    monkeypatch.setenv("LENS_LAYOUT", "folders")
    assert main(["index", "photos"]) == 0
    assert "layout     folders (LENS_LAYOUT)" in capsys.readouterr().out
    monkeypatch.delenv("LENS_LAYOUT")
    assert main(["index", "photos", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "before     folders (LENS_LAYOUT); the gallery is grouped anew at the next" in out
    assert main(["index", "photos"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("0 photos looked at")
    assert "layout     SKU_1.jpg, SKU_variant_1.jpg (recognized)" in out
    assert "6 photos, commit" in out
    Path("photos/export.tsv").write_text("id\ttitle\nA1\tShirt\n")
    assert main(["status", "photos"]) == 0
    assert "export.tsv is a product file (Google Merchant) and not" in capsys.readouterr().out


def test_a_program_is_told_every_product_and_its_photos(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(*(f"A{i}_{n}.jpg" for i in range(1, 10) for n in (1, 2, 3, 4)))
    put("IMG_0001.jpg")
    Path("photos/products.csv").write_text("id,title\nA1,Shirt\nB1,Cap\n")
    told = json.loads("\n".join(explained(capsys, "--json")))
    assert told["layout"] == "SKU_1.jpg, SKU_variant_1.jpg (recognized)"
    counts = ("photos", "products", "variants", "categories")
    assert [told[name] for name in counts] == [37, 10, 0, 0]
    name, itself = told["ways"]
    assert (name["told"], name["photos"], len(name["items"])) == ("name", 36, 9)
    assert name["items"]["A1"] == [f"A1_{n}.jpg" for n in (1, 2, 3, 4)]
    assert (itself["told"], itself["items"]) == ("itself", {"IMG_0001.jpg": ["IMG_0001.jpg"]})
    assert told["doubts"] == [
        "1 photo has a camera's name and is a product of its own: IMG_0001.jpg"
    ]
    assert (told["before"], told["waits"]) == (None, None)
    assert told["feed"]["products"] == 2
    assert told["feed"]["products_with_photos"] == 1
    assert len(told["feed"]["photos_without_product"]) == 33
    Path("photos/products.csv").write_text("nothing,known\n1,2\n")
    told = json.loads("\n".join(explained(capsys, "--json")))
    assert "products.csv has the columns" in told["feed"]["trouble"]


def test_product_files_that_nobody_reads_are_named_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("A1_1.jpg")
    Path("photos/Products_Export_1.CSV").write_text("Handle,Title,Variant SKU\na,A,A1\n")
    Path("photos/sizes.csv").write_text("size,chest\nS,90\n")
    Path("photos/old").mkdir()
    Path("photos/old/products.csv").write_text("id,title\nA1,Shirt\n")
    named = "Products_Export_1.CSV is a product file (Shopify) and not read: "
    doubts = [line for line in explained(capsys) if "product file" in line]
    assert doubts == [f"doubtful   {named}call it products.csv, or name it in LENS_FEED"]
    Path("photos/products.jsonl").write_text('{"id": "A1", "title": "Shirt"}\n')
    lines = explained(capsys)
    assert any(line.startswith("feed       products.jsonl: 1 product ") for line in lines)
    assert f"doubtful   {named}products.jsonl is" in lines
    told = json.loads("\n".join(explained(capsys, "--json")))
    assert told["unread_feeds"] == {"Products_Export_1.CSV": "Shopify"}


def test_a_product_file_that_was_named_and_is_not_there_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("A1_1.jpg")
    for named, told in (
        ("none.csv", "it is not where it should be"),
        ("https://127.0.0.1/products.csv", "the address is not on the public internet"),
    ):
        monkeypatch.setenv("LENS_FEED", named)
        assert f"feed       LENS_FEED cannot be used: {told}" in "\n".join(explained(capsys))


def test_json_is_of_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    put("A1_1.jpg")
    assert main(["index", "photos", "--json"]) == 2
    assert "--json: it is for --explain" in capsys.readouterr().err
