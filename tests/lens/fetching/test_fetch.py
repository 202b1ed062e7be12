"""Fetching from a real TLS server on this machine, which only these tests let be reached."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import quote, unquote

import pytest

from lens.errors import (
    AddressRefusedError,
    FetchError,
    HostError,
    LensError,
    PhotoTooLargeError,
)
from lens.fetching.fetch import Fetcher
from tests.support.https_server import local_fetcher, serving_tls

_PHOTO = b"a photo's bytes"


class _Shop(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path, _, argument = self.path[1:].partition("?")
        headers = {"Content-Type": "image/jpeg"}
        status, body = 200, _PHOTO
        match path:
            case "to":
                status, headers["Location"] = 302, unquote(argument)
            case "missing":
                status = 404
            case "busy":
                status, headers["Retry-After"] = 503, unquote(argument)
            case "page":
                headers["Content-Type"] = "text/html"
            case "packed":
                headers["Content-Encoding"], body = "gzip", gzip.compress(bytes(10**6))
            case "large" | "endless":
                body = bytes(2000)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if path not in {"endless", "slow"}:
            announced = 900 if path == "partial" else len(body)
            self.send_header("Content-Length", str(announced))
        self.end_headers()
        if path == "slow":
            for _ in range(100):
                self.wfile.write(b".")
                time.sleep(0.05)
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, ssl.SSLContext]]:
    _Shop.asked = []
    with serving_tls(_Shop, tmp_path_factory.mktemp("tls")) as server:
        yield server


def _fetch(shop: tuple[int, ssl.SSLContext], path: str, host: str = "shop.example") -> bytes:
    port, tls = shop
    fetcher = local_fetcher(port, tls, 1000, seconds=0.5 if path == "slow" else 60.0)
    return fetcher.fetch(f"https://{host}:{port}/{path}")


def test_a_photo_is_fetched_also_where_it_has_moved(shop: tuple[int, ssl.SSLContext]) -> None:
    assert _fetch(shop, "photo") == _PHOTO
    assert _fetch(shop, "to?/to?/to?/photo") == _PHOTO


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("to?/to?/to?/to?/photo", FetchError, "more than 3 times"),
        ("to?http://shop.example/photo", AddressRefusedError, "https"),
        ("to?https://inside.example/photo", AddressRefusedError, "public internet"),
        ("to?https://both.example/photo", AddressRefusedError, "public internet"),
        ("to?https://user@shop.example/", AddressRefusedError, "user"),
        ("to?//[bad/photo", FetchError, "redirects to what is none"),
        ("to?https://shop.example:99999/photo", AddressRefusedError, "no address"),
        ("missing", FetchError, "404"),
        ("page", FetchError, "not that of a photo"),
        ("packed", FetchError, "packed"),
        ("busy", HostError, "503"),
        ("partial", HostError, "cannot be fetched|only part"),
        ("large", PhotoTooLargeError, "0.0 MB"),
        ("endless", PhotoTooLargeError, "0.0 MB"),
        ("slow", HostError, "too long"),
    ],
)
def test_what_is_in_the_way_is_said(
    shop: tuple[int, ssl.SSLContext], path: str, error: type[LensError], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        _fetch(shop, path)

    assert type(raised.value) is error and "10.0.0.1" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("Wed,%2021%20Oct%202015%2007:28:00%20GMT", 0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_how_long_a_busy_host_wants_to_be_left_alone_is_told(
    shop: tuple[int, ssl.SSLContext], told: str, seconds: float | None
) -> None:
    with pytest.raises(HostError) as raised:
        _fetch(shop, f"busy?{told}")
    assert raised.value.retry_after == seconds


def test_a_date_to_come_is_so_many_seconds(shop: tuple[int, ssl.SSLContext]) -> None:
    with pytest.raises(HostError) as raised:
        _fetch(shop, f"busy?{quote(formatdate(time.time() + 90, usegmt=True))}")
    assert raised.value.retry_after is not None and 80 < raised.value.retry_after <= 90


def test_a_certificate_of_another_name_is_refused(shop: tuple[int, ssl.SSLContext]) -> None:
    before = len(_Shop.asked)
    with pytest.raises(HostError, match="cannot be fetched"):
        _fetch(shop, "photo", host="other.example")
    assert len(_Shop.asked) == before


def test_this_machine_is_not_reached_by_any_name() -> None:
    for host in ("localhost", "localhost.", "127.0.0.1", "2130706433", "0x7f.1", "[::1]"):
        with pytest.raises(AddressRefusedError):
            Fetcher(1000).fetch(f"https://{host}/")


def test_the_ip_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    connected = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(FetchError):
        Fetcher(1000, resolve=lambda *_: next(answers)).fetch("https://rebinding.example/")

    assert connected == [("8.8.8.8", 443)]
