"""The three walks of docs/architecture.md: each is run, and enters its files in that order."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakSet

import pytest
from fastapi.testclient import TestClient

from lambdas.local.pipeline import Pipeline
from lambdas.search.app import create_app
from lens.gallery.current import Current, swap_current
from lens.models.choice import timed_photos
from lens.models.cpu import cpu_features, cpu_kind
from lens.pipeline import compact
from lens.pipeline.events import s3_notification
from lens.pipeline.promote import promote
from lens.search.searcher import Searcher
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model

ROOT = Path(__file__).parents[1]
_SOURCES = (str(ROOT / "layers/lens/python") + "/", str(ROOT) + "/")
# Below every step: they would interrupt each walk again and again.
_BELOW = (
    "lens/storage/",
    "lens/settings.py",
    "lens/errors.py",
    "lens/progress.py",
    "lens/right_of_way.py",
    "lens/correlation.py",
    "lens/measures.py",
    "lens/traces.py",
)


@contextmanager
def _followed() -> Iterator[list[str]]:
    """The product's files in the order in which they are entered first, whichever thread does."""
    entered: list[str] = []

    def enter(frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_code.co_filename
        source = next((each for each in _SOURCES if name.startswith(each)), None)
        if event != "call" or source is None or frame.f_code.co_name == "<module>":
            return
        file = name.removeprefix(source)
        if file.startswith(("lens/", "lambdas/")) and not file.startswith(_BELOW):
            entered.append(file)

    sys.setprofile(enter)
    threading.setprofile(enter)
    try:
        yield entered
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        entered[:] = dict.fromkeys(entered)


def _written(walk: str) -> list[str]:
    """The files that the page names for a walk."""
    page = (ROOT / "docs/architecture.md").read_text()
    part = page.split(f"<!-- walk: {walk} -->")[1].split("<!-- end -->")[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)`", part, re.MULTILINE)


class _AtOnce:
    """An executor that does what it is given at once, so that a walk has one order."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*arguments))
        return future


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A pipeline over an empty folder, with a live model."""
    (tmp_path / "photos").mkdir()
    settings = Settings(
        catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "made"), threads=1
    )
    pipeline = Pipeline(settings)
    live = write_tiny_model(pipeline.artifacts, 1).model_id
    swap_current(pipeline.artifacts, lambda _: Current(live=live))
    return pipeline


def _add(pipeline: Pipeline, key: str, seed: int) -> None:
    pipeline.catalog.storage.write(key, png(seed))
    pipeline.handle([s3_notification("ObjectCreated:Put", key, f"{seed:04X}")])


def _searcher(pipeline: Pipeline) -> Searcher:
    searcher = Searcher(pipeline.artifacts)
    searcher._loader = _AtOnce()  # type: ignore[assignment]
    return searcher


@pytest.fixture(autouse=True)
def _no_publishers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of other tests in this process would be told of what is measured here, too."""
    monkeypatch.setattr("lens.measures._publishers", WeakSet())


def test_a_photo_from_the_catalog_to_found(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "TAIL_ROWS", 0)  # one photo is enough to fold
    for known in (cpu_features, cpu_kind, timed_photos):
        known.cache_clear()  # as in a new process
    searcher = _searcher(pipeline)
    with _followed() as entered:
        _add(pipeline, "a.jpg", 1)
        serving = searcher.refresh()
    assert serving is not None and serving.gallery.has_photo_at("a.jpg")
    assert entered == _written("photo")


def test_a_query_from_the_shoppers_photo_to_the_hits(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "TAIL_ROWS", 0)
    _add(pipeline, "a.jpg", 1)
    searcher = _searcher(pipeline)
    searcher.refresh()
    monkeypatch.setattr(compact, "TAIL_ROWS", 256)
    _add(pipeline, "b.jpg", 2)  # a warm searcher has not seen this one
    client = TestClient(create_app(pipeline.settings, searcher))
    client.post("/api/search-image")  # a warm server has named its routes
    with _followed() as entered:
        reply = client.post("/api/search-image", files={"file": ("query.jpg", png(2))})
    assert reply.json()["hits"][0]["key"] == "b.jpg"
    assert entered == _written("query")


def test_a_new_model_from_nominated_to_live(pipeline: Pipeline) -> None:
    _add(pipeline, "a.jpg", 1)
    trained = write_tiny_model(pipeline.artifacts, 2).model_id
    fresh = Pipeline(pipeline.settings)  # its threads are followed too
    with _followed() as entered:
        current = promote(fresh.artifacts, fresh.catalog, trained, fresh.look)
    assert current.live == trained
    assert entered == _written("model")
