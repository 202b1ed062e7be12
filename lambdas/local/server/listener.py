"""The listener: the socket that the server accepts visitors on, and the address it shows."""

from __future__ import annotations

import errno
import socket

from lens.errors import UsageError


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """A bound socket and the address to open; UsageError when it cannot be bound."""
    try:
        # With its protocol named, or asyncio leaves Nagle on: every kept-alive reply waits 40 ms.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise UsageError(f"LENS_HOST={host!r}: {error.strerror}; set an address") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is taken; set LENS_PORT to another one") from error
        raise UsageError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    shown = f"[{host}]" if family == socket.AF_INET6 else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"
