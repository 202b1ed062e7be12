"""`lens serve` is stopped as systemd and Docker do it: what runs is answered, then it ends with 0.

Covers: app.
"""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.serving import serving
from tests.lambdas.local.photos import garment, write_photos

pytestmark = pytest.mark.slow


def test_searches_that_run_or_wait_are_answered_and_new_ones_are_not_taken(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(8))
    with serving(tmp_path / "photos", tmp_path / "made", 8, LENS_THREADS="1") as server:
        with ThreadPoolExecutor(6) as visitors, httpx.Client(base_url=server.address) as idle:
            assert idle.get("/api/health").status_code == 200  # its connection is kept open
            searches = [
                visitors.submit(
                    httpx.post,
                    f"{server.address}/api/search-image",
                    files={"file": garment(600 + number)},
                    timeout=60,
                )
                for number in range(6)
            ]
            taken = 0  # all must have arrived: a busy machine may be slow to connect them
            while taken < len(searches):
                answered = sum(search.done() for search in searches)
                load = idle.get("/api/health").json()["load"]["searches"]
                taken = answered + load["running"] + load["waiting"]
                assert answered < len(searches), "they were too fast to see"
            server.process.send_signal(signal.SIGTERM)
            assert [search.result().status_code for search in searches] == [200] * 6
        assert server.process.wait(20) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.address)


def test_a_caller_that_never_ends_its_request_does_not_hold_the_server(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(2))
    with serving(tmp_path / "photos", tmp_path / "made", 2) as server:
        host, port = server.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as slow:
            slow.sendall(
                b"POST /api/search-image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
            )
            time.sleep(0.5)
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0
            assert time.monotonic() - began < 30
