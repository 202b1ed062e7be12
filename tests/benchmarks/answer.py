"""Answers: the project's or a baseline's service, asked in its own process without a network.

    python -m tests.benchmarks.answer project|torch|onnx FOLDER [--threads N] [--serve]
    python -m tests.benchmarks.answer torch|onnx FOLDER --once EVENT

Reads a task a line ({"search": [photo]}, {"embed": [photos]} or {"memory": []}, photos by number)
and writes a line for each: CPU and wall seconds, and what was found. Of N photos the first has the
number 0, and N where it is filled. `--once` prints the answer to the search in a file and ends;
before, it fetches the baseline's files from S3, as a function of the seed's design would.
`--serve` listens on 127.0.0.1 and prints its address.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from tests.benchmarks.workload import filled_photos_of, photos_of

BOUNDARY = "bench"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Side(Protocol):
    """What is measured. `prepare` is the caller's part of a search, and not counted."""

    @property
    def facts(self) -> dict[str, Any]: ...

    def prepare(self, photo: bytes) -> Any: ...

    def search(self, prepared: Any) -> dict[str, Any]: ...

    def embed(self, photos: Sequence[int]) -> None: ...

    def app(self) -> Any: ...


class Project:
    """The search function behind API Gateway's events, and the embed function behind SQS's."""

    def __init__(self, folder: Path, threads: int) -> None:
        os.environ |= {
            "LENS_CATALOG": str(folder / "catalog"),
            "LENS_ARTIFACTS": str(folder / "artifacts"),
            "LENS_CACHED_RESULTS": "1",  # photos take turns, so each is embedded anew
            "LENS_THREADS": str(threads or os.cpu_count() or 1),
        }
        self._folder = folder
        self._embed: Callable[[Any], Any] | None = None

    @cached_property
    def _handler(self) -> Any:
        from lambdas.search.function import handler

        return handler

    @property
    def facts(self) -> dict[str, Any]:
        health = json.loads(self._handler(_event("GET", "/api/health"), None)["body"])
        assert health["status"] == "ok", health
        told = ("precision", "milliseconds", "model_id")
        return {name: health[name] for name in told}

    def prepare(self, photo: bytes) -> dict[str, Any]:
        return search_event(photo)

    def search(self, prepared: dict[str, Any]) -> dict[str, Any]:
        reply = self._handler(prepared, None)
        assert reply["statusCode"] == 200, reply
        answer: dict[str, Any] = json.loads(reply["body"])
        return answer

    def embed(self, photos: Sequence[int]) -> None:
        from lens.gallery.versions import Look, Version
        from lens.pipeline.events import looks_message, sqs_event

        if self._embed is None:
            self._embed = self._embed_handler()
        looks = [Look(f"{photo:05}.jpg", Version.of_event("1")) for photo in photos]
        failed = self._embed(sqs_event([looks_message([look]) for look in looks]))
        assert failed == {"batchItemFailures": []}, failed

    def app(self) -> Any:
        from lambdas.local.server.app import local_app
        from lens.photos.catalog import Catalog
        from lens.search.searcher import Searcher
        from lens.settings import settings_from
        from lens.storage import open_storage

        settings = settings_from(os.environ)
        searcher = Searcher(open_storage(settings.artifacts), settings.limits, 1)
        searcher.refresh()
        return local_app(settings, searcher, Catalog(open_storage(settings.catalog)))

    def _embed_handler(self) -> Callable[[Any], Any]:
        """It writes segments and thumbnails: into artifacts that have the model alone."""
        from lambdas.embed.handler import EmbedHandler
        from lens.settings import settings_from
        from lens.storage import open_storage

        self._scratch = tempfile.TemporaryDirectory(prefix="lens-bench-")  # removed with this
        scratch = Path(self._scratch.name)
        shutil.copy(self._folder / "artifacts" / "current.json", scratch)
        (scratch / "models").symlink_to(self._folder / "artifacts" / "models")
        settings = settings_from({**os.environ, "LENS_ARTIFACTS": str(scratch)})
        return EmbedHandler(settings, open_storage(str(scratch)))


class Baseline:
    """A baseline's app, called as uvicorn calls it."""

    def __init__(self, folder: Path, threads: int, kind: str) -> None:
        if kind == "torch":
            from tests.benchmarks.baselines.torch_eager import load_service
        else:
            from tests.benchmarks.baselines.onnx_fp32 import load_service
        self._service = load_service(folder, threads)
        self._app = self._service.app()
        self._folder = folder
        self._loop = asyncio.Runner()
        self.facts: dict[str, Any] = {"precision": "fp32"}

    def prepare(self, photo: bytes) -> bytes:
        return form(photo)

    def search(self, prepared: bytes) -> dict[str, Any]:
        status, body = self._loop.run(_call(self._app, prepared))
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    def embed(self, photos: Sequence[int]) -> None:
        self._service.embed([self._photos[photo] for photo in photos])

    @cached_property
    def _photos(self) -> list[bytes]:
        return photos_of(self._folder)

    def app(self) -> Any:
        return self._app


def form(photo: bytes, top_k: int = 12) -> bytes:
    """A search as a browser posts it."""
    return (
        b'--%(mark)s\r\nContent-Disposition: form-data; name="top_k"\r\n\r\n%(top_k)d\r\n'
        b'--%(mark)s\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%(photo)s\r\n--%(mark)s--\r\n"
    ) % {b"mark": BOUNDARY.encode(), b"top_k": top_k, b"photo": photo}


def search_event(photo: bytes) -> dict[str, Any]:
    """The same as API Gateway hands it to a function (payload 2.0)."""
    body = form(photo)
    event = _event("POST", "/api/search-image")
    event["headers"] |= {"content-type": TYPE, "content-length": str(len(body))}
    return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _event(method: str, path: str) -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "shop"},
        "requestContext": {
            "http": {**http, "userAgent": "bench"},
            "stage": "$default",
            "domainName": "shop",
        },
        "body": None,
        "isBase64Encoded": False,
    }


async def _call(app: Any, body: bytes) -> tuple[int, bytes]:
    """One request to an ASGI app."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/search-image",
        "raw_path": b"/api/search-image",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
        ],
    }
    status, parts = 0, []
    done = asyncio.Event()
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in sent:
            return message
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    done.set()
    return status, b"".join(parts)


def _side(kind: str, folder: Path, threads: int) -> Side:
    return Project(folder, threads) if kind == "project" else Baseline(folder, threads, kind)


def _do(side: Side, photos: list[bytes], task: dict[str, list[int]]) -> dict[str, Any]:
    (what, numbers), *_ = task.items()
    if what == "memory":
        return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    prepared = [side.prepare(photos[number]) for number in numbers] if what == "search" else []
    cpu, wall = time.process_time(), time.perf_counter()
    answers = [side.search(each) for each in prepared]
    if what == "embed":
        side.embed(numbers)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "items": [a["hits"][0]["item_id"] for a in answers]}


def _serve(side: Side) -> None:
    """As `lens serve` does: uvicorn on one port, told to whoever started this."""
    import uvicorn

    app = side.app()
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)  # callers may come before uvicorn does
    _say({"port": listener.getsockname()[1]})
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run([listener])


_replies = sys.stdout


def _say(reply: dict[str, Any]) -> None:
    print(json.dumps(reply), file=_replies, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser(description="Answer photos, for the benchmarks.")
    parser.add_argument("side", choices=("project", "torch", "onnx"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--once", type=Path, metavar="EVENT")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args(arguments)
    # Replies have the standard output to themselves; what libraries print goes to the errors.
    global _replies
    _replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if options.once:
        from tests.benchmarks.baselines.files import fetched

        event = json.loads(options.once.read_bytes())
        with fetched(options.side) as folder:
            baseline = Baseline(folder, options.threads, options.side)
            _say(baseline.search(base64.b64decode(event["body"])))
        return
    side = _side(options.side, options.folder, options.threads)
    if options.serve:
        _serve(side)
        return
    photos = [*photos_of(options.folder), *filled_photos_of(options.folder)]
    _say(side.facts)
    for line in sys.stdin:
        _say(_do(side, photos, json.loads(line)))


if __name__ == "__main__":
    main()
