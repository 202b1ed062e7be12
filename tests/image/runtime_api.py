"""The Runtime API: what Lambda offers a function's process, on loopback, one event at a time."""

from __future__ import annotations

import json
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DEADLINE_SECONDS = 60


class RuntimeApi(ThreadingHTTPServer):
    """Hands events to the process that asks for them, and its replies back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"127.0.0.1:{self.server_port}"
        self.events: queue.Queue[Any] = queue.Queue()
        self.replies: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.ready = threading.Event()

    def invoke(self, event: dict[str, Any]) -> Any:
        """The function's reply; AssertionError with its own words when it failed."""
        self.events.put(event)
        kind, reply = self.replies.get(timeout=_DEADLINE_SECONDS)
        assert kind == "response", reply
        return reply

    def handle_error(self, *_: object) -> None:
        """The function is ended while it waits for an event."""


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """A Runtime API that answers until the end."""
    with RuntimeApi() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        """…/runtime/invocation/next"""
        self.server.ready.set()
        event = self.server.events.get()
        self._reply(
            200,
            json.dumps(event).encode(),
            {
                # Without it awslambdaric's native client crashes.
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + _DEADLINE_SECONDS) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
            },
        )

    def do_POST(self) -> None:
        """…/invocation/{id}/response, …/invocation/{id}/error or …/init/error"""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.replies.put((self.path.rsplit("/", 1)[1], body))
        self._reply(202, b"{}")

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        # In one write with the headers, or Nagle holds it back.
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
