"""The walls: what a request passes before any of it is read, the outermost first."""

from __future__ import annotations

from starlette.middleware import Middleware

from lambdas.local.server.hosts import HostWall, answered_hosts
from lambdas.local.server.keys import KeyWall
from lambdas.local.server.rate import RateWall
from lens.settings import Settings


def walls_of(settings: Settings) -> list[Middleware]:
    """These settings' walls: the host's name, then a key, then the rate."""
    walls = [Middleware(HostWall, hosts=answered_hosts(settings))]
    if settings.api_keys:
        walls.append(Middleware(KeyWall, keys=settings.api_keys))
    if settings.rate:
        walls.append(Middleware(RateWall, a_minute=settings.rate, by_key=bool(settings.api_keys)))
    return walls
