"""Tests of the functions' entry points as Lambda has them: by environment, on S3 and SQS (moto)."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from lens.commits import head_key, read_head
from lens.compaction import TAIL_SEGMENTS
from lens.current import read_current
from lens.events import s3_notification, sqs_event
from lens.queues import Queue
from lens.search import Searcher
from lens.segments import PREFIX as SEGMENTS
from lens.storage import Storage, open_storage
from tests.s3_bucket import BUCKET, s3_bucket
from tests.tiny_model import png, write_tiny_model

CATALOG = f"s3://{BUCKET}/catalog"
ARTIFACTS = f"s3://{BUCKET}/artifacts"
ZIPPED = ("build_index", "compact", "reconcile", "collect", "setup")


class Cloud:
    """A bucket, a queue, and the functions as they are at the next import."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.url = boto3.client("sqs").create_queue(QueueName="looks")["QueueUrl"]
        self.queue = Queue(self.url)
        self.artifacts: Storage = open_storage(ARTIFACTS)
        self.catalog = open_storage(CATALOG)
        self.model_id = write_tiny_model(open_storage(folder)).model_id
        self._sequencer = 0
        for name, value in {
            "LENS_CATALOG": CATALOG,
            "LENS_ARTIFACTS": ARTIFACTS,
            "LENS_THUMBS": f"s3://{BUCKET}",
            "LENS_EMBED_QUEUE": self.url,
            "LENS_MODEL_FOLDER": str(folder),
            "POWERTOOLS_METRICS_NAMESPACE": "ImageLens",
            "POWERTOOLS_SERVICE_NAME": "Shop",
        }.items():
            monkeypatch.setenv(name, value)

    def function(self, name: str) -> ModuleType:
        """A function that has just been started."""
        sys.modules.pop(f"lambdas.{name}.function", None)
        return importlib.import_module(f"lambdas.{name}.function")

    def invoke(self, name: str, event: dict[str, Any] | None = None) -> Any:
        """What a fresh function answers."""
        return self.function(name).handler(event or {}, None)

    def event(self, *keys: str) -> dict[str, Any]:
        """A batch of S3's notifications; keys as they are in the bucket."""
        bodies = []
        for key in keys:
            self._sequencer += 1
            bodies.append(s3_notification("ObjectCreated:Put", key, f"{self._sequencer:016X}"))
        return sqs_event(bodies)

    def put(self, name: str, seed: int) -> dict[str, Any]:
        """Upload a photo; the event that S3 would send."""
        self.catalog.write(name, png(seed))
        return self.event(f"catalog/{name}")

    def index(self, event: dict[str, Any]) -> None:
        """Embed and commit what a batch of catalog events asks for."""
        before = {info.key for info in self.artifacts.list(SEGMENTS)}
        assert self.invoke("embed", event) == {"batchItemFailures": []}
        new = [i.key for i in self.artifacts.list(SEGMENTS) if i.key not in before]
        answer = self.invoke("build_index", self.event(*(f"artifacts/{key}" for key in new)))
        assert answer == {"batchItemFailures": []}

    def found(self, seed: int) -> list[str]:
        """Keys of the hits that are this very photo."""
        results = Searcher(self.artifacts).search(png(seed), top_k=3)
        return [hit.key for hit in results.hits if hit.exact]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """An account with a catalog and nothing deployed yet."""
    with s3_bucket(monkeypatch):
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield Cloud(monkeypatch, tmp_path)


def test_a_new_deployment_gets_a_model_and_an_empty_gallery(cloud: Cloud) -> None:
    assert cloud.invoke("setup") == {"live": cloud.model_id}
    head = read_head(cloud.artifacts, cloud.model_id)
    assert head is not None
    assert (head.number, head.segments, head.snapshot) == (1, (), None)
    assert Searcher(cloud.artifacts).search(png(1), top_k=3).hits == ()


def test_a_second_deployment_touches_nothing(cloud: Cloud) -> None:
    cloud.invoke("setup")
    cloud.index(cloud.put("a/1.png", 1))
    before = {(info.key, info.etag) for info in cloud.artifacts.list()}
    assert cloud.invoke("setup") == {"live": cloud.model_id}
    assert {(info.key, info.etag) for info in cloud.artifacts.list()} == before


def test_two_setups_at_once_agree(cloud: Cloud) -> None:
    setup = cloud.function("setup")
    answers: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: answers.append(setup.handler({}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"live": cloud.model_id}] * 4
    head = read_head(cloud.artifacts, cloud.model_id)
    assert head is not None
    assert head.number == 1


def test_an_uploaded_photo_is_found(cloud: Cloud) -> None:
    cloud.invoke("setup")
    cloud.index(cloud.put("dresses/red one/1.png", 1))
    assert cloud.found(1) == ["dresses/red one/1.png"]
    photo = Searcher(cloud.artifacts).search(png(1), top_k=1).hits[0].photo_id
    assert open_storage(f"s3://{BUCKET}").head(f"thumbs/{photo}") is not None


def test_a_segment_of_a_retired_model_is_looked_at_again(cloud: Cloud) -> None:
    cloud.invoke("setup")
    cloud.index(cloud.put("a/1.png", 1))
    (segment,) = (info.key for info in cloud.artifacts.list(SEGMENTS))
    data, _ = cloud.artifacts.read(segment)
    cloud.artifacts.write(segment.replace(cloud.model_id, "retired"), data)
    event = cloud.event(f"artifacts/{segment.replace(cloud.model_id, 'retired')}")
    assert cloud.invoke("build_index", event) == {"batchItemFailures": []}
    (message,) = cloud.queue.receive(seconds=1)
    assert [look["key"] for look in json.loads(message["Body"])["looks"]] == ["a/1.png"]


def test_an_advanced_head_with_a_long_tail_is_compacted(cloud: Cloud) -> None:
    cloud.invoke("setup")
    embed, build_index = cloud.function("embed"), cloud.function("build_index")
    for seed in range(TAIL_SEGMENTS + 2):
        embed.handler(cloud.put(f"a/{seed}.png", seed))
    keys = [f"artifacts/{info.key}" for info in cloud.artifacts.list(SEGMENTS)]
    build_index.handler(cloud.event(*keys))
    head = read_head(cloud.artifacts, cloud.model_id)
    assert head is not None
    assert len(head.segments) == TAIL_SEGMENTS + 2
    event = cloud.event(f"artifacts/{head_key(cloud.model_id)}")
    assert cloud.invoke("compact", event) == {"batchItemFailures": []}
    compacted = read_head(cloud.artifacts, cloud.model_id)
    assert compacted is not None
    assert len(compacted.segments) <= TAIL_SEGMENTS
    assert cloud.found(0) == ["a/0.png"]


def test_a_head_that_is_none_fails_alone(cloud: Cloud) -> None:
    cloud.invoke("setup")
    event = cloud.event("artifacts/heads/odd", f"artifacts/{head_key(cloud.model_id)}")
    failed = cloud.invoke("compact", event)["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failed] == ["0"]


def metrics(output: str) -> dict[str, float]:
    """The CloudWatch metrics in a function's log (embedded metric format)."""
    (line,) = [json.loads(line) for line in output.splitlines() if "CloudWatchMetrics" in line]
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ImageLens"
    assert line["service"] == "Shop"
    return {each["Name"]: line[each["Name"]][0] for each in described["Metrics"]}


def test_reconcile_queues_what_no_event_told_and_says_how_far_behind(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.invoke("setup")
    cloud.index(cloud.put("a/1.png", 1))
    cloud.catalog.write("a/2.png", png(2))  # its event is lost
    cloud.catalog.write("a/broken.png", b"no photo")
    cloud.catalog.delete("a/1.png")  # so is this one's
    assert cloud.invoke("reconcile") == {cloud.model_id: 3}
    said = metrics(capsys.readouterr().out)
    assert (said["Photos"], said["PhotosBehind"], said["RejectedPhotos"]) == (1, 3, 0)
    assert 0 < said["GalleryAge"] < 60

    bodies = [message["Body"] for message in cloud.queue.receive(seconds=30)]
    cloud.index(sqs_event(bodies))
    assert cloud.found(2) == ["a/2.png"]
    assert cloud.found(1) == []
    assert cloud.invoke("reconcile") == {cloud.model_id: 0}
    said = metrics(capsys.readouterr().out)
    assert said == {"Photos": 1, "RejectedPhotos": 1, "PhotosBehind": 0, "GalleryAge": 0}


def test_reconcile_does_not_double_a_backlog(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.invoke("setup")
    cloud.catalog.write("a/1.png", png(1))
    reconcile = cloud.function("reconcile")
    monkeypatch.setattr(reconcile, "_BACKLOG", 2)
    cloud.queue.send(["an event", "another"])
    assert reconcile.handler({}) == {cloud.model_id: 0}
    cloud.queue.delete(cloud.queue.receive(seconds=30)[0])
    assert reconcile.handler({}) == {cloud.model_id: 1}


def test_collect_removes_what_nothing_reaches_after_a_day(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.invoke("setup")
    cloud.index(cloud.put("a/1.png", 1))
    open_storage(f"s3://{BUCKET}").write("thumbs/nobodys", b"jpeg")
    collect = cloud.function("collect")
    assert collect.handler({}) == {"removed": 0}
    day = 86_400
    now = collect.time.time()
    monkeypatch.setattr(collect.time, "time", lambda: now + day + 60)
    assert collect.handler({}) == {"removed": 1}
    assert open_storage(f"s3://{BUCKET}").head("thumbs/nobodys") is None
    assert cloud.found(1) == ["a/1.png"]


@pytest.mark.parametrize("name", ZIPPED)
def test_a_zip_function_starts_without_the_libraries_of_photos_and_models(
    name: str, tmp_path: Path
) -> None:
    script = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {{'PIL', 'pi_heif', 'onnxruntime', 'onnx', 'fastapi', 'mangum',
                                  'cachetools', 'uvicorn', 'torch'}}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from lambdas.{name}.function import handler
assert callable(handler)
"""
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": "us-east-1",
        "LENS_CATALOG": CATALOG,
        "LENS_ARTIFACTS": ARTIFACTS,
        "LENS_THUMBS": f"s3://{BUCKET}",
        "LENS_EMBED_QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/looks",
        "LENS_MODEL_FOLDER": str(tmp_path),
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)


def test_current_is_read_by_nobody_before_setup(cloud: Cloud) -> None:
    assert read_current(cloud.artifacts) is None
    failed = cloud.invoke("embed", cloud.put("a/1.png", 1))["batchItemFailures"]
    assert len(failed) == 1
    assert cloud.invoke("reconcile") == {}
    assert cloud.invoke("collect") == {"removed": 0}
