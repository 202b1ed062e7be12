"""The page's files as the local server sends them: compressed, confined, and to which sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambdas.local.server.app import local_app
from lambdas.local.server.page import frontend_folder
from lens.settings import Settings
from tests.lambdas.conftest import Client, Shop

SITE = "https://shop.example"


def client(shop: Shop, **settings: object) -> Client:
    """The local server's app over this shop."""
    changed = Settings.model_validate({**shop.settings.model_dump(), **settings})
    return Client(local_app(changed, shop.searcher, shop.pipeline.catalog))


@pytest.mark.parametrize("path", ["/", "/lens-widget.js", "/app.js", "/markup.js", "/base.css"])
def test_text_comes_compressed_to_whoever_understands_it(shop: Shop, path: str) -> None:
    folder = frontend_folder()
    plain = (folder / (path.strip("/") or "index.html")).read_bytes()
    here = {"Host": "localhost"}
    reply = client(shop).get(path, headers={**here, "Accept-Encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in reply.headers["vary"].lower()
    assert int(reply.headers["content-length"]) < 0.6 * len(plain)
    assert reply.content == plain
    reply = client(shop).get(path, headers={**here, "Accept-Encoding": "identity"})
    assert "content-encoding" not in reply.headers
    assert reply.content == plain


def test_a_page_that_has_not_changed_is_not_sent_again(shop: Shop) -> None:
    first = client(shop).get("/app.js", headers={"Host": "localhost"})
    again = {"Host": "localhost", "If-None-Match": first.headers["etag"]}
    reply = client(shop).get("/app.js", headers=again)
    assert (reply.status_code, reply.content) == (304, b"")
    assert reply.headers["cache-control"] == "no-cache"


def test_a_file_that_was_changed_is_sent_as_it_is_now(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.local.server.page.frontend_folder", lambda: tmp_path)
    file, here = tmp_path / "app.js", {"Host": "localhost"}
    file.write_text("first")
    browser = client(shop)
    first = browser.get("/app.js", headers=here)
    file.write_text("second")
    again = browser.get("/app.js", headers={**here, "If-None-Match": first.headers["etag"]})
    assert (first.text, again.text) == ("first", "second")


@pytest.mark.parametrize("path", ["/none.js", "/../page.py", "/%2e%2e/page.py"])
def test_what_is_no_file_of_the_page_is_not_found(shop: Shop, path: str) -> None:
    reply = client(shop).get(path, headers={"Host": "localhost"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("sites", "said"),
    [
        ("", "frame-ancestors 'none'"),
        (f"{SITE}, https://*.b.example", f"{SITE} https://*.b.example"),
    ],
)
def test_only_named_sites_may_frame_the_page(shop: Shop, sites: str, said: str) -> None:
    reply = client(shop, frame_ancestors=sites).get("/", headers={"Host": "localhost"})
    assert reply.headers["content-security-policy"].endswith(said)


def test_only_named_sites_may_read_the_widgets_files(shop: Shop) -> None:
    for origin, allowed in ((SITE, SITE), ("https://elsewhere.example", None)):
        for path in ("/lens-widget.js", "/base.css", "/api/categories"):
            asked = {"Host": "localhost", "Origin": origin}
            reply = client(shop, cors_origins=SITE).get(path, headers=asked)
            assert reply.headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/search-image", 405, "POST"),
        ("PUT", "/api/health", 405, "GET, HEAD"),
        ("POST", "/api/nothing", 404, None),
        ("POST", "/app.js", 405, "GET, HEAD"),
    ],
)
def test_the_api_s_paths_are_none_of_the_page_s(
    shop: Shop, method: str, path: str, status: int, allow: str | None
) -> None:
    reply = client(shop).request(method, path, headers={"Host": "localhost"})
    assert (reply.status_code, reply.headers.get("allow")) == (status, allow)
