"""A shop's API behind a real server, on a thread of the test, and clients of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from tests.lambdas.conftest import Shop


@contextmanager
def served(shop: Shop) -> Iterator[tuple[str, int]]:
    """The shop's API on an address of its own."""
    config = uvicorn.Config(shop.app, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    # With its protocol named: asyncio sets TCP_NODELAY on such sockets alone, and without it a
    # reply in two writes waits 40 ms for the client's acknowledgment.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join()


def visitor(address: tuple[str, int]) -> httpx.Client:
    """A client that several threads may share."""
    return httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=120)
