"""A deployment whose product file lies elsewhere and names pictures, which reconcile fetches.

Covers: reconcile, embed, build_index, search.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lens.fetching import fetch
from lens.gallery.gallery import Gallery
from lens.pipeline.events import sqs_event
from lens.search.products import sold_as
from lens.search.searcher import Searcher
from lens.storage import Storage, open_storage
from lens.storage.formats import announce_format
from tests.lambdas.deployed import NO_FAILURES, Deployed
from tests.support.https_server import PictureShop, picture_shop
from tests.support.s3_bucket import BUCKET
from tests.support.sqs_queues import bodies
from tests.support.tiny_model import png

OWN = f"s3://{BUCKET}/image-lens/ImageLens"
ONLY_FEED = {"only": "feed"}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PictureShop]:
    """A server on this machine, which the functions may reach here."""
    with picture_shop(tmp_path) as shop:
        monkeypatch.setattr(fetch, "Fetcher", lambda *_, **__: shop.fetcher)
        yield shop


@pytest.fixture
def deployed(s3: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployed:
    deployed = Deployed(monkeypatch, tmp_path / "model")
    deployed._environment |= {
        "LENS_FEED": f"s3://{BUCKET}/exports/products.csv",
        "LENS_FEED_MINUTES": "1",
        "LENS_FEED_PICTURES": "1",
        "LENS_PICTURES": OWN,
    }
    announce_format(deployed.artifacts, 0.0)
    deployed.function("setup")({})
    return deployed


def sell(shop: PictureShop, numbers: range) -> None:
    """Put the product file where the setting says, and the pictures on the server."""
    rows = [f"P{n},Dress,Women > Dresses,{shop.address}/{n}.jpg" for n in numbers]
    text = "\n".join(["id,title,product_type,image_link", *rows])
    _exports().write("products.csv", text.encode())
    shop.pictures |= {f"/{n}.jpg": png(n) for n in numbers}


def _exports() -> Storage:
    return open_storage(f"s3://{BUCKET}/exports")


def settle(deployed: Deployed) -> None:
    """Let all queued looks go through embed and build_index, products too."""
    assert deployed.function("embed")(sqs_event(bodies(deployed.looks))) == NO_FAILURES
    events = [*deployed.events_of("segments/"), *deployed.events_of("products/")]
    assert deployed.function("build_index")(sqs_event(events)) == NO_FAILURES


def gallery(deployed: Deployed) -> Gallery:
    pair = Searcher(deployed.artifacts).refresh()
    assert pair is not None
    return pair.gallery


def sold(deployed: Deployed) -> list[str]:
    found = gallery(deployed)
    return sorted(each.product.id for row in found.photos() if (each := sold_as(found, row)))


def test_a_file_in_another_place_is_looked_at_when_it_changes_and_only_then(
    deployed: Deployed, shop: PictureShop
) -> None:
    reconcile = deployed.function("reconcile")
    sell(shop, range(2))
    assert reconcile(ONLY_FEED) == {"differing": 1, "queued": 1}
    settle(deployed)
    assert reconcile(ONLY_FEED) == {"differing": 0, "queued": 0}
    shelf = gallery(deployed).shelf
    assert shelf is not None and len(shelf.assortment) == 2
    assert shop.asked == []  # the short schedule fetches no picture
    sell(shop, range(3))
    assert reconcile(ONLY_FEED) == {"differing": 1, "queued": 1}


def test_pictures_are_fetched_on_the_schedule_under_the_stacks_own_name_and_found(
    deployed: Deployed, shop: PictureShop
) -> None:
    sell(shop, range(4))
    reconcile = deployed.function("reconcile")
    reconcile(ONLY_FEED)
    settle(deployed)
    assert reconcile({}) == {"differing": 4, "queued": 4, "regrouped": 0}
    settle(deployed)
    assert sold(deployed) == ["P0", "P1", "P2", "P3"]
    assert reconcile({}) == {"differing": 0, "queued": 0, "regrouped": 0}
    assert len(shop.asked) == 4
    assert list(deployed.catalog.list()) == []
    kept = [info.key for info in open_storage(OWN).list()]
    assert len(kept) == 4 and all(key.startswith("pictures/Women/Dresses/P") for key in kept)
    sell(shop, range(1, 4))
    reconcile(ONLY_FEED)
    settle(deployed)
    assert reconcile({}) == {"differing": 1, "queued": 1, "regrouped": 0}
    settle(deployed)
    assert sold(deployed) == ["P1", "P2", "P3"]


def test_a_run_fetches_for_half_of_its_time_and_the_next_one_goes_on(
    deployed: Deployed, shop: PictureShop
) -> None:
    sell(shop, range(12))
    reconcile = deployed.function("reconcile")
    reconcile(ONLY_FEED)
    settle(deployed)
    shop.seconds = 0.1

    def remaining() -> int:
        return 1_600 - 100 * len(shop.asked)

    first = reconcile({}, SimpleNamespace(get_remaining_time_in_millis=remaining))["differing"]
    assert 0 < first < 12
    shop.seconds = 0.0
    assert reconcile({})["differing"] == 12


def test_replies_name_a_picture_where_it_can_be_fetched(
    deployed: Deployed, shop: PictureShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(shop, range(2))
    deployed.settle(deployed.put("own/1.png", png(9)))
    reconcile = deployed.function("reconcile")
    for event in (ONLY_FEED, {}):
        reconcile(event)
        settle(deployed)
    deployed._environment |= {"LENS_PICTURE_URL": "/image-lens/ImageLens/pictures/"}
    found = {hit["key"]: hit["image_url"] for hit in _hits(deployed, png(1))}
    assert found.pop("own/1.png").endswith("/catalog/own/1.png")
    assert len(found) == 2
    stored = {info.key for info in open_storage(f"s3://{BUCKET}").list()}
    assert {each.removeprefix("http://testserver/") for each in found.values()} <= stored


def _hits(deployed: Deployed, photo: bytes) -> list[dict[str, Any]]:
    from fastapi.testclient import TestClient

    from lambdas.search.app import create_app
    from lens.settings import settings_from

    settings = settings_from(deployed._environment | {"POWERTOOLS_SERVICE_NAME": ""})
    client = TestClient(create_app(settings, Searcher(deployed.artifacts)))
    post = partial(client.post, "/api/search-image", files={"file": ("a.png", photo)})
    hits: list[dict[str, Any]] = post().json()["hits"]
    return hits
