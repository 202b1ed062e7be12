"""A real TLS server on this machine, which only tests let be reached; a shop's pictures on it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lens.fetching.addresses import is_public
from lens.fetching.fetch import Fetcher

HOST = "shop.example"
# Names that lead inside, some of them among others.
_NAMES = {"inside.example": ["10.0.0.1"], "both.example": ["8.8.8.8", "10.0.0.1"]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # callers hang up on purpose


@contextmanager
def serving_tls(
    handler: type[BaseHTTPRequestHandler], folder: Path, days: float = 1
) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Serve https as shop.example, with a certificate that ends in so many days; its port, and what
    a caller trusts."""
    file = _certificate(folder / "shop.pem", days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1], ssl.create_default_context(cafile=str(file))
    finally:
        server.shutdown()
        server.server_close()


def local_fetcher(port: int, tls: ssl.SSLContext, max_bytes: int, seconds: float = 8.0) -> Fetcher:
    """A fetcher that takes every name but those inside for this machine, which it may reach."""
    return Fetcher(
        max_bytes,
        seconds=seconds,
        ports=(443, port),
        resolve=lambda name, _: _NAMES.get(name, ["127.0.0.1"]),
        reachable=lambda ip: ip == "127.0.0.1" or is_public(ip),
        tls=tls,
    )


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class PictureShop:
    """Pictures by path; what was asked for, and how many at the same time."""

    address: str = ""
    port: int = 0
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    pictures: dict[str, bytes | Answer | Callable[[], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    seconds: float = 0.0  # that each answer takes
    most_at_once: int = 0
    at_once: int = 0

    @property
    def fetcher(self) -> Fetcher:
        """Who may fetch here, a megabyte at most."""
        return local_fetcher(self.port, self.tls, 1_000_000)

    def fetch(self, url: str) -> bytes:
        """What is at an address."""
        return self.fetcher.fetch(url)


@contextmanager
def picture_shop(folder: Path) -> Iterator[PictureShop]:
    """A shop that answers as its `pictures` say, 404 otherwise."""
    shop, lock = PictureShop(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                shop.asked.append(self.path)
                shop.agents.add(self.headers["User-Agent"])
                shop.at_once += 1
                shop.most_at_once = max(shop.most_at_once, shop.at_once)
            time.sleep(shop.seconds)
            answer = shop.pictures.get(self.path, (404, {}, b""))
            if callable(answer):
                answer = answer()
            status, headers, body = (200, {}, answer) if isinstance(answer, bytes) else answer
            with lock:
                shop.at_once -= 1
            self.send_response(status)
            for name, value in {"Content-Type": "image/jpeg", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with serving_tls(Handler, folder) as (shop.port, shop.tls):
        shop.address = f"https://{HOST}:{shop.port}"
        yield shop


def _certificate(file: Path, days: float) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
