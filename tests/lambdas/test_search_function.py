"""The search function as Lambda runs it: its own process, HTTP API events of payload 2.0.

Covers: viewer.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import unquote

import pytest

import lens.search.searcher
from lens.photos.decoding import photo_id
from lens.search.serving import load_serving
from tests.lambdas.conftest import MakeShop, Shop
from tests.support.tiny_model import png

# Imports the handler once, then answers one event a line, as Lambda's runtime does.
RUNTIME = """
import json, sys
from lambdas.search.function import handler
for line in sys.stdin:
    print(json.dumps(handler(json.loads(line), None)), flush=True)
"""


def invoke(shop: Shop, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """The replies of one warm function to these events."""
    environment = {
        **os.environ,
        "LENS_CATALOG": shop.settings.catalog,
        "LENS_ARTIFACTS": shop.settings.artifacts,
        "LENS_THUMB_URL": "/thumbs/",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUNTIME],
        input="\n".join(json.dumps(event) for event in events),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = map(json.loads, done.stdout.splitlines())
    return [line for line in lines if "_aws" not in line]  # those are metrics


def event(method: str, path: str, body: bytes = b"", content_type: str = "") -> dict[str, Any]:
    """What API Gateway sends: headers in lower case, a binary body in base64."""
    headers = {"host": "abc.execute-api.eu-west-1.amazonaws.com", "x-forwarded-proto": "https"}
    if body:
        headers |= {"content-type": content_type, "content-length": str(len(body))}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "abc",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def search_event(photo: bytes, top_k: int = 3) -> dict[str, Any]:
    """A search as a browser posts it."""
    body = (
        b'--x\r\nContent-Disposition: form-data; name="top_k"\r\n\r\n%d\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%s\r\n--x--\r\n" % (top_k, photo)
    )
    return event("POST", "/api/search-image", body, "multipart/form-data; boundary=x")


def test_a_warm_function_answers_searches_thumbnails_and_errors(shop: Shop) -> None:
    found, again, health, thumb, item, refused, lost = invoke(
        shop,
        search_event(png(1)),
        search_event(png(1)),
        event("GET", "/api/health"),
        event("GET", f"/api/thumb/{photo_id(png(1))}"),
        event("GET", "/api/items/WOMEN/Dresses/id_1"),
        search_event(b"nonsense"),
        event("GET", "/api/nothing"),
    )
    assert found["statusCode"] == 200
    hits = json.loads(found["body"])["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert hits[0]["key"] == "img/WOMEN/Dresses/id_1/front.png"
    assert hits[0]["thumb_url"] == f"/thumbs/{hits[0]['photo_id']}"
    assert (shop.folder.parent / "artifacts" / hits[0]["thumb_url"][1:]).exists()
    assert again["body"] == found["body"]
    figures = json.loads(health["body"])["cache"]["results"]
    assert (figures["hits"], figures["misses"]) == (1, 1)
    assert thumb["isBase64Encoded"]
    assert base64.b64decode(thumb["body"]).startswith(b"\xff\xd8\xff")
    assert len(json.loads(item["body"])["photos"]) == 2
    assert refused["statusCode"] == 400
    assert json.loads(refused["body"])["error"]["code"] == "not_an_image"
    assert lost["statusCode"] == 404


def test_the_viewers_host_is_in_addresses_and_its_path_tells_items_apart(shop: Shop) -> None:
    shop.put("img/WOMEN/similar/front.png", png(7))
    shop.settle()

    def seen(path: str) -> dict[str, Any]:
        """What API Gateway sends of a request that came through CloudFront."""
        through = event("GET", unquote(path))
        through["headers"] |= {"x-lens-host": "shop.example", "x-lens-path": path}
        return through

    item, similar, of_similar, direct = (
        json.loads(reply["body"])
        for reply in invoke(
            shop,
            seen("/api/items/WOMEN%2Fsimilar"),
            seen("/api/items/WOMEN%2FDresses%2Fid_1/similar"),
            seen("/api/items/WOMEN%2Fsimilar/similar"),
            event("GET", "/api/items/WOMEN/Dresses/id_1"),
        )
    )
    assert [photo["key"] for photo in item["photos"]] == ["img/WOMEN/similar/front.png"]
    assert item["photos"][0]["image_url"].startswith("https://shop.example/catalog/img/")
    assert item["photos"][0]["thumb_url"].startswith("https://shop.example/thumbs/")
    assert similar["item_id"] == "WOMEN/Dresses/id_1" and len(similar["hits"]) == 5
    assert of_similar["item_id"] == "WOMEN/similar" and len(of_similar["hits"]) == 5
    assert direct["photos"][0]["image_url"].startswith("/catalog/img/")


def test_a_function_started_before_there_is_a_model_answers_without_hits(
    make_shop: MakeShop,
) -> None:
    found, health = invoke(make_shop(), search_event(png(1)), event("GET", "/api/health"))
    assert json.loads(found["body"])["hits"] == []
    assert json.loads(health["body"])["status"] == "empty"


def test_a_function_started_on_a_damaged_gallery_says_so_instead_of_crashing(shop: Shop) -> None:
    for path in (shop.folder.parent / "artifacts" / "models").rglob("*.onnx"):
        path.write_bytes(b"")
    found, health = invoke(shop, search_event(png(1)), event("GET", "/api/health"))
    assert found["statusCode"] == 503
    assert json.loads(health["body"])["status"] == "degraded"


def test_a_resumed_search_waits_for_the_newest_gallery_where_a_warm_one_answers_from_its_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loaded = load_serving, threading.Event()

    def load_slowly(*given: Any) -> Any:
        time.sleep(0.2)
        serving = load(*given)
        loaded.set()
        return serving

    shop.searcher.refresh()
    monkeypatch.setattr(lens.search.searcher, "load_serving", load_slowly)
    monkeypatch.setattr(lens.search.searcher, "_PATIENCE_SECONDS", 0.0)
    shop.put("warm.png", png(7))
    shop.settle()
    assert "warm.png" not in shop.keys(png(7), top_k=1)
    assert loaded.wait(30)
    shop.put("resumed.png", png(8))
    shop.settle()
    shop.searcher.resume()
    assert shop.keys(png(8), top_k=1) == ["resumed.png"]


def test_lambda_is_told_what_to_do_when_it_resumes_a_search(shop: Shop, tmp_path: Path) -> None:
    runtime = tmp_path / "snapshot_restore_py.py"
    runtime.write_text("hooks = []\nregister_after_restore = hooks.append\n")
    resume = """
        import snapshot_restore_py
        from lambdas.search.function import _searcher
        [hook] = snapshot_restore_py.hooks
        print(_searcher.serving is not None, hook == _searcher.resume)
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}){dedent(resume)}"],
        env={
            **os.environ,
            "LENS_CATALOG": shop.settings.catalog,
            "LENS_ARTIFACTS": shop.settings.artifacts,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "True True\n", done.stderr


def test_a_start_imports_nothing_that_a_search_does_not_need(shop: Shop) -> None:
    unneeded = ["boto3", "opentelemetry.sdk", "onnx", "pi_heif", "torch", "uvicorn"]
    program = (
        "import sys, gc, lambdas.search.function\n"
        f"print([name for name in {unneeded} if name in sys.modules], gc.isenabled())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "LENS_CATALOG": shop.settings.catalog,
            "LENS_ARTIFACTS": shop.settings.artifacts,
        },
        check=True,
    )
    assert done.stdout.strip() == "[] True"


def test_s3_is_read_without_boto3s_transfer_manager() -> None:
    program = (
        "import sys, lens.storage\n"
        "lens.storage.open_storage('s3://bucket')._client\n"
        "print('boto3' in sys.modules, 's3transfer' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
