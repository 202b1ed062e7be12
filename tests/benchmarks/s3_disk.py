"""A folder as an S3 bucket that may be written: from disk, each request late, all of them counted.

    python -m tests.benchmarks.s3_disk FOLDER [--latency SECONDS] [--rate BYTES_PER_SECOND]

It prints its address. A key is `/{bucket}/{path}`; the bucket is a folder. It knows what an engine
asks of S3: ranges, lists, conditional writes, uploads in parts and deletions. `latency` is before a
reply's first byte, `rate` one request's. `/-/counts` tells what was asked since it was last told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_COUNTS = "/-/counts"
_PAGE = 1_000


@dataclass(frozen=True)
class Disk:
    """Where the bucket is served."""

    address: str

    @property
    def options(self) -> dict[str, str]:
        """What Lance's S3 client is opened with."""
        return {
            "aws_endpoint": self.address,
            "allow_http": "true",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "aws_region": "us-east-1",
        }

    def counts(self) -> dict[str, int]:
        """Requests by method, and the bytes of their bodies, since this was last asked."""
        with urllib.request.urlopen(self.address + _COUNTS) as reply:
            found: dict[str, int] = json.loads(reply.read())
        return found


@contextmanager
def s3_disk(folder: Path, *, latency: float = 0.0, rate: float = 0.0) -> Iterator[Disk]:
    """A server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.s3_disk", str(folder)]
    command += [f"--latency={latency}", f"--rate={rate}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Disk(server.stdout.readline().strip())
        finally:
            server.terminate()


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class _Reply:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None  # of a HEAD's object, which is not sent

    def encoded(self) -> bytes:
        head = f"HTTP/1.1 {self.status} .\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        length = len(self.body) if self.length is None else self.length
        return f"{head}Content-Length: {length}\r\n\r\n".encode() + self.body


class _Bucket:
    """What is asked of the folder. Replies are made at one time, so a write is seen whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, dict[int, bytes]] = {}

    def reply(self, request: _Request) -> _Reply:
        bucket, _, key = request.path.removeprefix("/").partition("/")
        place = self.folder / bucket / key
        match request.method:
            case "GET" if not key:
                return self._list(bucket, request.query)
            case "GET" | "HEAD":
                return _read(place, request)
            case "PUT" if "uploadId" in request.query:
                number = int(request.query["partNumber"])
                self.parts[request.query["uploadId"]][number] = request.body
                return _Reply(headers=(("ETag", f'"{number}"'),))
            case "PUT":
                return _write(place, request, request.body)
            case "POST" if "uploads" in request.query:
                upload = uuid.uuid4().hex
                self.parts[upload] = {}
                return _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")
            case "POST" if "uploadId" in request.query:
                parts = self.parts.pop(request.query["uploadId"])
                reply = _write(place, request, b"".join(parts[number] for number in sorted(parts)))
                if reply.status != 200:
                    return reply
                etag = escape(dict(reply.headers)["ETag"])
                return _xml("CompleteMultipartUploadResult", f"<ETag>{etag}</ETag>")
            case "POST":
                for name in re.findall(r"<Key>(.*?)</Key>", request.body.decode()):
                    (self.folder / bucket / unescape(name)).unlink(missing_ok=True)
                return _xml("DeleteResult", "")
            case "DELETE":
                self.parts.pop(request.query.get("uploadId", ""), None)
                if "uploadId" not in request.query:
                    place.unlink(missing_ok=True)
                return _Reply(204)
        return _refused(501, "NotImplemented")

    def _list(self, bucket: str, query: dict[str, str]) -> _Reply:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        top = self.folder / bucket
        start = top / prefix.rpartition("/")[0]
        files = (file for file in start.rglob("*") if file.is_file()) if start.is_dir() else ()
        contents, groups = [], set()
        for key in sorted(file.relative_to(top).as_posix() for file in files):
            rest = key.removeprefix(prefix)
            if not key.startswith(prefix) or key <= after:
                continue
            if delimiter and delimiter in rest:
                groups.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                contents.append(key)
        more = len(contents) > _PAGE
        contents = contents[:_PAGE]
        body = "".join(_entry(top / key, key) for key in contents)
        body += "".join(
            f"<CommonPrefixes><Prefix>{escape(group)}</Prefix></CommonPrefixes>"
            for group in sorted(groups)
        )
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        if more:
            truncated += f"<NextContinuationToken>{escape(contents[-1])}</NextContinuationToken>"
        count = f"<KeyCount>{len(contents)}</KeyCount>"
        return _xml(
            "ListBucketResult", f"<Prefix>{escape(prefix)}</Prefix>{count}{truncated}{body}"
        )


class _Server:
    def __init__(self, folder: Path, latency: float, rate: float) -> None:
        self.bucket, self.latency, self.rate = _Bucket(folder), latency, rate
        self.counts: Counter[str] = Counter()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other."""
        try:
            while True:
                request = await _next_request(reader)
                if request.path == _COUNTS:
                    reply = _Reply(body=json.dumps(self.counts).encode())
                    self.counts = Counter()
                else:
                    # Late first: two writers are then decided by who arrives, as on S3.
                    sent = len(request.body)
                    await asyncio.sleep(self.latency + (sent / self.rate if self.rate else 0))
                    reply = self.bucket.reply(request)
                    if self.rate and reply.body:
                        await asyncio.sleep(len(reply.body) / self.rate)
                    self.counts[request.method] += 1
                    self.counts["bytes"] += len(reply.body)
                    self.counts["bytes sent"] += sent
                writer.write(reply.encoded())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()


async def _next_request(reader: asyncio.StreamReader) -> _Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    address = urlsplit(target)
    query = {
        name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()
    }
    return _Request(method, unquote(address.path), query, headers, body)


def _read(place: Path, request: _Request) -> _Reply:
    if not place.is_file():
        return _refused(404, "NoSuchKey", request.method == "GET")
    size, start, end = place.stat().st_size, 0, place.stat().st_size
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked and asked[1]:
        start, end = int(asked[1]), min(int(asked[2] or size) + 1, size)
    elif asked:
        start = max(size - int(asked[2]), 0)
    if asked and start >= size:
        return _refused(416, "InvalidRange", request.method == "GET")
    headers = [("ETag", _etag(place)), ("Last-Modified", _modified(place))]
    if asked:
        headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    status = 206 if asked else 200
    if request.method == "HEAD":
        return _Reply(status, headers=tuple(headers), length=end - start)
    file = os.open(place, os.O_RDONLY)
    try:
        return _Reply(status, os.pread(file, end - start, start), tuple(headers))
    finally:
        os.close(file)


def _write(place: Path, request: _Request, body: bytes) -> _Reply:
    if request.headers.get("if-none-match") == "*" and place.exists():
        return _refused(412, "PreconditionFailed")
    match = request.headers.get("if-match")
    if match is not None and (not place.exists() or _etag(place) != match):
        return _refused(412, "PreconditionFailed")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body)
    return _Reply(headers=(("ETag", _etag(place)),))


def _refused(status: int, code: str, with_body: bool = True) -> _Reply:
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
    return _Reply(status, body if with_body else b"")


def _xml(root: str, inside: str) -> _Reply:
    return _Reply(200, f"<{root}>{inside}</{root}>".encode(), (("Content-Type", "text/xml"),))


def _entry(place: Path, key: str) -> str:
    found = place.stat()
    when = datetime.fromtimestamp(found.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{when}</LastModified>"
        f"<ETag>{escape(_etag(place))}</ETag><Size>{found.st_size}</Size></Contents>"
    )


def _modified(place: Path) -> str:
    return formatdate(place.stat().st_mtime, usegmt=True)


def _etag(place: Path) -> str:
    found = place.stat()
    return f'"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"'


async def _serve(server: _Server) -> None:
    # Lance writes manifests and parts of up to some 100 MB; heads are small.
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, limit=1 << 20)
    port = listening.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await listening.serve_forever()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser(description="A folder as an S3 bucket, on loopback.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args(arguments)
    asyncio.run(_serve(_Server(options.folder, options.latency, options.rate)))


if __name__ == "__main__":
    main()
