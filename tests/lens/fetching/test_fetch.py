"""Fetching from a real TLS server on this machine, which only these tests let be reached."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lens.errors import AddressRefusedError, FetchError, LensError, PhotoTooLargeError
from lens.fetching.addresses import is_public
from lens.fetching.fetch import Fetcher

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
                status, headers["Location"] = 302, argument
            case "missing":
                status = 404
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # callers hang up on purpose


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, ssl.SSLContext]]:
    file = _certificate(tmp_path_factory.mktemp("tls") / "shop.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = _Server(("127.0.0.1", 0), _Shop)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    _Shop.asked = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1], ssl.create_default_context(cafile=str(file))
    server.shutdown()
    server.server_close()


def _certificate(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


_NAMES = {"inside.example": ["10.0.0.1"], "both.example": ["8.8.8.8", "10.0.0.1"]}


def _fetch(shop: tuple[int, ssl.SSLContext], path: str, host: str = "shop.example") -> bytes:
    port, tls = shop
    fetcher = Fetcher(
        1000,
        seconds=0.5 if path == "slow" else 8.0,
        ports=(443, port),
        resolve=lambda name, _: _NAMES.get(name, ["127.0.0.1"]),
        reachable=lambda ip: ip == "127.0.0.1" or is_public(ip),
        tls=tls,
    )
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
        ("missing", FetchError, "404"),
        ("page", FetchError, "not that of a photo"),
        ("packed", FetchError, "packed"),
        ("partial", FetchError, "cannot be fetched|only part"),
        ("large", PhotoTooLargeError, "0.0 MB"),
        ("endless", PhotoTooLargeError, "0.0 MB"),
        ("slow", FetchError, "too long"),
    ],
)
def test_what_is_in_the_way_is_said(
    shop: tuple[int, ssl.SSLContext], path: str, error: type[LensError], says: str
) -> None:
    started = time.monotonic()
    with pytest.raises(error, match=says) as raised:
        _fetch(shop, path)

    assert type(raised.value) is error and "10.0.0.1" not in str(raised.value)
    assert time.monotonic() - started < 3


def test_a_certificate_of_another_name_is_refused(shop: tuple[int, ssl.SSLContext]) -> None:
    before = len(_Shop.asked)
    with pytest.raises(FetchError, match="cannot be fetched"):
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
