"""A folder as an S3 bucket: read-only, from memory, fast enough never to be what is measured.

    python -m tests.benchmarks.s3_folder FOLDER [--latency SECONDS] [--rate BYTES_PER_SECOND]
        [--shared-rate BYTES_PER_SECOND]

It prints its address. A key is `/{bucket}/{path}`, whatever the bucket; GET and HEAD know `Range`,
`If-Match` and `If-None-Match`. `latency` is before a reply's first byte, `rate` one connection's,
`shared-rate` that of all of them together. What is written to the folder later is served too.

`POST /` breaks off every connection, as S3 does with those that are silent for long, and answers
with the bytes that were sent since it was last asked.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

_CHUNK = 1 << 20
_SHARED_CHUNK = 1 << 16  # small, so that connections share evenly
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@contextmanager
def s3_folder(
    folder: Path, *, latency: float = 0.0, rate: float = 0.0, shared_rate: float = 0.0
) -> Iterator[dict[str, str]]:
    """The environment of the server's clients; it is a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.s3_folder", str(folder)]
    command += [f"--latency={latency}", f"--rate={rate}", f"--shared-rate={shared_rate}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield {
                "AWS_ENDPOINT_URL": server.stdout.readline().strip(),
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
        finally:
            server.terminate()


def break_off(environment: dict[str, str]) -> int:
    """Break off every connection of a server's clients; the bytes sent since that was last done."""
    with urlopen(Request(environment["AWS_ENDPOINT_URL"], method="POST")) as reply:
        return int(reply.read())


@dataclass(frozen=True)
class _Object:
    data: bytes
    etag: str
    modified: str
    stamp: int  # of the file, in nanoseconds


class _Server(ThreadingHTTPServer):
    """Holds every file of the folder in memory: S3's own disks are not what is measured."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, latency: float, rate: float, shared_rate: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.latency, self.rate, self.shared_rate = latency, rate, shared_rate
        self.chunk = _SHARED_CHUNK if shared_rate else _CHUNK
        self.connections: set[socket.socket] = set()
        self.sent = 0
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._objects: dict[str, _Object] = {}
        for path in folder.rglob("*"):
            self.object(path.relative_to(folder).as_posix())

    def object(self, key: str) -> _Object | None:
        """What lies in the folder now."""
        path = self.folder / key
        if not path.is_file():
            return None
        found = self._objects.get(key)
        if found is None or found.stamp != path.stat().st_mtime_ns:
            found = self._objects[key] = _object(path)
        return found

    def take_turn(self, size: int) -> None:
        """Wait until so many bytes may be sent, and count them."""
        with self._lock:
            self.sent += size
            if not self.shared_rate:
                return
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size / self.shared_rate
            wait = self._free_at - now
        time.sleep(wait)

    def break_off(self, but: socket.socket) -> int:
        """Break off every connection but one, of which not even what is on its way arrives."""
        for each in self.connections - {but}:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            sent, self.sent = self.sent, 0
        return sent

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is stopped, or broken off, is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body leave together, or Nagle's algorithm waits for an answer
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        """Break off all the others."""
        body = str(self.server.break_off(self.connection)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        self._reply(with_body=False)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def _reply(self, *, with_body: bool) -> None:
        time.sleep(self.server.latency)
        _, _, key = unquote(urlsplit(self.path).path).removeprefix("/").partition("/")
        found = self.server.object(key)
        if found is None:
            return self._refuse(404, "NoSuchKey", with_body)
        if self.headers.get("If-Match", found.etag) != found.etag:
            return self._refuse(412, "PreconditionFailed", with_body)
        if self.headers.get("If-None-Match") == found.etag:
            return self._refuse(304, "NotModified", with_body=False)
        size, start, end = len(found.data), 0, len(found.data)
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked:
            start, end = int(asked[1]), min(int(asked[2] or size) + 1, size)
            if start >= size:
                return self._refuse(416, "InvalidRange", with_body)
        self.send_response(206 if asked else 200)
        self.send_header("ETag", found.etag)
        self.send_header("Last-Modified", found.modified)
        self.send_header("Content-Length", str(end - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if with_body:
            self._send(memoryview(found.data)[start:end])
        return None

    def _send(self, data: memoryview) -> None:
        size = self.server.chunk
        for start in range(0, len(data), size):
            chunk = data[start : start + size]
            self.server.take_turn(len(chunk))
            self.wfile.write(chunk)
            if self.server.rate:
                time.sleep(len(chunk) / self.server.rate)

    def _refuse(self, status: int, code: str, with_body: bool) -> None:
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if with_body else 0))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser(description="A folder as an S3 bucket, on loopback.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--shared-rate", type=float, default=0.0)
    options = parser.parse_args(arguments)
    rates = options.rate, options.shared_rate
    with _Server(options.folder, options.latency, *rates) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


def _object(path: Path) -> _Object:
    data = path.read_bytes()
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    found = path.stat()
    return _Object(data, f'"{etag}"', formatdate(found.st_mtime, usegmt=True), found.st_mtime_ns)


if __name__ == "__main__":
    main()
