"""All functions (lambdas/*) over a bucket and queues in memory: what each does and leaves.

Covers: embed, build_index, compact, reconcile, collect, setup and its bundle.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import boto3
import pytest

from lens.default_model.shipped import shipped_manifest
from lens.errors import ArtifactError, UsageError
from lens.gallery import retention
from lens.gallery.commits import read_head
from lens.gallery.current import swap_current
from lens.gallery.gallery import Gallery
from lens.gallery.holds import read_held
from lens.gallery.versions import UNSEEN, Look
from lens.models.calibration import FILES
from lens.pipeline import compact as compaction
from lens.pipeline.events import sqs_event
from lens.pipeline.notifications import EVENTS
from lens.search.searcher import Searcher
from lens.storage import FileStorage
from tests.lambdas.deployed import NO_FAILURES, Deployed
from tests.support import small_galleries
from tests.support.s3_bucket import BUCKET
from tests.support.small_galleries import gone, photo
from tests.support.sqs_queues import bodies, looks
from tests.support.tiny_model import png, write_tiny_model


@pytest.fixture
def deployed(s3: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployed:
    """After its first deployment."""
    deployed = Deployed(monkeypatch, tmp_path / "model")
    deployed.function("setup")({})
    return deployed


def gallery(deployed: Deployed) -> Gallery:
    pair = Searcher(deployed.artifacts).refresh()
    assert pair is not None
    return pair.gallery


def keys(deployed: Deployed) -> list[str]:
    return sorted(row.key for row in gallery(deployed).photos())


def items(deployed: Deployed) -> Counter[str]:
    return Counter(row.item_id for row in gallery(deployed).photos())


def model_id(deployed: Deployed) -> str:
    return gallery(deployed).commit.model_id


def nominate(deployed: Deployed, candidate: str | None) -> None:
    swap_current(
        deployed.artifacts,
        lambda old: old.model_copy(update={"candidate": candidate}) if old else None,
    )


def test_photos_travel_through_the_functions_and_out_again(deployed: Deployed) -> None:
    assert keys(deployed) == []
    messages = [deployed.put(f"shop/{n}/a b+ü.png", png(n)) for n in range(3)]
    deployed.settle(*messages, deployed.put("broken.png", png(9)[:40]))
    assert keys(deployed) == [f"shop/{n}/a b+ü.png" for n in range(3)]
    found = Searcher(deployed.artifacts).search(png(1)).hits[0]
    assert (found.key, found.exact) == ("shop/1/a b+ü.png", True)
    assert deployed.thumbs.head(f"thumbs/{found.photo_id}") is not None
    deployed.settle(deployed.remove("shop/1/a b+ü.png"))
    assert keys(deployed) == ["shop/0/a b+ü.png", "shop/2/a b+ü.png"]


@pytest.mark.parametrize("function", ["embed", "search"])
def test_what_runs_the_model_tells_its_form_and_how_fast_it_is(
    deployed: Deployed,
    function: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # They are the process's, and other tests' too.
    monkeypatch.setattr("lambdas.telemetry._write_json", lambda: None)
    monkeypatch.setattr("lambdas.telemetry.publish_with", lambda publisher: None)
    deployed.settle(deployed.put("a.png", png(1)))
    assert capsys.readouterr().out == "", "on this machine nobody reads it"
    (measured,) = deployed.artifacts.list("speeds/")
    deployed.set("AWS_LAMBDA_FUNCTION_NAME", f"Shop-{function}")
    started = deployed.function(function)
    if function == "embed":
        started(sqs_event([deployed.put("b.png", png(2))]))
    lines = capsys.readouterr().out.splitlines()
    (told,) = [each for each in map(json.loads, lines) if "EmbeddingMilliseconds" in each]
    assert (told["FunctionName"], told["Form"]) == (f"Shop-{function}", "fp32")
    assert told["EmbeddingMilliseconds"] > 0
    assert deployed.artifacts.head(measured.key) == measured, "it was not measured again"


def test_setup_answers_with_the_live_model_and_repeats_without_harm(deployed: Deployed) -> None:
    deployed.settle(deployed.put("a.png", png(1)))
    before = gallery(deployed).commit
    assert deployed.function("setup")({}) == {"live": model_id(deployed)}
    assert gallery(deployed).commit == before


def test_build_index_queues_what_came_too_late(deployed: Deployed) -> None:
    row = photo("a.png", "5", at=time.time() - retention.SEGMENT - 60)
    small_galleries.write(deployed.artifacts, row, model_id=model_id(deployed))
    events = deployed.events_of("segments/")
    assert deployed.function("build_index")(sqs_event(events)) == NO_FAILURES
    assert looks(deployed.looks) == [Look("a.png", row.version, model_id(deployed))]


# compact


def long_tail(deployed: Deployed, model_id: str) -> None:
    for n in range(compaction.TAIL_SEGMENTS + 1):
        row = photo(f"{n}.png", "5", at=time.time())
        small_galleries.add(deployed.artifacts, row, model_id=model_id, now=time.time())


def tail(deployed: Deployed, model_id: str) -> int:
    head = read_head(deployed.artifacts, model_id)
    assert head is not None
    return len(head.segments)


def test_compact_shortens_a_tail_that_is_too_long_and_leaves_a_short_one(
    deployed: Deployed,
) -> None:
    live = model_id(deployed)
    long_tail(deployed, live)
    compact = deployed.function("compact")
    assert compact(sqs_event(deployed.events_of("heads/"))) == NO_FAILURES
    assert tail(deployed, live) == 1
    head = read_head(deployed.artifacts, live)
    assert compact(sqs_event(deployed.events_of("heads/"))) == NO_FAILURES
    assert read_head(deployed.artifacts, live) == head


def test_the_schedule_of_compact_folds_what_was_deleted_long_ago(deployed: Deployed) -> None:
    live, long_ago = model_id(deployed), time.time() - 2 * retention.TAIL
    for row in (photo("a.png", "1", at=long_ago), gone("a.png", "2", at=long_ago)):
        small_galleries.add(deployed.artifacts, row, model_id=live, now=long_ago)
    compact = deployed.function("compact")
    assert compact(sqs_event(deployed.events_of("heads/"))) == NO_FAILURES
    assert tail(deployed, live) == 2
    assert compact({"aged": True}) == NO_FAILURES
    assert tail(deployed, live) == 0


def test_a_failure_of_compacts_schedule_is_one_of_the_function(deployed: Deployed) -> None:
    small_galleries.add(
        deployed.artifacts, photo("a.png", "1"), model_id=model_id(deployed), now=time.time()
    )
    for info in deployed.artifacts.list("segments/"):
        deployed.artifacts.write(info.key, b"damaged")
    with pytest.raises(ArtifactError):
        deployed.function("compact")({"aged": True})


def test_compact_leaves_a_model_that_is_no_longer_kept_up(deployed: Deployed) -> None:
    nominate(deployed, "retired")
    long_tail(deployed, "retired")
    nominate(deployed, None)
    events = sqs_event(deployed.events_of("heads/"))
    assert deployed.function("compact")(events) == NO_FAILURES
    assert tail(deployed, "retired") == compaction.TAIL_SEGMENTS + 1


def test_a_model_that_cannot_be_compacted_holds_up_no_other_and_is_tried_once(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = model_id(deployed)
    nominate(deployed, "damaged")
    for name in (live, "damaged"):
        long_tail(deployed, name)
    for info in deployed.artifacts.list("segments/damaged/"):
        deployed.artifacts.write(info.key, b"damaged")
    tried: list[str] = []
    compact = deployed.function("compact")
    real = compaction.compact

    def counted(storage: Any, model_id: str, *, now: float, aged: bool) -> bool:
        tried.append(model_id)
        return real(storage, model_id, now=now, aged=aged)

    monkeypatch.setattr("lambdas.compact.handler.compact", counted)
    damaged, healthy = (
        deployed.event("ObjectCreated:Put", f"artifacts/heads/{name}.json")
        for name in ("damaged", live)
    )
    reply = compact(sqs_event([damaged, healthy, damaged]))
    assert sorted(each["itemIdentifier"] for each in reply["batchItemFailures"]) == ["0", "2"]
    assert tail(deployed, live) == 1
    assert tried.count("damaged") == 1


# reconcile


def published(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics, as CloudWatch reads them out of the log."""
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ImageLens"
    assert directive["Dimensions"] == [["service"]]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    counts = ("Photos", "RejectedPhotos", "WaitingPhotos", "PhotosBehind")
    count = dict.fromkeys((*counts, "HeldDeletions", "MassRemoval", "LostNotifications"), "Count")
    assert units == {**count, "GalleryAge": "Seconds"}
    assert found["service"] == "ImageLens"
    return {name: found[name][0] for name in units}


def test_reconcile_queues_what_differs_and_publishes_how_far_behind_it_is(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = [deployed.put(f"{n}.png", png(n)) for n in range(4)]
    deployed.settle(*messages, deployed.put("broken.png", b"no photo"))
    assert deployed.function("reconcile")({}) == {"differing": 0, "queued": 0, "regrouped": 0}
    assert published(capsys) == {
        "Photos": 4,
        "RejectedPhotos": 1,
        "WaitingPhotos": 0,
        "PhotosBehind": 0,
        "HeldDeletions": 0,
        "MassRemoval": 0,
        "LostNotifications": 3,  # this bucket tells nobody
        "GalleryAge": 0,
    }
    deployed.put("new.png", png(10))
    deployed.put("1.png", png(11))
    deployed.remove("2.png")
    deployed.catalog.write("notes.txt", b"no photo")
    assert deployed.function("reconcile")({}) == {"differing": 3, "queued": 3, "regrouped": 0}
    figures = published(capsys)
    assert (figures["Photos"], figures["PhotosBehind"]) == (4, 3)
    deployed.settle()
    assert keys(deployed) == ["0.png", "1.png", "3.png", "new.png"]
    assert deployed.function("reconcile")({}) == {"differing": 0, "queued": 0, "regrouped": 0}


def test_reconcile_tells_when_somebody_has_replaced_the_buckets_notifications(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    deployed.settle(deployed.put("a.png", png(1)))
    s3: Any = boto3.client("s3", region_name="us-east-1")
    name = deployed.looks.url.rpartition("/")[2]
    filters = [{"Name": "prefix", "Value": "catalog/"}]
    ours: Any = {
        "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{name}",
        "Events": list(EVENTS),
        "Filter": {"Key": {"FilterRules": filters}},
    }
    for told, lost in (([ours], 0), ([], 3)):
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": told}
        )
        deployed.function("reconcile")({})
        assert published(capsys)["LostNotifications"] == lost
    assert "no longer tells of s3:ObjectCreated:*, s3:ObjectRemoved:*" in caplog.text


def test_reconcile_holds_what_a_listing_lacks_until_its_event_names_the_hold(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.settle(*[deployed.put(f"{n}.png", png(n)) for n in range(4)])
    for n in range(4):
        deployed.remove(f"{n}.png")  # its event is lost
    held = {"differing": 0, "queued": 0, "regrouped": 0, "held": 4}
    assert deployed.function("reconcile")({}) == held
    assert published(capsys)["HeldDeletions"] == 4
    (hold,) = read_held(deployed.artifacts)
    with pytest.raises(UsageError, match="there is no hold"):
        deployed.function("reconcile")({"allow_deletions": "another"})
    assert len(keys(deployed)) == 4
    event = {"allow_deletions": hold.id}
    assert deployed.function("reconcile")(event) == {"differing": 4, "queued": 4, "regrouped": 0}
    deployed.settle()
    assert keys(deployed) == []


def test_many_removals_by_events_pass_and_are_told(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.settle(*[deployed.put(f"{n}.png", png(n)) for n in range(4)])
    deployed.settle(*[deployed.remove(f"{n}.png") for n in range(4)])
    assert keys(deployed) == []
    assert deployed.function("reconcile")({}) == {"differing": 0, "queued": 0, "regrouped": 0}
    figures = published(capsys)
    assert (figures["MassRemoval"], figures["HeldDeletions"]) == (4, 0)


def test_another_catalog_is_refused_and_its_photos_are_told_as_held(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.settle(*[deployed.put(f"{n}.png", png(n)) for n in range(4)])
    deployed.function("reconcile")({})
    capsys.readouterr()
    deployed.set("LENS_CATALOG", f"s3://{BUCKET}/another")
    with pytest.raises(UsageError, match="belong to"):
        deployed.function("reconcile")({})
    told = json.loads(capsys.readouterr().out)
    assert told["HeldDeletions"] == [4]
    deployed.set("LENS_MOVE_CATALOG", f"s3://{BUCKET}/another")
    assert deployed.function("reconcile")({})["held"] == 4


def test_reconcile_decides_the_layout_and_what_it_regroups_is_committed(deployed: Deployed) -> None:
    messages = [deployed.put(f"A{i}_{n}.png", png(2 * i + n)) for i in (1, 2) for n in (1, 2)]
    deployed.settle(*messages)  # before the first reconciliation each photo is a product
    assert deployed.function("reconcile")({}) == {"differing": 0, "queued": 0, "regrouped": 4}
    assert bodies(deployed.looks) == []
    deployed.settle(deployed.put("A1_3.png", png(9)))
    assert items(deployed) == {"A1": 3, "A2": 2}
    deployed.set("LENS_LAYOUT", "folders")
    assert deployed.function("reconcile")({})["regrouped"] == 5
    deployed.settle()
    assert set(items(deployed).values()) == {1}


def test_a_layout_that_cannot_be_understood_holds_no_repair_up(
    deployed: Deployed, caplog: pytest.LogCaptureFixture
) -> None:
    deployed.put("A1_1.png", png(1))  # its event is lost
    deployed.set("LENS_LAYOUT", "{item}{variant}")
    assert deployed.function("reconcile")({}) == {"differing": 1, "queued": 1, "regrouped": 0}
    assert "the catalog's layout stays as it was: LENS_LAYOUT='{item}{variant}'" in caplog.text


def test_a_catalog_older_than_its_deployment_is_queued_whole_for_both_models(
    deployed: Deployed,
) -> None:
    live = model_id(deployed)
    candidate = write_tiny_model(deployed.artifacts, seed=3).model_id
    nominate(deployed, candidate)
    for n in range(25):
        deployed.put(f"{n}.png", png(n))
    assert deployed.function("reconcile")({}) == {"differing": 50, "queued": 50, "regrouped": 0}
    wanted = {
        Look(f"{n}.png", UNSEEN.bumped(), name) for n in range(25) for name in (live, candidate)
    }
    assert set(looks(deployed.looks)) == wanted


def test_what_waits_in_a_full_queue_already_is_not_queued_again(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lambdas.reconcile.handler._BUSY", 2)
    deployed.looks.send(["1", "2", "3"])
    deployed.put("a.png", png(1))
    assert deployed.function("reconcile")({}) == {"differing": 1, "queued": 0, "regrouped": 0}
    assert deployed.looks.depth().waiting == 3
    assert "is full" in caplog.text


def test_before_there_is_a_model_there_is_nothing_to_reconcile_or_collect(
    s3: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = Deployed(monkeypatch, tmp_path / "model")
    assert deployed.function("reconcile")({}) == {"differing": 0, "queued": 0, "regrouped": 0}
    assert deployed.function("collect")({}) == {"removed": 0}
    assert capsys.readouterr().out == ""


# collect


def test_collect_removes_what_has_been_unreachable_for_the_grace_and_asks_again(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.settle(deployed.put("a.png", png(1)))
    lost = photo("lost.png", "5", at=time.time())
    orphan = small_galleries.write(deployed.artifacts, lost, model_id=model_id(deployed))
    theirs, own = "thumbs/logo.png", f"thumbs/{lost.photo_id}"
    for key in (theirs, own):
        deployed.thumbs.write(key, b"")
    collect = deployed.function("collect")
    assert collect({}) == {"removed": 0}
    later = time.time() + retention.GRACE + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert collect({}) == {"removed": 2}
    assert looks(deployed.looks) == [Look("lost.png", lost.version, model_id(deployed))]
    kept = [info.key for info in deployed.artifacts.list("segments/")]
    assert len(kept) == 1 and orphan not in kept[0]
    assert keys(deployed) == ["a.png"]
    assert deployed.thumbs.head(own) is None
    assert deployed.thumbs.head(theirs) is not None


# setup's bundle


def test_the_bundle_is_the_default_model_and_the_same_every_time(tmp_path: Path) -> None:
    from lambdas.setup.bundle import write_bundle

    folder = tmp_path / "build" / "model"
    write_tiny_model(FileStorage(folder), seed=5)  # an earlier default model
    name = write_bundle(folder)

    def files() -> dict[str, bytes]:
        found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}

    first = files()
    written = {
        "manifest.json",
        *FILES,
        *(each.file for each in shipped_manifest().variants.values()),
    }
    assert set(first) == {f"models/{name}/{file}" for file in written}
    assert (write_bundle(folder), files()) == (name, first)
