"""The HTTP API (lambdas/search) under load: which requests wait, are refused, or are dropped.

Covers: admission, background.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from PIL import Image
from starlette.exceptions import HTTPException

from lambdas.search import app as search_app
from lambdas.search.admission import Admission
from lambdas.search.app import create_app
from lambdas.search.background import Background
from lens.errors import BusyError
from lens.models.embedder import Embedder, Overview
from lens.photos.decoding import decode, photo_id
from lens.right_of_way import RightOfWay
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits
from tests.lambdas.conftest import MakeShop, Shop
from tests.lambdas.serving import served, visitor
from tests.support.clock import Clock
from tests.support.tiny_model import png

URL = "/api/search-image"
THREADS = 2  # of every shop
PLACES = 3


@dataclass
class Gate:
    """Holds the embedder until photos are let through, one permit each."""

    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    seen: list[bytes] = field(default_factory=list)  # pixels, in the order of their turns

    def let(self, photos: int) -> None:
        """Let this number of photos through."""
        self.permits.release(photos)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """An embedder that waits for permits; at the end it gets all it needs."""
    gate = Gate()
    overview = Embedder.overview

    def slow(self: Embedder, image: Image.Image) -> Overview:
        gate.seen.append(image.tobytes())
        gate.permits.acquire()
        return overview(self, image)

    monkeypatch.setattr(Embedder, "overview", slow)
    yield gate
    gate.let(1_000)


@dataclass(frozen=True)
class Crowd:
    """A served shop, and shoppers who search at the same time."""

    client: httpx.Client
    address: tuple[str, int]
    pool: ThreadPoolExecutor

    def search(self, seed: int) -> Future[httpx.Response]:
        """Search with the photo of this seed, without waiting."""
        return self.pool.submit(self.client.post, URL, files={"file": png(seed)})

    def load(self, kind: str = "searches") -> dict[str, int]:
        """What health says of it; it always answers."""
        reply = self.client.get("/api/health")
        assert reply.status_code == 200
        load: dict[str, int] = reply.json()["load"][kind]
        return load

    def until(self, kind: str = "searches", **figures: int) -> None:
        """Wait until health tells these figures."""
        deadline = time.monotonic() + 30
        while not figures.items() <= self.load(kind).items():
            assert time.monotonic() < deadline, (figures, self.load(kind))
            time.sleep(0.01)

    def fill(self) -> list[Future[httpx.Response]]:
        """Searches with the photos 100, 101 ... until no place is left, one after another."""
        searches = []
        for count in range(1, THREADS + PLACES + 1):
            searches.append(self.search(99 + count))
            running = min(count, THREADS)
            self.until(running=running, waiting=count - running)
        return searches


@contextmanager
def crowd(shop: Shop) -> Iterator[Crowd]:
    with served(shop) as address, visitor(address) as client, ThreadPoolExecutor(16) as pool:
        yield Crowd(client, address, pool)


@pytest.fixture
def shop(make_shop: MakeShop, gate: Gate) -> Shop:
    """A shop of one photo with few places."""
    shop = make_shop(queued_searches=PLACES)
    shop.put("a.png", png(1))
    gate.let(1)
    shop.open()
    shop.searcher.refresh()
    gate.seen.clear()
    return shop


def refused(reply: httpx.Response) -> None:
    """A 503 that says when to come back."""
    assert reply.status_code == 503
    assert reply.json()["error"]["code"] == "busy"
    assert "try again" in reply.json()["error"]["message"]
    assert 1 <= int(reply.headers["retry-after"]) <= 30
    assert reply.headers["cache-control"] == "no-store"


def test_what_finds_no_place_is_refused_and_what_waits_is_answered(shop: Shop, gate: Gate) -> None:
    with crowd(shop) as shoppers:
        waiting = shoppers.fill()
        for seed in range(4):
            refused(shoppers.search(seed).result())
        assert shoppers.load() == {
            "threads": THREADS,
            "running": THREADS,
            "places": PLACES,
            "waiting": PLACES,
            "refused": 4,
        }
        assert not any(each.done() for each in waiting)
        gate.let(len(waiting))
        assert [each.result().status_code for each in waiting] == [200] * len(waiting)
        shoppers.until(running=0, waiting=0)
        gate.let(1)
        assert shoppers.search(1).result().json()["hits"][0]["exact"]


def test_a_search_goes_before_indexing_until_it_is_answered(shop: Shop, gate: Gate) -> None:
    clock = Clock()
    way = RightOfWay(clock)
    client = TestClient(
        create_app(shop.settings, shop.searcher, background=Background(right_of_way=way))
    )
    with ThreadPoolExecutor(2) as pool:
        search = pool.submit(client.post, URL, files={"file": png(2)})
        deadline = time.monotonic() + 30
        while not gate.seen:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        indexing = pool.submit(way.give)
        with pytest.raises(TimeoutError):
            indexing.result(0.1)
        gate.let(1)
        assert search.result().status_code == 200
        clock.now += 0.1
        indexing.result(30)


def test_turns_are_taken_in_the_order_of_coming(shop: Shop, gate: Gate) -> None:
    with crowd(shop) as shoppers:
        waiting = shoppers.fill()
        for left in range(PLACES - 1, -1, -1):
            gate.let(1)
            shoppers.until(running=THREADS, waiting=left)
            while len(gate.seen) < len(waiting) - left:
                time.sleep(0.01)
        gate.let(THREADS)
        assert {each.result().status_code for each in waiting} == {200}
    came = [decode(png(seed), Limits()).tobytes() for seed in range(100, 105)]
    assert set(gate.seen[:THREADS]) == set(came[:THREADS])
    assert gate.seen[THREADS:] == came[THREADS:]


HEAD = (
    b"POST /api/search-image HTTP/1.1\r\nHost: shop\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n"
)
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def test_a_shopper_who_hangs_up_in_the_line_frees_the_place(shop: Shop, gate: Gate) -> None:
    body = PART + png(7) + b"\r\n--x--\r\n"
    with crowd(shop) as shoppers:
        running = [shoppers.search(100), shoppers.search(101)]
        shoppers.until(running=THREADS)
        for _ in range(3 * PLACES):  # more than there are places
            with socket.create_connection(shoppers.address, timeout=20) as connection:
                connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                shoppers.until(waiting=1)
            shoppers.until(waiting=0)
        last = shoppers.search(102)
        shoppers.until(waiting=1)
        gate.let(3)
        assert {each.result().status_code for each in (*running, last)} == {200}
    assert len(gate.seen) == 3, "photos of those who left are not embedded"


def test_a_refusal_comes_before_the_photo_and_the_connection_goes_on(
    shop: Shop, gate: Gate
) -> None:
    with crowd(shop) as shoppers:
        waiting = shoppers.fill()
        with socket.create_connection(shoppers.address, timeout=20) as connection:
            connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
            assert _reply(connection)[0] == 503  # not a byte of the photo has been sent
            connection.sendall(PART + bytes(1_000_000 - len(PART)))
            connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: shop\r\n\r\n")
            status, health = _reply(connection)
        assert (status, health["load"]["searches"]["refused"]) == (200, 1)
        with socket.create_connection(shoppers.address, timeout=20) as connection:
            connection.sendall(HEAD + b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            assert _reply(connection)[0] == 503, "a photo is asked for that is not wanted"
        gate.let(len(waiting))
        assert {each.result().status_code for each in waiting} == {200}


def _reply(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the reply that comes next."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return int(head.split()[1]), json.loads(body)


def test_lookups_have_a_line_of_their_own(
    make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    let = threading.Event()
    read = Thumbnails.read

    def slow(self: Thumbnails, *arguments: Any) -> bytes:
        let.wait(30)
        return read(self, *arguments)

    monkeypatch.setattr(Thumbnails, "read", slow)
    monkeypatch.setattr(search_app, "_QUEUED_LOOKUPS", 1)
    shop = make_shop()
    shop.put("a.png", png(1))
    shop.open()
    address = f"/api/thumb/{photo_id(png(1))}"
    with crowd(shop) as shoppers:
        thumbs = [shoppers.pool.submit(shoppers.client.get, address) for _ in range(THREADS + 1)]
        shoppers.until("lookups", running=THREADS, waiting=1)
        refused(shoppers.client.get(address))
        refused(shoppers.client.get("/api/categories"))
        assert shoppers.search(1).result().status_code == 200
        let.set()
        assert [each.result().status_code for each in thumbs] == [200] * len(thumbs)
        assert shoppers.client.get(address).status_code == 200


def test_without_places_whatever_finds_no_thread_is_refused(
    make_shop: MakeShop, gate: Gate
) -> None:
    shop = make_shop(queued_searches=0)
    shop.put("a.png", png(1))
    gate.let(1)
    shop.open()
    with crowd(shop) as shoppers:
        running = [shoppers.search(100), shoppers.search(101)]
        shoppers.until(running=THREADS)
        refused(shoppers.search(102).result())
        gate.let(2)
        assert {each.result().status_code for each in running} == {200}


def _request(receive: Callable[[], Any]) -> Request:
    return Request({"type": "http", "headers": []}, receive)


async def _never() -> Any:
    await asyncio.Event().wait()


def test_the_pause_asked_for_grows_with_the_line_and_the_work() -> None:
    let = threading.Event()
    seconds = iter(range(0, 100_000, 4))  # every piece of work takes four

    async def refused_for() -> int:
        admission = Admission(2, 3, clock=lambda: float(next(seconds)))
        await admission.run(lambda: None, _request(_never))
        tasks = [asyncio.create_task(admission.run(let.wait, _request(_never))) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as caught:
            admission.require_place()
        let.set()
        await asyncio.gather(*tasks)
        admission.require_place()
        return caught.value.retry_after

    assert asyncio.run(refused_for()) == 10  # 5 before it, 2 threads, 4 seconds each


def test_turns_survive_failures_hanging_up_and_cancellation() -> None:
    """Whatever ends a wait or the work, its thread and its place are free again."""
    rng = np.random.default_rng(0)

    def work(seconds: float, fails: bool) -> None:
        time.sleep(seconds)
        if fails:
            raise ValueError

    async def hang_up(after: float) -> Any:
        await asyncio.sleep(after)
        return {"type": "http.disconnect"}

    async def play() -> dict[str, int]:
        admission = Admission(2, 6)

        async def shopper() -> None:
            await asyncio.sleep(rng.uniform(0, 0.2))
            leaves = rng.uniform(0, 0.01) if rng.random() < 0.4 else 60.0
            request = _request(lambda: hang_up(leaves))
            seconds, fails = rng.uniform(0, 0.006), rng.random() < 0.3
            with suppress(BusyError, HTTPException, ValueError):
                await admission.run(lambda: work(seconds, fails), request)

        tasks = [asyncio.create_task(shopper()) for _ in range(200)]
        for task in tasks[::5]:
            asyncio.get_running_loop().call_later(rng.uniform(0, 0.2), task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        idle = admission.figures()
        await asyncio.gather(*(admission.run(lambda: None, _request(_never)) for _ in range(8)))
        return idle

    idle = asyncio.run(asyncio.wait_for(play(), 60))
    assert (idle["running"], idle["waiting"]) == (0, 0)
