"""Several photos and examples by the shipped model, on photos of the drawn shop.

Covers: examples.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas.local.sample import catalog as sample
from lambdas.local.sample.assortment import ASSORTMENT
from lens.default_model.shipped import write_shipped
from tests.lambdas.conftest import MakeShop, Shop

FRONT, BACK, CLOSE = "1_front", "3_back", "7_additional"
KINDS = ("Dresses", "Skirts", "Shorts", "Jackets_Vests", "Sweaters", "Hats")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Three views of two items of each kind, in one color, by key."""
    few = [
        replace(product, colorways=product.colorways[:1])
        for kind in KINDS
        for product in [p for p in ASSORTMENT if p.category.endswith(kind)][:2]
    ]
    monkeypatch.setattr(sample, "ASSORTMENT", tuple(few))
    monkeypatch.setattr(sample, "VIEWS", (FRONT, BACK, CLOSE))
    folder = tmp_path / "drawn"
    sample.draw_catalog(folder)
    paths = sorted(folder.rglob("*.jpg"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def shop(make_shop: MakeShop, photos: dict[str, bytes]) -> Shop:
    """A shop of the fronts, with the shipped model."""
    shop = make_shop()
    for key, photo in photos.items():
        if FRONT in key:
            shop.put(key, photo)
    shop.open(write_shipped(shop.pipeline.artifacts).model_id)
    return shop


def hits(shop: Shop, *photos: bytes, **fields: Any) -> list[dict[str, Any]]:
    files = [("file", photo) for photo in photos]
    reply = shop.client.post("/api/search-image", files=files, data=fields)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["hits"]
    return found


def test_two_photos_find_their_item_and_examples_steer(
    shop: Shop, photos: dict[str, bytes]
) -> None:
    fronts = [key for key in photos if FRONT in key]
    assert len(fronts) == 2 * len(KINDS)
    for key in fronts:
        back, close = (photos[key.replace(FRONT, view)] for view in (BACK, CLOSE))
        found = hits(shop, back, close)
        assert found[0]["key"] == key
        assert not any(hit["exact"] for hit in found)
        first, *others = hits(shop, back)
        steered = hits(shop, back, unlike=first["item_id"])
        assert {hit["key"] for hit in steered} == {hit["key"] for hit in others}
    dresses = [hit["item_id"] for hit in hits(shop, photos[fronts[0]], category="WOMEN/Dresses")]
    assert hits(shop, like=dresses[0])[0]["item_id"] == dresses[1]
