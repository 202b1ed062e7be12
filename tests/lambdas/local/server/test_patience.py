"""Patience: a connection that does not say what it wants is closed; what is no HTTP is told so."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from lambdas.local.server import patience


async def _app(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body"})  # type: ignore[operator]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(patience, "HEADERS_SECONDS", 0.5)
    config = uvicorn.Config(
        _app, log_level="critical", lifespan="off", http=patience.PatientProtocol
    )
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_caller_that_does_not_finish_its_headers_is_hung_up_on(
    address: tuple[str, int], said: bytes
) -> None:
    with socket.create_connection(address, timeout=30) as caller:
        caller.sendall(said)
        assert caller.recv(1) == b""


def test_a_second_request_may_come_on_the_same_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as caller:
        for _ in range(2):
            caller.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"204" in caller.recv(4096)


def test_what_is_no_http_is_refused_in_the_shape_of_all_errors(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as caller:
        caller.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        head, _, body = caller.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400") and b"nosniff" in head
    assert json.loads(body)["error"]["code"] == "malformed_request"
