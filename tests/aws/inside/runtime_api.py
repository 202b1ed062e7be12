"""Lambda's Runtime API for one function instance: it sends events and receives replies.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_VERSION = "/2018-06-01/runtime"
_ENDED = re.compile(rf"{_VERSION}/invocation/([\w-]+)/(response|error)")


@dataclass(frozen=True)
class Invocation:
    """One event and its metadata."""

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str


@dataclass(frozen=True)
class Outcome:
    """The function's reply or error; without a request id it is of the function's start."""

    request_id: str | None
    body: Any
    failed: bool


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Ignored: the connection of an instance that was killed."""


class RuntimeApi:
    """Serves one instance on loopback; `waiting` is set once it first asks for an event."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self._invocations: queue.Queue[Invocation] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """host:port, as AWS_LAMBDA_RUNTIME_API names it."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def send(self, invocation: Invocation) -> None:
        """Hand out an event."""
        self._invocations.put(invocation)

    def outcome(self, timeout: float) -> Outcome | None:
        """What the function said, or None after this many seconds."""
        try:
            return self._outcomes.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Send a reply in one write: Nagle's algorithm would delay a second one.
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                if self.path != f"{_VERSION}/invocation/next":
                    return self._reply(404, b"{}")
                api.waiting.set()
                given = api._invocations.get()
                return self._reply(
                    200,
                    given.event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": given.request_id,
                        "Lambda-Runtime-Deadline-Ms": str(given.deadline_ms),
                        "Lambda-Runtime-Invoked-Function-Arn": given.function_arn,
                        "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
                    },
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if match := _ENDED.fullmatch(self.path):
                    api._outcomes.put(Outcome(match[1], json.loads(body), match[2] == "error"))
                elif self.path == f"{_VERSION}/init/error":
                    api._outcomes.put(Outcome(None, json.loads(body), True))
                else:
                    return self._reply(404, b"{}")
                return self._reply(202, b'{"status":"OK"}')

            def _reply(
                self, status: int, body: bytes, headers: dict[str, str] | None = None
            ) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler
