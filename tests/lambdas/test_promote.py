"""The promote function: from a training's verdict to a live model, step by step.

Covers: promote; `lens.pipeline.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lens.errors import NotFoundError, UnreadableError
from lens.gallery.current import Current, read_current, swap_current
from lens.photos.catalog import Catalog
from lens.pipeline.rollback import release, rollback
from lens.pipeline.verdict import Verdict, read_verdict, verdict_key
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.storage import FileStorage, ObjectInfo
from lens.storage.documents import write_document
from lens.storage.formats import restore_announcement
from tests.lambdas.deployed import Deployed
from tests.support.sqs_queues import looks
from tests.support.tiny_model import png, write_tiny_model

JOB = {"job": "a-job"}


@pytest.fixture
def deployed(s3: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployed:
    """With two photos in its gallery."""
    deployed = Deployed(monkeypatch, tmp_path / "model")
    deployed.function("setup")({})
    deployed.settle(*(deployed.put(f"a/{n}.png", png(n)) for n in range(2)))
    return deployed


def judged(deployed: Deployed, *, passed: bool = True) -> str:
    """Train another model; the gate has said this of it."""
    model_id = write_tiny_model(deployed.artifacts, seed=1).model_id
    verdict = Verdict(
        passed=passed,
        reason="better" if passed else "not better",
        model_id=model_id,
        live=live(deployed),
        protocol="benchmark",
        candidate_recall_at_1=0.8,
        live_recall_at_1=0.7,
        margin=0.0,
    )
    write_document(deployed.artifacts, verdict_key("a-job"), verdict)
    return model_id


def live(deployed: Deployed) -> str:
    current = read_current(deployed.artifacts)
    assert current is not None
    return current.live


def promote(deployed: Deployed, **given: Any) -> dict[str, Any]:
    return deployed.function("promote")({**JOB, **given})


def found(deployed: Deployed, seed: int) -> list[str]:
    hits = Searcher(deployed.artifacts).search(png(seed), Wanted(3)).hits
    return [hit.key for hit in hits if hit.exact]


def test_a_better_model_is_filled_beside_the_live_one_and_then_made_live(
    deployed: Deployed,
) -> None:
    before, model_id = live(deployed), judged(deployed)
    assert promote(deployed) == {
        "model_id": model_id,
        "reason": "better",
        "status": "filling",
        "behind": 2,
        "round": 1,
        "idle": 0,
    }
    assert live(deployed) == before
    deployed.settle()
    assert promote(deployed)["status"] == "live"
    assert live(deployed) == model_id
    assert found(deployed, 1) == ["a/1.png"]
    assert promote(deployed)["status"] == "live"  # asked once more


def later(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> None:
    """Let the catalog's listing tell that these photos were written so much later than they were:
    S3 tells whole seconds, and a test is over within one."""
    listed = Catalog.files_after

    def files_after(catalog: Catalog, key: str) -> Iterator[ObjectInfo]:
        for info in listed(catalog, key):
            yield replace(info, modified=info.modified + seconds.get(info.key, 0.0))

    monkeypatch.setattr(Catalog, "files_after", files_after)


def test_a_lost_event_from_before_the_nomination_is_caught_up_before_the_switch(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.catalog.write("a/lost.png", png(7))
    model_id = judged(deployed)
    later(monkeypatch, {"a/lost.png": -60.0})
    promote(deployed)
    asked = looks(deployed.looks)
    assert {look.key for look in asked} == {"a/0.png", "a/1.png", "a/lost.png"}
    assert (promote(deployed)["status"], live(deployed) == model_id) == ("filling", False)
    deployed.settle()
    assert promote(deployed)["status"] == "live"
    assert found(deployed, 7) == ["a/lost.png"]


def test_a_promotion_ends_though_a_photo_is_uploaded_during_every_listing(
    deployed: Deployed,
) -> None:
    model_id = judged(deployed)
    late: dict[str, float] = {}
    events: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        later(patch, late)
        listed = Catalog.files_after

        def files_after(catalog: Catalog, after: str) -> Iterator[ObjectInfo]:
            key = f"late/{len(late)}.png"
            late[key] = 60.0 + len(late)
            events.append(deployed.put(key, png(10 + len(late))))
            return listed(catalog, after)

        patch.setattr(Catalog, "files_after", files_after)
        answer = promote(deployed)
        assert (answer["status"], answer["behind"]) == ("filling", 2)
        deployed.settle(*events[:-1])  # the last one is always still on its way
        answer = promote(deployed, before=answer)
        assert (answer["status"], live(deployed)) == ("live", model_id)
    deployed.settle(*events[-2:])
    assert found(deployed, 10 + len(late)) == [f"late/{len(late) - 1}.png"]


def test_a_shop_that_uploads_all_the_time_does_not_keep_the_looks_from_being_queued(
    deployed: Deployed,
) -> None:
    judged(deployed)
    deployed.looks.send([deployed.put("a/new.png", png(5))])
    promote(deployed)
    assert {look.key for look in looks(deployed.looks)} >= {"a/0.png", "a/1.png"}


def test_looks_that_are_on_their_way_are_not_queued_again_until_nothing_comes_of_them(
    deployed: Deployed,
) -> None:
    judged(deployed)
    first = promote(deployed)
    fewer = promote(deployed, before={**first, "behind": 3})
    assert (fewer["status"], fewer["idle"], fewer["round"]) == ("filling", 0, 2)
    assert len(looks(deployed.looks)) == 2
    assert promote(deployed, before=first)["idle"] == 1
    assert len(looks(deployed.looks)) == 2


def test_a_promotion_that_gets_nowhere_ends_with_what_to_do(deployed: Deployed) -> None:
    judged(deployed)
    answer, rounds = promote(deployed, patience=3), 1
    while answer["status"] == "filling":
        answer, rounds = promote(deployed, patience=3, before=answer), rounds + 1
    assert rounds == 4 and answer["status"] == "stuck"
    for part in ("lacks a/0.png, a/1.png", "lens redrive", "`lens train --promote a-job`"):
        assert part in answer["reason"], part
    assert live(deployed) != answer["model_id"]
    deployed.settle()
    assert promote(deployed)["status"] == "live"  # asked again, after the cause was mended


def test_a_promotion_beyond_its_limit_ends_before_it_begins(deployed: Deployed) -> None:
    judged(deployed)
    limit = {"dollars": 1.0, "dollars_each": 0.6, "hours_each": 1.0}
    answer = promote(deployed, patience=3, limit=limit)
    assert answer["status"] == "stuck" and "promote_dollars=2" in answer["reason"]
    current = read_current(deployed.artifacts)
    assert current is not None and current.candidate is None
    assert looks(deployed.looks) == []
    allowed = promote(deployed, patience=3, limit={**limit, "dollars": 2.0})
    assert allowed["status"] == "filling"
    later = promote(deployed, patience=3, limit=limit, before=allowed)
    assert later["status"] == "filling", "what has begun is not stopped"


def test_a_promotion_ends_before_an_execution_has_too_many_events(deployed: Deployed) -> None:
    judged(deployed)
    before = {"behind": 9, "round": 1_799, "idle": 0}
    answer = promote(deployed, before=before, patience=120)
    assert answer["status"] == "stuck" and "promote_seconds" in answer["reason"]


def test_a_promotion_waits_neither_for_what_waits_nor_for_what_is_held(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, model_id = live(deployed), judged(deployed)
    restore_announcement(deployed.artifacts, time.time())  # a stack of yesterday may note waiting
    archived = deployed.put("a/archived.png", png(6))
    read = Catalog.read

    def cannot(catalog: Catalog, key: str) -> tuple[bytes, ObjectInfo]:
        if key == "a/archived.png":
            raise UnreadableError(f"{key} is archived")
        return read(catalog, key)

    monkeypatch.setattr(Catalog, "read", cannot)
    answer = promote(deployed)
    deployed.settle(archived)
    assert (promote(deployed, before=answer)["status"], live(deployed)) == ("live", model_id)
    for n in range(2):
        deployed.catalog.delete(f"a/{n}.png")  # nobody tells of it
    back = read_verdict(deployed.artifacts, "a-job").model_copy(update={"model_id": first})
    write_document(deployed.artifacts, verdict_key("back"), back)
    assert (promote(deployed, job="back")["status"], live(deployed)) == ("live", first)
    assert found(deployed, 1) == ["a/1.png"]


def test_a_model_that_is_not_better_changes_nothing(deployed: Deployed) -> None:
    before = {(info.key, info.etag) for info in deployed.artifacts.list("heads/")}
    model_id, old = judged(deployed, passed=False), live(deployed)
    answer = promote(deployed)
    assert answer == {"model_id": model_id, "reason": "not better", "status": "kept"}
    assert live(deployed) == old
    assert {(info.key, info.etag) for info in deployed.artifacts.list("heads/")} == before


def test_a_pin_keeps_the_live_model_and_says_so(deployed: Deployed) -> None:
    judged(deployed)
    rollback(deployed.artifacts, commit=None, model_id=None, now=0.0)
    answer = promote(deployed)
    assert answer["status"] == "kept"
    assert "lens release" in answer["reason"]
    release(deployed.artifacts)
    assert promote(deployed)["status"] == "filling"


def test_a_default_model_that_setup_nominated_is_filled_and_made_live_without_a_job(
    deployed: Deployed, tmp_path: Path
) -> None:
    earlier = write_tiny_model(deployed.artifacts, seed=2, kind="pca").model_id
    swap_current(deployed.artifacts, lambda _: Current(live=earlier))
    default = write_tiny_model(FileStorage(tmp_path / "newer"), seed=3, number=2).model_id
    deployed.deploy(tmp_path / "newer")
    assert deployed.function("setup")({}) == {"live": earlier}
    step = deployed.function("promote")
    assert step({"source": "aws.events"}) == {
        "model_id": default,
        "status": "filling",
        "behind": 2,
    }
    assert live(deployed) == earlier
    deployed.settle()
    assert step({}) == {"model_id": default, "status": "live"}
    assert live(deployed) == default
    assert found(deployed, 1) == ["a/1.png"]
    assert step({})["status"] == "kept"


def test_without_a_job_a_trained_candidate_is_left_to_its_own(deployed: Deployed) -> None:
    judged(deployed)
    assert promote(deployed)["status"] == "filling"
    deployed.settle()
    assert deployed.function("promote")({})["status"] == "kept"


def test_a_job_without_a_verdict_is_an_error(deployed: Deployed) -> None:
    with pytest.raises(NotFoundError, match="verdict"):
        promote(deployed)
