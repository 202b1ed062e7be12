"""An upload's id and time, from the event to the search that finds it.

Covers: triggers, correlation, measures.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import pytest

from lambdas.local.pipeline import Pipeline
from lens.correlation import Correlated, correlated, current_id, is_id, new_id
from lens.gallery import triggers
from lens.gallery.triggers import NONE, Trigger, found_now, named
from lens.gallery.versions import Look, Version
from lens.measures import Measure, publish_with, timed
from lens.pipeline.events import looks_in, looks_message, s3_notification
from lens.search.searcher import Searcher
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model

UPLOAD = Trigger("C3D13FE58DE4C810", 1_754_000_000.25)


class Told:
    """What is measured."""

    def __init__(self) -> None:
        self.figures: list[tuple[str, float, str]] = []

    def tell(self, measure: Measure, value: float, label: str) -> None:
        self.figures.append((measure, value, label))

    def labels(self, measure: Measure) -> set[str]:
        return {label for name, _, label in self.figures if name == measure}


@pytest.fixture
def told() -> Told:
    told = Told()
    publish_with(told)
    return told


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    (tmp_path / "photos").mkdir()
    pipeline = Pipeline(
        Settings(catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "artifacts"))
    )
    from lens.gallery.current import Current, swap_current

    model = write_tiny_model(pipeline.artifacts).model_id
    swap_current(pipeline.artifacts, lambda _: Current(live=model))
    return pipeline


def test_one_id_leads_from_the_upload_to_the_refresh_that_made_the_photo_findable(
    pipeline: Pipeline, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    searcher = Searcher(pipeline.artifacts)
    caplog.handler.addFilter(by_id := Correlated())
    uploaded = time.time() - 60
    try:
        with caplog.at_level(logging.INFO, "lens"):
            pipeline.catalog.storage.write("a.png", png(1))
            upload = Trigger("C3D13FE58DE4C810", uploaded)
            pipeline.handle([s3_notification("ObjectCreated:Put", "a.png", "A1", upload)])
            searcher.refresh()
    finally:
        caplog.handler.removeFilter(by_id)
    by_stage = {
        line.name.removeprefix("lens.")
        for line in caplog.records
        if "C3D13FE58DE4C810" in f"{line.getMessage()} {line.__dict__['correlation_id']}"
    }
    assert by_stage == {"pipeline.embed", "pipeline.commit", "search.serving"}
    ((_, seconds, _),) = [each for each in told.figures if each[0] == Measure.FRESHNESS]
    assert 60 <= seconds < time.time() - uploaded + 1
    assert told.labels(Measure.STAGE_SECONDS) == {"look", "commit", "refresh"}
    caplog.clear()
    with caplog.at_level(logging.INFO, "lens"):  # what is known already is not told again
        pipeline.catalog.storage.write("b.png", png(2))
        later = Trigger("another", uploaded)
        pipeline.handle([s3_notification("ObjectCreated:Put", "b.png", "A2", later)])
        searcher.refresh()
    (refreshed,) = [each for each in caplog.records if each.name == "lens.search.serving"]
    assert "another" in refreshed.getMessage() and "C3D1" not in refreshed.getMessage()


def test_a_merged_segment_keeps_whose_uploads_it_has(pipeline: Pipeline) -> None:
    from lens.gallery.commits import read_head
    from lens.gallery.segments import read_segment
    from lens.pipeline.compact import merge

    for number in (1, 2):
        pipeline.catalog.storage.write(f"{number}.png", png(number))
        upload = Trigger(f"upload-{number}", float(number))
        pipeline.handle([s3_notification("ObjectCreated:Put", f"{number}.png", "A1", upload)])
    model = next(pipeline.artifacts.list("heads/")).key.removeprefix("heads/")[:-5]
    assert merge(pipeline.artifacts, read_head(pipeline.artifacts, model), now=time.time())
    (ref,) = read_head(pipeline.artifacts, model).segments
    merged = read_segment(pipeline.artifacts, model, ref.id)
    assert set(merged.triggers) == {Trigger("upload-1", 1.0), Trigger("upload-2", 2.0)}


def test_s3_says_which_request_uploaded_a_photo_and_when() -> None:
    record = {
        "eventTime": "2026-03-12T19:03:58.123Z",
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVU"},
        "s3": {"object": {"key": "a.png", "sequencer": "A1"}},
    }
    (look,) = looks_in(json.dumps({"Records": [record]}), "")
    assert look.trigger == Trigger("C3D13FE58DE4C810", 1773342238.123)


@pytest.mark.parametrize(
    "odd",
    [
        {"eventTime": 5, "responseElements": []},
        {"eventTime": "yesterday", "responseElements": {"x-amz-request-id": 7}},
        {"eventTime": "", "responseElements": {"x-amz-request-id": "a b\n"}},
        {},
    ],
)
def test_an_odd_time_or_id_costs_no_look(odd: dict[str, object]) -> None:
    record = {**odd, "s3": {"object": {"key": "a.png", "sequencer": "A1"}}}
    assert looks_in(json.dumps({"Records": [record]}), "") == [Look("a.png", Version("A1"))]
    assert looks_in(json.dumps({"Records": [record]}), "")[0].trigger == NONE


def test_a_look_that_waits_in_the_queue_keeps_its_upload_and_else_gets_the_id_of_who_asks() -> None:
    looks = [Look("a", Version("A"), trigger=UPLOAD), Look("b", Version("B"))]
    with correlated("the-run"):
        message = looks_message(looks)
    assert [look.trigger for look in looks_in(message, "")] == [UPLOAD, Trigger("the-run", 0.0)]
    older = json.loads(message)  # of the release before, or damaged
    for look, odd in zip(older["looks"], (None, ["x", "y", 3]), strict=True):
        look["trigger"] = odd
    assert [look.trigger for look in looks_in(json.dumps(older), "")] == [NONE, NONE]


def test_only_what_somebody_waits_for_has_an_age(told: Told) -> None:
    found_now([Trigger("a", 100.0), Trigger("b"), Trigger("late", 300.0)], now=200.0)
    assert [each[1] for each in told.figures] == [100.0, 0.0]


def test_each_is_noted_in_its_own_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, str]] = []
    monkeypatch.setattr(triggers, "mark", lambda name, id_: noted.append((name, id_)))
    found_now([Trigger("a", 100.0), Trigger("b")], now=200.0)
    assert noted == [("found", "a"), ("found", "b")]


def test_a_line_names_some_ids_and_counts_the_rest() -> None:
    assert named([]) == named([Trigger()]) == ""
    assert named([Trigger("a"), Trigger("a", 2.0), Trigger("b")]) == ", set off by a, b"
    assert named([Trigger(str(n)) for n in range(25)]).endswith(", 19 and 5 more")
    assert named([Trigger(str(n)) for n in range(20)]).endswith(", 18, 19")


def test_what_fails_has_no_time(told: Told) -> None:
    with pytest.raises(ZeroDivisionError), timed("look"):
        raise ZeroDivisionError
    assert told.figures == []


def test_an_id_belongs_to_its_block() -> None:
    with correlated("outer"):
        with correlated("inner"):
            assert current_id() == "inner"
        assert current_id() == "outer"
    assert current_id() == ""
    assert is_id(new_id()) and new_id() != new_id()
