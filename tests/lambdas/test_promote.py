"""The promote function: from a training's verdict to a live model, step by step.

Covers: promote; `lens.pipeline.verdict`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lens.errors import NotFoundError
from lens.gallery.current import Current, read_current, swap_current
from lens.pipeline.rollback import release, rollback
from lens.pipeline.verdict import Verdict, verdict_key
from lens.search.searcher import Searcher
from lens.search.wanted import Wanted
from lens.storage import FileStorage
from lens.storage.documents import write_document
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


def promote(deployed: Deployed) -> dict[str, Any]:
    return deployed.function("promote")(JOB)


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
    }
    assert live(deployed) == before
    deployed.settle()
    assert promote(deployed)["status"] == "live"
    assert live(deployed) == model_id
    assert found(deployed, 1) == ["a/1.png"]
    assert promote(deployed)["status"] == "live"  # asked once more


def test_what_changes_meanwhile_is_caught_up_before_the_switch(deployed: Deployed) -> None:
    model_id = judged(deployed)
    promote(deployed)
    deployed.settle()
    deployed.catalog.write("a/late.png", png(7))  # its event is lost
    assert (promote(deployed)["status"], live(deployed) == model_id) == ("filling", False)
    deployed.settle()
    assert promote(deployed)["status"] == "live"
    assert found(deployed, 7) == ["a/late.png"]


def test_looks_that_are_on_their_way_are_not_queued_again(deployed: Deployed) -> None:
    judged(deployed)
    promote(deployed)
    assert promote(deployed)["status"] == "filling"
    assert len(looks(deployed.looks)) == 2


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
