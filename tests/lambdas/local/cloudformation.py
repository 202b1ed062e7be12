"""CloudFormation on loopback, for the one question that `lens` asks: a stack's outputs.

moto's CloudFormation brings in two dozen packages; the real client asks this over real HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

NAMESPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'


@contextmanager
def cloudformation(stacks: dict[str, dict[str, str]], deny: str = "") -> Iterator[str]:
    """Serve these stacks' outputs, by name; `deny` is the code of a refusal. Its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            assert asked["Action"] == ["DescribeStacks"]
            (name,) = asked["StackName"]
            if deny:
                self._reply(403, _error(deny, "User: arn:aws:iam::1:user/x is not authorized"))
            elif name not in stacks:
                self._reply(400, _error("ValidationError", f"Stack with id {name} does not exist"))
            else:
                self._reply(200, _description(name, stacks[name]))

        def _reply(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _description(name: str, outputs: dict[str, str]) -> str:
    members = "".join(
        f"<member><OutputKey>{escape(key)}</OutputKey>"
        f"<OutputValue>{escape(value)}</OutputValue></member>"
        for key, value in outputs.items()
    )
    return (
        f"<DescribeStacksResponse {NAMESPACE}><DescribeStacksResult><Stacks><member>"
        f"<StackName>{escape(name)}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<CreationTime>2026-11-01T00:00:00Z</CreationTime><Outputs>{members}</Outputs>"
        "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )


def _error(code: str, message: str) -> str:
    return (
        f"<ErrorResponse {NAMESPACE}><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{escape(message)}</Message></Error></ErrorResponse>"
    )
