"""Observation, metrics and the access log: what is told of requests, and what must not be.

Covers: observation, metrics, access_log.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from lambdas.local.server.access_log import access_log
from lambdas.local.server.app import local_app
from lambdas.local.server.observation import Answered
from lens.errors import UsageError
from lens.gallery.triggers import Trigger
from lens.pipeline.events import s3_notification
from lens.settings import Settings
from tests.lambdas.conftest import Client, Shop
from tests.support.tiny_model import png

HERE = {"Host": "localhost", "X-Forwarded-For": "192.0.2.77"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def client(shop: Shop, log: Path) -> Client:
    """A client of the local server, which keeps an access log."""
    settings = Settings.model_validate({**shop.settings.model_dump(), "access_log": str(log)})
    return Client(local_app(settings, shop.searcher, shop.pipeline.catalog))


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def metrics(client: Client) -> dict[str, float]:
    """Every sample by its name and labels."""
    reply = client.get("/metrics", headers=HERE)
    assert reply.headers["content-type"].startswith("text/plain; version=")
    samples = re.findall(r"^(lens_\S+) (\S+)$", reply.text, re.MULTILINE)
    return {name: float(value) for name, value in samples}


def test_requests_are_told_by_route_and_status(client: Client, log: Path) -> None:
    for _ in range(2):
        client.post("/api/search-image", files={"file": png(1)}, headers=HERE)
    client.post("/api/search-image", files={"file": b"no photo"}, headers=HERE)
    client.get("/api/items/WOMEN/Dresses/id_1?secret=1", headers=HERE)
    client.get("/", headers=HERE)
    client.get("/nothing/secret", headers=HERE)
    client.get("/api/health", headers={"Host": "secret.example"})
    client.request("SECRET", "/api/health", headers=HERE)
    found = [(line["method"], line["route"], line["status"]) for line in lines(log)]
    search = ("POST", "/api/search-image")
    assert found == [
        (*search, 200),
        (*search, 200),
        (*search, 400),
        ("GET", "/api/items/{item_id:key}", 422),
        ("GET", "page", 200),
        ("GET", "page", 404),
        ("GET", "none", 421),
        ("OTHER", "/api/health", 405),
    ]
    assert "secret" not in log.read_text().lower() and "192.0.2.77" not in log.read_text()
    told = metrics(client)
    assert told['lens_requests_total{route="/api/search-image",status="200"}'] == 2
    assert told['lens_request_seconds_count{route="/api/search-image"}'] == 3
    assert told['lens_cache_hits_total{cache="results"}'] == 1
    assert told['lens_busy_total{line="searches"}'] == 0
    assert (told["lens_photos"], told["lens_commit"], told["lens_up"]) == (6, 1, 1)
    assert told['lens_embedding_milliseconds{form="fp32"}'] > 0
    assert told['lens_stage_seconds_count{stage="search"}'] == 2
    assert told['lens_matches_total{match="unjudged"}'] == 2


def test_how_fresh_uploads_are_is_told(client: Client, shop: Shop) -> None:
    (shop.folder / "new.png").write_bytes(png(9))
    upload = Trigger("upload", time.time() - 100)
    shop.pipeline.handle([s3_notification("ObjectCreated:Put", "new.png", "F" * 16, upload)])
    told = metrics(client)
    assert told["lens_freshness_seconds_count"] == 1
    assert told["lens_freshness_seconds_sum"] >= 100
    assert told['lens_stage_seconds_count{stage="look"}'] == 1


def test_a_line_has_these_fields_and_the_bytes_of_the_answer(client: Client, log: Path) -> None:
    reply = client.get("/api/categories", headers=HERE)
    (line,) = lines(log)
    assert list(line) == ["time", "method", "route", "status", "ms", "bytes", "request_id"]
    assert line["bytes"] == len(reply.content)
    assert line["ms"] > 0
    assert line["request_id"] == reply.headers["x-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_an_unexpected_failure_is_told_as_500(
    shop: Shop, client: Client, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(shop.searcher, "search", broken)
    client.post("/api/search-image", files={"file": png(1)}, headers=HERE)
    assert [line["status"] for line in lines(log)] == [500]


def test_before_the_first_commit_there_are_figures_too(shop: Shop) -> None:
    empty = metrics(Client(local_app(shop.settings, shop.searcher, shop.pipeline.catalog)))
    assert (empty["lens_photos"], empty["lens_up"]) == (0, 1)


ANSWER = Answered(0.0, "GET", "page", 200, 0.0123, 7)


def test_a_log_that_was_moved_away_is_begun_anew(log: Path) -> None:
    write = access_log(str(log))
    write(ANSWER)
    log.rename(log.with_suffix(".1"))
    write(ANSWER)
    assert log.read_text() == log.with_suffix(".1").read_text() != ""


def test_the_log_may_be_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    access_log("json")(ANSWER)
    assert json.loads(capsys.readouterr().out)["ms"] == 12.3


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"LENS_ACCESS_LOG=.*: Is a directory"):
        access_log(str(tmp_path))
