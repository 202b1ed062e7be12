"""The gallery follows the bucket: searches show added, replaced and deleted photos in seconds."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import pytest

from lambdas.local.sample import catalog as sample_catalog
from lambdas.local.sample.assortment import ASSORTMENT
from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws


def test_a_photo_is_found_within_five_seconds_of_its_upload(shop: Shop) -> None:
    seconds = []
    for n in range(7):
        photo, key = garment(200 + n), f"quick/{n}.jpg"
        started = time.monotonic()
        shop.put(key, photo)
        eventually(lambda photo=photo, key=key: shop.shows(photo, key))  # type: ignore[misc]
        seconds.append(time.monotonic() - started)
    print(f"upload to found: {[round(each, 2) for each in seconds]} s")
    assert statistics.median(seconds) < 5


def test_a_synced_folder_can_be_searched_and_syncing_again_uploads_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_catalog, "ASSORTMENT", ASSORTMENT[:2])
    sample_catalog.draw_catalog(tmp_path / "photos")
    photos = sorted((tmp_path / "photos").rglob("*.jpg"))
    told = shop.lens("sync", str(tmp_path / "photos"))
    assert f"{len(photos) + 2} uploaded" in told  # and the product and partition files
    for path in photos:
        key = path.relative_to(tmp_path / "photos").as_posix()
        eventually(lambda path=path, key=key: shop.shows(path.read_bytes(), key))  # type: ignore[misc]

    versions = shop.versions("catalog/img/")
    assert "0 uploaded" in shop.lens("sync", str(tmp_path / "photos"))
    assert shop.versions("catalog/img/") == versions

    # The folder is the whole catalog now: other tests' photos are not to go.
    for key, photo in shop.photos().items():
        path = tmp_path / "photos" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    photos[0].unlink()
    gone = photos[0].relative_to(tmp_path / "photos").as_posix()
    shop.lens("sync", "--delete", str(tmp_path / "photos"))
    eventually(lambda: gone not in shop.found())


def test_a_product_file_in_the_bucket_gives_photos_their_prices(shop: Shop) -> None:
    photo = garment(220)
    shop.put("sku-220_1.jpg", photo)
    eventually(lambda: shop.shows(photo, "sku-220_1.jpg"))

    def price() -> str | None:
        product = shop.visitor.hits(photo, top_k=1)[0]["product"]
        return str(product["price"]["amount"]) if product else None

    seconds = []
    for amount in ("25.00", "19.90"):
        started = time.monotonic()
        shop.put("products.csv", f"id,title,price\nsku-220,Shirt,{amount} EUR\n".encode())
        eventually(lambda amount=amount: price() == amount)  # type: ignore[misc]
        seconds.append(round(time.monotonic() - started, 2))
    print(f"price to found: {seconds} s")
    shop.remove("products.csv")
    eventually(lambda: price() is None)


def test_a_replaced_photo_is_found_by_its_new_picture_only(shop: Shop) -> None:
    key, old, new = "changing/one.jpg", garment(210), garment(211)
    shop.put(key, old)
    eventually(lambda: shop.shows(old, key))
    shop.put(key, new)
    eventually(lambda: shop.shows(new, key))
    assert not shop.shows(old, key)


def test_a_deleted_photo_is_not_found_any_more(shop: Shop) -> None:
    shop.put("going/one.jpg", garment(212))
    eventually(lambda: shop.shows(garment(212), "going/one.jpg"))
    shop.remove("going/one.jpg")
    eventually(lambda: "going/one.jpg" not in shop.found())


def test_a_key_of_spaces_plus_signs_and_umlauts_is_found_and_shown(shop: Shop) -> None:
    key = "größe 1+2/blau & weiß.jpg"
    shop.put(key, garment(213))
    eventually(lambda: shop.shows(garment(213), key))
    hit = shop.visitor.hits(garment(213), top_k=1)[0]
    assert shop.visitor.get(hit["image_url"]).content == garment(213)


def test_addresses_begin_with_the_pages_and_an_item_named_similar_is_found(shop: Shop) -> None:
    key = "named/similar/one.jpg"
    shop.put(key, garment(227))
    eventually(lambda: shop.shows(garment(227), key))
    hit = shop.visitor.hits(garment(227), top_k=1)[0]
    page = shop.deployment.outputs["PageUrl"]
    assert hit["image_url"] == f"{page}/catalog/{key}"
    assert hit["thumb_url"].startswith(f"{page}/image-lens/")
    forged = {"X-Lens-Host": "evil.example", "X-Lens-Path": "/api/items/named/similar"}
    item = shop.visitor.get("/api/items/named%2Fsimilar", headers=forged)
    assert (item.status_code, item.json()["item_id"]) == (200, "named/similar")
    assert item.json()["photos"][0]["image_url"] == hit["image_url"]


def test_an_unusable_photo_is_rejected_with_its_reason_and_harms_no_other(shop: Shop) -> None:
    shop.put("mixed/broken.jpg", b"\xff\xd8\xff\xe0 no more than a beginning")
    shop.put("mixed/good.jpg", garment(214))
    eventually(lambda: shop.shows(garment(214), "mixed/good.jpg"))

    def rejected() -> str:
        told: dict[str, str] = json.loads(shop.lens("status", "--json"))["rejected"]
        return told.get("mixed/broken.jpg", "")

    assert eventually(rejected)
    assert "mixed/broken.jpg" in shop.lens("status")
    assert shop.depth("EmbedDeadLettersUrl") == 0


def test_photos_and_thumbnails_come_from_the_bucket_as_pictures_that_can_do_nothing(
    shop: Shop,
) -> None:
    shop.put("shown/one.jpg", garment(215))
    eventually(lambda: shop.shows(garment(215), "shown/one.jpg"))
    hit = shop.visitor.hits(garment(215), top_k=1)[0]
    photo, thumb = shop.visitor.get(hit["image_url"]), shop.visitor.get(hit["thumb_url"])
    assert photo.content == garment(215)
    assert thumb.headers["content-type"] == "image/jpeg"
    assert "immutable" in thumb.headers["cache-control"]
    for reply in (photo, thumb):
        assert reply.status_code == 200
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_searches_stay_at_the_commit_rolled_back_to_until_released(shop: Shop) -> None:
    shop.put("pinned/old.jpg", garment(216))
    eventually(lambda: shop.shows(garment(216), "pinned/old.jpg"))
    before = shop.visitor.health()["gallery"]["commit"]
    shop.put("pinned/new.jpg", garment(217))
    eventually(lambda: shop.shows(garment(217), "pinned/new.jpg"))

    assert f"commit {before} " in shop.lens("rollback", "--commit", str(before))
    eventually(lambda: "pinned/new.jpg" not in shop.found())
    assert shop.shows(garment(216), "pinned/old.jpg")
    shop.remove("pinned/old.jpg")  # a deletion takes effect in spite of the pin
    eventually(lambda: "pinned/old.jpg" not in shop.found())

    shop.lens("release")
    eventually(lambda: shop.shows(garment(217), "pinned/new.jpg"))
