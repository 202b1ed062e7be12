"""The walls: what a request passes before any of it is read, the outermost first."""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware

from lambdas.local.server.hosts import HostWall, answered_hosts
from lambdas.local.server.keys import HEALTH, KeyWall
from lambdas.local.server.rate import RateWall, counts
from lambdas.search.errors import NO_KEY, TOO_OFTEN, WRONG_HOST, Refusal, documented
from lens.settings import Settings

# Where a key may stand (keys.py); clients that are generated put it there.
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "password": {"type": "http", "scheme": "basic", "description": "any name, the key as password"},
}


def walls_of(settings: Settings) -> list[Middleware]:
    """These settings' walls: the host's name, then a key, then the rate."""
    walls = [Middleware(HostWall, hosts=answered_hosts(settings))]
    if settings.api_keys:
        walls.append(Middleware(KeyWall, keys=settings.api_keys))
    if settings.rate:
        walls.append(Middleware(RateWall, a_minute=settings.rate, by_key=bool(settings.api_keys)))
    return walls


def declare_walls(document: dict[str, Any], settings: Settings) -> None:
    """Say in an OpenAPI document what these settings' walls want and how they refuse."""
    if settings.api_keys:
        document["components"]["securitySchemes"] = _SCHEMES
        document["security"] = [{name: []} for name in _SCHEMES]
        document["paths"][HEALTH]["get"]["security"] = []
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in documented(*_refusals(path, settings)).items():
                schema = {"$ref": "#/components/schemas/ErrorSchema"}
                response.pop("model")
                response["content"]["application/json"]["schema"] = schema
                operation["responses"][str(status)] = response


def _refusals(path: str, settings: Settings) -> list[Refusal]:
    """How the walls may refuse a request to this path."""
    refusals = [WRONG_HOST]
    if settings.api_keys and path != HEALTH:
        refusals.append(NO_KEY)
    if settings.rate and counts(path):
        refusals.append(TOO_OFTEN)
    return refusals
