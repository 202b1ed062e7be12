"""A shop's own page: another origin than the server's, with a strict policy and its own style."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What docs/widget.md says that a page needs, and nothing else; sinks for text are closed too.
POLICY = (
    "default-src 'self'; script-src 'self' {lens}; connect-src 'self' {lens}; "
    "img-src 'self' {lens}; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types image-lens"
)
HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>'
    '<link rel="stylesheet" href="shop.css">'
    '<script type="module" src="{lens}/lens-widget.js"></script><h1>A shop</h1>'
)
# Many shops make one rem 10 pixels wide. What a page's parts inherit must not reach the widget.
STYLE = "html { font-size: 62.5%; } body { letter-spacing: 3px; text-align: right; }"


@dataclass
class ShopPage:
    """A served page; what it has may be changed between two visits."""

    address: str
    lens: str = ""
    policy: str = POLICY
    body: str = "<image-lens></image-lens>"
    style: str = STYLE

    def reply(self, path: str) -> tuple[str, str]:
        """A file and its type."""
        if path == "/shop.css":
            return self.style, "text/css"
        return HEAD.format(lens=self.lens) + self.body.format(lens=self.lens), "text/html"


@contextmanager
def shop_page() -> Iterator[ShopPage]:
    """Serve it on localhost: for a browser another site than 127.0.0.1, where the server is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text, kind = page.reply(self.path)
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if page.policy:
                self.send_header("Content-Security-Policy", page.policy.format(lens=page.lens))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        page = ShopPage(f"http://localhost:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield page
        finally:
            server.shutdown()
            thread.join()
