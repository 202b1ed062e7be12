"""The rate: how many requests a minute one caller may make, counted in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from cachetools import TTLCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lambdas.local.server.keys import HEALTH
from lambdas.search.errors import TOO_OFTEN, reply
from lens.keys import given_key

_MINUTE = 60.0
_MOST_CALLERS = 65_536  # some megabytes; beyond it the one seen first is forgotten
# One answer shows a page full of thumbnails, which a browser keeps: they do not count.
_UNCOUNTED = (HEALTH, "/api/thumb/")


class TokenBuckets:
    """A bucket for each caller: full at first, it refills at `a_minute` tokens a minute."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_minute = a_minute
        self._clock = clock
        # Whoever was not seen for a minute has a full bucket again, as one who was never seen.
        self._left: TTLCache[bytes, tuple[float, float]] = TTLCache(_MOST_CALLERS, _MINUTE, clock)

    def take(self, caller: bytes) -> float:
        """Take a token: 0, or the seconds until there is one."""
        now = self._clock()
        tokens, since = self._left.get(caller, (float(self._a_minute), now))
        tokens = min(tokens + (now - since) * self._a_minute / _MINUTE, self._a_minute)
        taken = tokens >= 1
        self._left[caller] = (tokens - taken, now)
        return 0.0 if taken else (1 - tokens) * _MINUTE / self._a_minute


class RateWall:
    """ASGI middleware: 429 for a caller whose bucket is empty. With keys a caller is a key,
    otherwise an address."""

    def __init__(
        self,
        app: ASGIApp,
        a_minute: int,
        by_key: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._a_minute = a_minute
        self._by_key = by_key
        self._buckets = TokenBuckets(a_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and counts(scope["path"]):
            wait = math.ceil(self._buckets.take(self._caller(scope)))
            if wait:
                limit = f"at most {self._a_minute} requests a minute"
                after = f"{wait} second{'s' if wait > 1 else ''}"
                refusal = reply(
                    TOO_OFTEN, f"{limit}: try again in {after}", {"Retry-After": str(wait)}
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> bytes:
        return given_key(Headers(scope=scope)) if self._by_key else _network(scope)


def counts(path: str) -> bool:
    """Whether a request to this path takes a token."""
    return path.startswith("/api/") and not path.startswith(_UNCOUNTED)


def _network(scope: Scope) -> bytes:
    """The caller's address; of IPv6 the network, because one household has all of its addresses."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:  # a proxy's word for it
        return host.encode()
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return ip_network((address, 64), strict=False).network_address.packed
    return address.packed
