"""Game day: ten ways to break the deployed stack, each brought back by the runbook's own lines."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lens.gallery.commits import head_key, read_head
from lens.gallery.current import read_current
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, segment_key, write_segment
from lens.gallery.versions import Version
from lens.pipeline.compact import fold
from lens.storage import Storage
from tests.aws.deployment import STACK
from tests.aws.shop import Shop, eventually, garment
from tests.aws.test_maintenance import changed, losing_events, retrying_at_once

pytestmark = pytest.mark.aws

RUNBOOK = Path(__file__).parents[2] / "docs/operations.md"
PHOTOS = {f"day/{number}.jpg": garment(800 + number) for number in range(3)}
Break = Callable[[Shop, Storage], None]


def runbook() -> dict[str, list[str]]:
    """The lines that the runbook has for each way to break a stack."""
    text = RUNBOOK.read_text().partition("## Game day\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ")][2:]
    return {row[1].strip(): re.findall(r"`(lens [^`]+)`", row[3]) for row in rows}


def follow(shop: Shop, name: str) -> None:
    for line in runbook()[name]:
        shop.lens(*shlex.split(line.replace("ImageLens", STACK))[1:])


def live(artifacts: Storage) -> str:
    current = read_current(artifacts)
    assert current is not None
    return current.live


def cut(storage: Storage, key: str) -> None:
    data = storage.read(key)[0]
    storage.write(key, data[: len(data) // 2])


def a_head_is_cut_in_half(shop: Shop, artifacts: Storage) -> None:
    cut(artifacts, head_key(live(artifacts)))


def current_json_is_gone(shop: Shop, artifacts: Storage) -> None:
    artifacts.delete("current.json")


def a_segment_is_gone(shop: Shop, artifacts: Storage) -> None:
    model = live(artifacts)
    artifacts.delete(segment_key(model, read_head(artifacts, model).segments[-1].id))


def a_snapshot_is_changed(shop: Shop, artifacts: Storage) -> None:
    model = live(artifacts)
    fold(artifacts, read_head(artifacts, model), now=time.time())
    snapshot = read_head(artifacts, model).snapshot
    assert snapshot is not None
    key = f"snapshots/{model}/{snapshot.id}/vectors.npy"
    data = bytearray(artifacts.read(key)[0])
    data[-1] ^= 1
    artifacts.write(key, bytes(data))


def the_network_is_empty(shop: Shop, artifacts: Storage) -> None:
    key = next(
        i.key for i in artifacts.list(f"models/{live(artifacts)}/") if i.key.endswith("onnx")
    )
    artifacts.write(key, b"")


def a_document_is_nonsense(shop: Shop, artifacts: Storage) -> None:
    artifacts.write("collected.json", b"{")


def events_are_lost(shop: Shop, artifacts: Storage) -> None:
    with losing_events(shop):
        shop.put("day/unheard.jpg", garment(890))
        time.sleep(2)


def embed_cannot_read_the_photos(shop: Shop, artifacts: Storage) -> None:
    with (
        changed(shop, "Embed", LENS_ARTIFACTS="s3://not-ours"),
        retrying_at_once(shop, "EmbedQueueUrl"),
    ):
        shop.put("day/unheard.jpg", garment(891))
        eventually(lambda: shop.depth("EmbedDeadLettersUrl"))


def the_queue_is_emptied(shop: Shop, artifacts: Storage) -> None:
    with changed(shop, "Embed", LENS_ARTIFACTS="s3://not-ours"):
        shop.put("day/unheard.jpg", garment(892))
        eventually(lambda: shop.depth("EmbedQueueUrl"))
        shop.aws("sqs").purge_queue(QueueUrl=shop.deployment.outputs["EmbedQueueUrl"])


def a_process_writes_nonsense(shop: Shop, artifacts: Storage) -> None:
    vectors = np.random.default_rng(7).standard_normal((5, 128)).astype(np.float32)
    version = Version.of_event("00")
    rows = [
        Row(f"nonsense/{n}.jpg", version, Kind.PHOTO, time.time(), f"e{n}", f"{n:032x}", f"i{n}")
        for n in range(5)
    ]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write_segment(artifacts, live(artifacts), Segment(Rows.of(rows), vectors))
    eventually(lambda: any(key.startswith("nonsense/") for key in shop.found()))


BREAKS: dict[str, Break] = {
    "a head is cut in half": a_head_is_cut_in_half,
    "`current.json` is gone": current_json_is_gone,
    "a segment is gone": a_segment_is_gone,
    "a bit of a snapshot is changed": a_snapshot_is_changed,
    "the network is empty": the_network_is_empty,
    "`collected.json` is nonsense": a_document_is_nonsense,
    "the bucket's events were lost": events_are_lost,
    "`embed` failed on each photo": embed_cannot_read_the_photos,
    "a queue was emptied": the_queue_is_emptied,
    "a process wrote photos that never were": a_process_writes_nonsense,
}
DAMAGES = list(BREAKS)[:6]  # which `lens verify` sees


def test_the_runbook_and_the_game_have_the_same_ways() -> None:
    assert list(runbook()) == list(BREAKS)
    assert all(runbook().values())


@pytest.mark.parametrize("name", BREAKS)
def test_the_runbook_brings_back_what_is_broken(name: str, shop: Shop, artifacts: Storage) -> None:
    for key, photo in PHOTOS.items():
        shop.put(key, photo)
    eventually(lambda: shop.found() >= PHOTOS.keys())
    eventually(lambda: shop.invoke("Reconcile")["differing"] == 0)

    BREAKS[name](shop, artifacts)
    shop.lens("verify", status=1 if name in DAMAGES else 0)
    follow(shop, name)

    assert "all whole" in shop.lens("verify")
    new = f"day/after-{list(BREAKS).index(name)}.jpg"
    shop.put(new, garment(850 + list(BREAKS).index(name)))
    eventually(lambda: shop.found() >= {*PHOTOS, new})
    eventually(lambda: shop.invoke("Reconcile")["differing"] == 0)
    there = {
        item["Key"].removeprefix("catalog/")
        for item in shop.aws("s3").list_objects_v2(Bucket=shop.catalog_bucket, Prefix="catalog/")[
            "Contents"
        ]
    }
    assert shop.found() <= there, "nothing is found that is not in the catalog"
    assert shop.visitor.health()["status"] == "ok"
