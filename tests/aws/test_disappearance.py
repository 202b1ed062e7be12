"""Disappearance on the deployed stack: an emptied prefix, and a deployment whose setting leads to
another bucket. Nothing is lost, an alarm tells, and one command goes on."""

from __future__ import annotations

import json
import time

import pytest

from lens.storage import Storage
from tests.aws.shop import Shop, eventually, garment
from tests.aws.test_maintenance import changed, losing_events

pytestmark = pytest.mark.aws

KEYS = {f"held/{number}.jpg": garment(950 + number) for number in range(5)}


def _stock(shop: Shop) -> None:
    for key, photo in KEYS.items():
        shop.put(key, photo)
    eventually(lambda: shop.found() >= KEYS.keys())
    eventually(lambda: shop.invoke("Reconcile")["differing"] == 0)


def _empty(shop: Shop) -> dict[str, bytes]:
    """Empty the prefix without an event; what was there."""
    there = shop.photos()
    with losing_events(shop):
        for key in there:
            shop.remove(key)
        time.sleep(2)
    return there


def _segments(artifacts: Storage) -> set[str]:
    return {info.key for info in artifacts.list("segments/")}


def test_an_emptied_prefix_costs_nothing_and_what_comes_back_is_not_embedded_again(
    shop: Shop, artifacts: Storage
) -> None:
    _stock(shop)
    found, since = shop.found(), int(time.time() * 1000)
    there = _empty(shop)

    reply = shop.invoke("Reconcile")
    assert reply["queued"] == 0
    assert reply["held"] == len(there)
    assert shop.found() == found
    told = eventually(lambda: shop.metrics("Reconcile", since))
    assert told["HeldDeletions"] == [float(len(there))]
    held = json.loads(shop.lens("status", "--json"))["held"]
    assert [each["photos"] for each in held] == [len(there)]

    segments = _segments(artifacts)
    with losing_events(shop):
        for key, photo in there.items():
            shop.put(key, photo)
    assert shop.invoke("Reconcile") == {"differing": 0, "queued": 0, "regrouped": 0}
    assert _segments(artifacts) == segments, "nothing was embedded"
    assert json.loads(shop.lens("status", "--json"))["held"] == []


def test_another_bucket_by_a_forgotten_setting_is_refused_and_told(
    shop: Shop, artifacts: Storage
) -> None:
    _stock(shop)
    found, since = shop.found(), int(time.time() * 1000)
    other = {"LENS_CATALOG": "s3://a-bucket-that-is-empty/catalog"}

    with changed(shop, "Reconcile", **other), changed(shop, "Embed", **other):
        with pytest.raises(AssertionError, match="belong to"):
            shop.invoke("Reconcile")
        told = eventually(lambda: shop.metrics("Reconcile", since))
        assert told["HeldDeletions"] == [float(len(found))]
        shop.remove("held/0.jpg")
        time.sleep(5)
        assert shop.found() == found

    eventually(lambda: shop.invoke("Reconcile")["differing"] <= 1)
    eventually(lambda: shop.found() == found - {"held/0.jpg"})


def test_one_command_lets_the_photos_of_a_hold_go(shop: Shop) -> None:
    _stock(shop)
    there = _empty(shop)
    assert shop.invoke("Reconcile")["held"] == len(there)
    (held,) = json.loads(shop.lens("status", "--json"))["held"]

    words = held["command"].split()
    assert "are let go" in shop.lens(*words[1:])

    eventually(lambda: not shop.found())
    assert shop.invoke("Reconcile") == {"differing": 0, "queued": 0, "regrouped": 0}
    for key, photo in there.items():
        shop.put(key, photo)
    eventually(lambda: shop.found() == there.keys())
