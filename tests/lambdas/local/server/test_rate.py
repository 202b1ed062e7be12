"""The rate: how many requests a caller has, when there is another, and who a caller is."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import PlainTextResponse

from lambdas.local.server.rate import RateWall, TokenBuckets
from tests.support.clock import Clock

KEYS = ("0123456789abcdef", "fedcba9876543210")


def test_a_full_minute_may_be_spent_at_once_and_then_comes_back_evenly() -> None:
    clock = Clock(1000.0)
    buckets = TokenBuckets(30, clock)
    assert [buckets.take(b"a") for _ in range(30)] == [0.0] * 30
    assert buckets.take(b"a") == 2.0
    assert buckets.take(b"b") == 0.0
    clock.now += 1.9
    assert 0 < buckets.take(b"a") < 0.2
    clock.now += 0.2
    assert buckets.take(b"a") == 0.0
    assert buckets.take(b"a") > 0


def test_no_more_than_a_minutes_requests_are_saved_up() -> None:
    clock = Clock(1000.0)
    buckets = TokenBuckets(3, clock)
    buckets.take(b"a")
    clock.now += 3600
    assert [buckets.take(b"a") > 0 for _ in range(4)] == [False, False, False, True]


def test_over_any_ten_minutes_the_rate_is_kept() -> None:
    clock = Clock(1000.0)
    buckets = TokenBuckets(7, clock)
    passed = 0
    for _ in range(6_000):
        passed += buckets.take(b"a") == 0.0
        clock.now += 0.1
    assert 7 * 10 <= passed <= 7 * 11


class Caller:
    """Asks an app behind the wall as one address."""

    def __init__(self, **wall: Any) -> None:
        self.clock = Clock(1000.0)
        self.wall = RateWall(PlainTextResponse("answered"), clock=self.clock, **wall)

    def ask(self, address: str, path: str = "/api/categories", key: str = "") -> tuple[int, str]:
        """Status and Retry-After."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("a request is refused before it is read")

        headers = [(b"x-api-key", key.encode())]
        scope = {"type": "http", "path": path, "headers": headers, "client": (address, 1)}
        asyncio.run(self.wall(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]).get(b"retry-after", b"").decode()


def test_an_address_that_asks_too_often_waits_and_no_other_does() -> None:
    caller = Caller(a_minute=2, by_key=False)
    assert [caller.ask("10.0.0.1")[0] for _ in range(3)] == [200, 200, 429]
    assert caller.ask("10.0.0.1") == (429, "30")
    assert caller.ask("10.0.0.2") == (200, "")
    caller.clock.now += 30
    assert caller.ask("10.0.0.1") == (200, "")


def test_with_keys_each_key_has_its_own_from_wherever_it_comes() -> None:
    caller = Caller(a_minute=1, by_key=True)
    assert caller.ask("10.0.0.1", key=KEYS[0])[0] == 200
    assert caller.ask("10.0.0.2", key=KEYS[0])[0] == 429
    assert caller.ask("10.0.0.1", key=KEYS[1])[0] == 200


def test_a_network_of_ipv6_is_one_caller() -> None:
    caller = Caller(a_minute=1, by_key=False)
    assert caller.ask("2001:db8:1:2::1")[0] == 200
    assert caller.ask("2001:db8:1:2:ffff::9")[0] == 429
    assert caller.ask("2001:db8:1:3::1")[0] == 200
    assert caller.ask("::ffff:10.0.0.1")[0] == caller.ask("::ffff:10.0.0.2")[0] == 200


def test_health_thumbnails_and_the_page_are_not_counted() -> None:
    caller = Caller(a_minute=1, by_key=False)
    for path in ("/", "/app.js", "/api/health", "/api/thumb/abc", "/catalog/a.jpg"):
        assert [caller.ask("10.0.0.1", path)[0] for _ in range(3)] == [200] * 3
    assert caller.ask("10.0.0.1")[0] == 200
