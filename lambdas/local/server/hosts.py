"""Hosts: the names that the server answers for, so that no other site's name may lead to it.

A page of another site can have its own name resolve to this machine (DNS rebinding); the browser
then takes this server for that site and lets the page read every reply. The Host header tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lambdas.search.errors import WRONG_HOST, reply
from lens.errors import UsageError
from lens.settings import Settings

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def answered_hosts(settings: Settings) -> tuple[str, ...]:
    """Names in Host's form; UsageError when others can reach the server and none is set.

    Loopback's names are always among them: no other site can have those, and health is asked by
    them.
    """
    if not settings.allowed_hosts and not _is_loopback(settings.host):
        raise UsageError(
            f"LENS_HOST={settings.host!r} lets other machines in: set LENS_ALLOWED_HOSTS to the "
            "names by which they reach this server, like shop.example"
        )
    own = f"[{settings.host}]" if ":" in settings.host else settings.host
    return (*_LOOPBACK, own.lower(), *settings.allowed_hosts)


class HostWall:
    """ASGI middleware: 421 for a request to another host than these.

    Starlette's own TrustedHostMiddleware replies in plain text instead of in the shape of our
    errors.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._any = "*" in hosts
        self._names = frozenset(hosts)
        self._endings = tuple(host[1:] for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and not self._any:
            name = _name(Headers(scope=scope).get("host", ""))
            if name not in self._names and not name.endswith(self._endings):
                message = WRONG_HOST.example.replace("other.example", name)
                await reply(WRONG_HOST, message)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name(host: str) -> str:
    """A Host header without its port; a name's last dot is only the root's."""
    address, bracket, _ = host.partition("]")
    return address + bracket if bracket else host.partition(":")[0].rstrip(".").lower()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
