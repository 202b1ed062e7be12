"""HTTP's rules on every reply: careful headers, HEAD, 304, 405, slow bodies, names of files.

Covers: http_rules, file_names, key_paths, docs_page.
"""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest

from lambdas.search import body_limit
from lambdas.search.docs_page import docs_page
from lambdas.search.file_names import options_of
from lambdas.search.http_rules import is_still_good
from lambdas.search.key_paths import KeyConvertor
from tests.lambdas.conftest import Shop
from tests.support.tiny_model import png


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/health", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/api/health", 405),
        ("POST", "/api/search-image", 422),
    ],
)
def test_every_reply_tells_browsers_to_be_careful(
    shop: Shop, method: str, path: str, status: int
) -> None:
    reply = shop.client.request(method, path)
    assert reply.status_code == status
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    if status >= 400:
        assert set(reply.json()["error"]) == {"code", "message", "request_id"}


@pytest.mark.parametrize("path", ["/api/health", "/api/categories", "/api/docs", "/api/items/none"])
def test_head_is_get_without_its_body(shop: Shop, path: str) -> None:
    head, get = shop.client.request("HEAD", path), shop.client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(("path", "allow"), [("/api/health", "GET, HEAD"), ("/api/why", "POST")])
def test_a_method_that_is_not_possible_names_those_that_are(
    shop: Shop, path: str, allow: str
) -> None:
    reply = shop.client.request("DELETE", path)
    assert (reply.status_code, reply.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    ("held", "good"),
    [('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"ab"', False), ("", False)],
)
def test_a_copy_is_good_by_its_whole_tag(held: str, good: bool) -> None:
    assert is_still_good('"a"', held) == good


def test_the_docs_page_loads_nothing_and_names_every_operation(shop: Shop) -> None:
    page = shop.client.get("/api/docs").text
    assert "<script" not in page and "http" not in page.split("<pre>")[0]
    for path, operations in shop.app.openapi()["paths"].items():
        for method in operations:
            assert f"<code>{method.upper()} {path}</code>" in page


def test_the_docs_page_shows_signs_as_they_are() -> None:
    operation: dict[str, Any] = {"description": "<b>", "responses": {}}
    info = {"title": "A & B", "version": "1"}
    page = docs_page({"info": info, "paths": {"/<x>": {"get": operation}}})
    assert "GET /&lt;x&gt;" in page and "A &amp; B" in page and "<b>" not in page


@pytest.mark.parametrize("name", ["filename*=UTF-8''caf%C3%A9.png", 'filename="café.png"'])
def test_a_file_is_one_by_either_name(shop: Shop, name: str) -> None:
    body = f'--x\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'.encode()
    body += png(1) + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    reply = shop.client.post("/api/search-image", content=body, headers=headers)
    assert reply.status_code == 200


def test_the_plain_name_counts_before_the_encoded_one() -> None:
    _, options = options_of(b"form-data; filename=\"a.png\"; filename*=UTF-8''b.png")
    assert options[b"filename"] == b"a.png"


def test_a_key_may_have_a_line_break(shop: Shop) -> None:
    assert KeyConvertor.regex == "(?s:.*)"
    reply = shop.client.get("/api/items/a%0Ab")
    assert (reply.status_code, "shows the item" in reply.json()["error"]["message"]) == (404, True)


def test_a_body_that_comes_too_slowly_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "_SECONDS", 0.2)

    async def asked() -> httpx.Response:
        async def trickle() -> Any:
            yield b"--x\r\n"
            await anyio.sleep(30)

        transport = httpx.ASGITransport(shop.app)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/api/search-image", content=trickle(), headers=headers)

    reply = anyio.run(asked)
    assert reply.status_code == 408
    assert "too slowly" in json.loads(reply.content)["error"]["message"]
