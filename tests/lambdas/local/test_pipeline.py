"""The pipeline on this machine: its sequencers go on above all that a gallery has seen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lambdas.local import pipeline as module
from lambdas.local.pipeline import Pipeline, go_on_above, next_sequencer
from lens.gallery.commits import read_head
from lens.gallery.loading import load_gallery
from lens.gallery.versions import Version
from lens.pipeline.events import s3_notification
from lens.pipeline.promote import promote
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model

YEAR_NS = 365 * 86_400 * 10**9


def new_process(monkeypatch: pytest.MonkeyPatch, clock_ns: int) -> None:
    """What a process knows that has just begun, at this time of its clock."""
    monkeypatch.setattr(module, "_last_sequencer", 0)
    monkeypatch.setattr(time, "time_ns", lambda: clock_ns)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "photos").mkdir()
    return Settings(
        catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "artifacts"), threads=1
    )


def test_sequencers_rise_though_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    new_process(monkeypatch, YEAR_NS)
    first = next_sequencer()
    monkeypatch.setattr(time, "time_ns", lambda: YEAR_NS // 2)
    assert Version.of_event(first) < Version.of_event(next_sequencer())


@pytest.mark.parametrize("shown", ["", "18", "18FFFFFFFFFFFFFF", "18FFFFFFFFFFFFFF01", "00AA"])
def test_sequencers_go_on_above_one_that_was_shown(
    monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    new_process(monkeypatch, 5)
    go_on_above(shown)
    assert Version.of_event(shown) < Version.of_event(next_sequencer())


def test_a_photo_that_changes_after_the_clock_was_set_back_is_found_as_it_is(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    photo = tmp_path / "photos" / "a.png"

    def changed(pipeline: Pipeline, seed: int) -> None:
        photo.write_bytes(png(seed))
        pipeline.handle([s3_notification("ObjectCreated:Put", "a.png", next_sequencer())])

    def shown(pipeline: Pipeline) -> set[str]:
        head = read_head(pipeline.artifacts, model)
        return {row.etag for row in load_gallery(pipeline.artifacts, head).photos()}

    new_process(monkeypatch, now + YEAR_NS)
    before = Pipeline(settings)
    model = write_tiny_model(before.artifacts, seed=1).model_id
    promote(before.artifacts, before.catalog, model, before.look)
    changed(before, 1)
    new_process(monkeypatch, now)
    after = Pipeline(settings)
    changed(after, 2)
    info = after.catalog.head("a.png")
    assert info is not None
    assert shown(after) == {info.etag}


def test_a_reconciliation_shows_the_sequencers_of_a_gallery(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(settings)
    model = write_tiny_model(pipeline.artifacts, seed=1).model_id
    promote(pipeline.artifacts, pipeline.catalog, model, pipeline.look)
    (tmp_path / "photos" / "a.png").write_bytes(png(1))
    pipeline.handle([s3_notification("ObjectCreated:Put", "a.png", "7FFFFFFFFFFFFFFF")])
    new_process(monkeypatch, 5)
    pipeline.reconcile()
    assert Version.of_event("7FFFFFFFFFFFFFFF") < Version.of_event(next_sequencer())
