"""Repair: recovery from lost events, long tails, unreachable objects and failing functions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import Version
from lens.storage import Storage
from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws


@contextmanager
def changed(shop: Shop, function: str, **environment: str) -> Iterator[None]:
    """Change a function's environment variables within the block."""
    client, name = shop.aws("lambda"), shop.deployment.outputs[f"{function}Function"]
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def put(variables: dict[str, str]) -> None:
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )

    put({**before, **environment})
    try:
        yield
    finally:
        put(before)


@contextmanager
def retrying_at_once(shop: Shop, queue: str) -> Iterator[None]:
    """Let a queue's messages be tried again at once within the block, and not after minutes."""
    client, url = shop.aws("sqs"), shop.deployment.outputs[queue]
    names = ["VisibilityTimeout"]
    before = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    try:
        yield
    finally:
        client.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def losing_events(shop: Shop) -> Iterator[None]:
    """Lose the catalog's events within the block."""
    client, bucket = shop.aws("s3"), shop.deployment.outputs["CatalogBucket"]
    before = client.get_bucket_notification_configuration(Bucket=bucket)
    before.pop("ResponseMetadata")
    client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=before
        )


def test_the_reconcile_function_heals_what_lost_events_left_undone(shop: Shop) -> None:
    shop.put("lost/deleted.jpg", garment(300))
    eventually(lambda: shop.shows(garment(300), "lost/deleted.jpg"))
    with losing_events(shop):
        shop.put("lost/new.jpg", garment(301))
        shop.remove("lost/deleted.jpg")
        time.sleep(2)
    assert "lost/new.jpg" not in shop.found()
    assert "lost/deleted.jpg" in shop.found()

    assert shop.invoke("Reconcile") == {"differing": 2, "queued": 2, "regrouped": 0}

    eventually(lambda: shop.shows(garment(301), "lost/new.jpg"))
    eventually(lambda: "lost/deleted.jpg" not in shop.found())
    assert shop.invoke("Reconcile") == {"differing": 0, "queued": 0, "regrouped": 0}


def test_reconciling_tells_the_state_of_the_gallery_as_metrics(shop: Shop) -> None:
    eventually(lambda: shop.invoke("Reconcile")["differing"] == 0)
    since = int(time.time() * 1000)
    shop.invoke("Reconcile")
    told = eventually(lambda: shop.metrics("Reconcile", since))
    assert {"Photos", "PhotosBehind", "RejectedPhotos", "GalleryAge"} <= told.keys()
    assert told["PhotosBehind"] == [0.0]


def test_failed_events_become_dead_letters_that_redriving_brings_home(shop: Shop) -> None:
    with (
        changed(shop, "Embed", LENS_ARTIFACTS="s3://not-ours"),
        retrying_at_once(shop, "EmbedQueueUrl"),
    ):
        shop.put("late/one.jpg", garment(302))
        eventually(lambda: shop.depth("EmbedDeadLettersUrl"))
    assert not shop.shows(garment(302), "late/one.jpg")
    assert "1" in shop.lens("status")

    told = shop.lens("redrive")

    assert "1" in told
    eventually(lambda: shop.shows(garment(302), "late/one.jpg"))
    assert shop.depth("EmbedDeadLettersUrl") == 0


def test_a_long_tail_is_folded_and_rows_without_a_photo_go_when_they_are_let_go(
    shop: Shop, artifacts: Storage
) -> None:
    """300 rows without photos: more than a tail may have."""
    model = shop.visitor.health()["model_id"]
    write_segment(artifacts, model, _invented(300))

    def folded() -> bool:
        shop.found()  # a search looks for a newer gallery; health shows the one in use
        return bool(shop.visitor.health()["gallery"]["snapshot_rows"] >= 300)

    eventually(folded)
    assert any(key.startswith("invented/") for key in shop.found())

    assert shop.invoke("Reconcile")["held"] >= 300, "they look like photos that are gone"
    (held,) = json.loads(shop.lens("status", "--json"))["held"]
    shop.lens(*held["command"].split()[1:])
    eventually(lambda: not any(k.startswith("invented/") for k in shop.found()))


def test_the_collect_function_marks_what_nothing_reaches_and_keeps_the_rest(
    shop: Shop, artifacts: Storage
) -> None:
    """It marks now and deletes after a day; test_roles shows that it may delete."""
    shop.put("kept/one.jpg", garment(303))
    eventually(lambda: shop.shows(garment(303), "kept/one.jpg"))
    stray = f"snapshots/nobodys/{'0' * 32}/gallery.index"
    artifacts.write(stray, b"left behind by a crash")

    assert shop.invoke("Collect") == {"removed": 0}

    marked = json.loads(artifacts.read("collected.json")[0])["artifacts"]
    assert stray in marked
    assert not any(key.startswith(("heads/", "current", "models/")) for key in marked)
    assert shop.shows(garment(303), "kept/one.jpg")


def _invented(count: int) -> Segment:
    """Rows of photos that are in no bucket."""
    vectors = np.random.default_rng(5).standard_normal((count, 128)).astype(np.float32)
    version = Version.of_event("00")
    rows = [
        Row(f"invented/{n}.jpg", version, Kind.PHOTO, time.time(), f"e{n}", f"{n:032x}", f"i{n}")
        for n in range(count)
    ]
    return Segment(Rows.of(rows), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
