"""Polite fetching, from a real server: few at once, pauses, and rests for a host that wants one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lens.errors import AddressRefusedError, FetchError, HostError, LensError
from lens.fetching.polite import PoliteFetcher, Rest
from tests.support.https_server import HOST, PictureShop, picture_shop

_PHOTO = b"a photo's bytes"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PictureShop]:
    with picture_shop(tmp_path) as shop:
        yield shop


def _all(polite: PoliteFetcher, addresses: list[str]) -> dict[str, bytes | LensError]:
    return dict(polite.fetch_all(addresses))


def _addresses(shop: PictureShop, count: int) -> list[str]:
    paths = [f"/{number}.jpg" for number in range(count)]
    shop.pictures |= dict.fromkeys(paths, _PHOTO)
    return [shop.address + path for path in paths]


def test_every_address_is_asked_once_and_few_at_a_time(shop: PictureShop) -> None:
    shop.seconds = 0.05
    addresses = _addresses(shop, 12)
    found = _all(PoliteFetcher(shop.fetch, at_once=2, pause=0.0), addresses)
    assert found == dict.fromkeys(addresses, _PHOTO)
    assert sorted(shop.asked) == sorted(shop.pictures)
    assert shop.most_at_once <= 2
    assert shop.agents == {"image-lens"}


def test_there_is_a_pause_between_two_requests(shop: PictureShop) -> None:
    began = time.monotonic()
    _all(PoliteFetcher(shop.fetch, pause=0.2), _addresses(shop, 4))
    assert time.monotonic() - began >= 0.6


def test_what_cannot_be_fetched_costs_itself(shop: PictureShop) -> None:
    (good,) = _addresses(shop, 1)
    inside = f"https://inside.example:{shop.port}/a.jpg"
    missing = f"{shop.address}/missing.jpg"
    found = _all(PoliteFetcher(shop.fetch, pause=0.0), [missing, inside, good])
    assert found[good] == _PHOTO
    assert isinstance(found[missing], FetchError) and "404" in str(found[missing])
    assert isinstance(found[inside], AddressRefusedError)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_a_pause_gets_it_and_is_asked_again(
    shop: PictureShop, status: int
) -> None:
    answers = iter([(status, {"Retry-After": "1"}, b""), (200, {}, _PHOTO)])
    shop.pictures["/busy.jpg"] = lambda: next(answers)
    began = time.monotonic()
    found = _all(PoliteFetcher(shop.fetch, pause=0.0), [f"{shop.address}/busy.jpg"])
    assert list(found.values()) == [_PHOTO]
    assert time.monotonic() - began >= 1


def test_a_long_rest_ends_the_hosts_part_and_holds_for_the_next_call(shop: PictureShop) -> None:
    addresses = _addresses(shop, 20)
    shop.pictures |= dict.fromkeys(shop.pictures, (429, {"Retry-After": "7200"}, b""))
    polite = PoliteFetcher(shop.fetch, at_once=1, pause=0.0)
    assert _all(polite, addresses) == {}
    assert len(shop.asked) == 1
    (name, rest), *others = polite.resting.items()
    assert not others and name == f"{HOST}:{shop.port}" and "429" in rest.why
    assert 7100 < rest.until - time.time() <= 7200
    assert _all(polite, addresses) == {}
    resumed = PoliteFetcher(shop.fetch, pause=0.0, resting=polite.resting)  # another process
    assert _all(resumed, addresses) == {}
    assert len(shop.asked) == 1


def test_a_rest_ends(shop: PictureShop) -> None:
    (address,) = _addresses(shop, 1)
    resting = {f"{HOST}:{shop.port}": Rest(time.time() + 0.3, "it was busy")}
    polite = PoliteFetcher(shop.fetch, resting=resting)
    assert _all(polite, [address]) == {address: _PHOTO}
    assert polite.resting == {}


def test_a_silent_host_is_left_alone_and_the_others_are_not(shop: PictureShop) -> None:
    asked = []

    def fetch(url: str) -> bytes:
        if "silent" in url:
            asked.append(url)
            raise HostError("no answer", 0.0)
        return shop.fetch(url)

    good = _addresses(shop, 3)
    silent = [f"https://silent.example/{number}.jpg" for number in range(40)]
    polite = PoliteFetcher(fetch, at_once=1, pause=0.0)
    found = _all(polite, [*silent, *good])
    assert {address: found.get(address) for address in good} == dict.fromkeys(good, _PHOTO)
    assert len(asked) == 5
    assert polite.resting["silent.example"].why == "no answer"


def test_an_address_that_fails_each_time_costs_itself_where_its_host_answers_others(
    shop: PictureShop,
) -> None:
    addresses = _addresses(shop, 30)
    shop.pictures["/0.jpg"] = (500, {"Retry-After": "0"}, b"")
    found = _all(PoliteFetcher(shop.fetch, at_once=1, pause=0.0), addresses)
    assert isinstance(found.pop(addresses[0]), HostError)
    assert found == dict.fromkeys(addresses[1:], _PHOTO)


def test_it_stops_without_waiting_for_what_is_under_way(shop: PictureShop) -> None:
    shop.seconds = 2.0
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    found = list(PoliteFetcher(shop.fetch).fetch_all(_addresses(shop, 50), stop.is_set))
    assert time.monotonic() - began < 1.5
    assert found == [] and len(shop.asked) <= 8
