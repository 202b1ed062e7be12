"""The drill: the artifacts are lost with everything in them, and the stack finds its photos again,
from a backup in another bucket and the photos."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from lens.storage import Storage
from tests.aws.shop import Shop, eventually, garment

BACKUP = "backup-elsewhere"
PHOTOS = range(970, 976)


def _empty(shop: Shop, bucket: str) -> int:
    """Delete every version of every object; how many there were."""
    client = shop.aws("s3")
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    there = [
        {"Key": item["Key"], "VersionId": item["VersionId"]}
        for page in pages
        for kind in ("Versions", "DeleteMarkers")
        for item in page.get(kind, [])
    ]
    for start in range(0, len(there), 500):
        client.delete_objects(Bucket=bucket, Delete={"Objects": there[start : start + 500]})
    return len(there)


@pytest.mark.aws
def test_a_stack_whose_artifacts_are_lost_is_rebuilt_from_a_backup_and_its_photos(
    shop: Shop, artifacts: Storage, record_property: Callable[[str, object], None]
) -> None:
    for seed in PHOTOS:
        shop.put(f"drill/{seed}.jpg", garment(seed))
    eventually(lambda: all(shop.shows(garment(n), f"drill/{n}.jpg") for n in PHOTOS))
    live = json.loads(artifacts.read("current.json")[0])["live"]
    shop.aws("s3").create_bucket(Bucket=BACKUP)
    assert f"backed up: {live} (live)" in shop.lens("backup", f"s3://{BACKUP}/lens")

    bucket = shop.deployment.outputs["ArtifactsLocation"].removeprefix("s3://")
    assert _empty(shop, bucket) > 20
    began = time.monotonic()
    shop.invoke("Setup")  # what a deployment does first
    told = shop.lens("restore", f"s3://{BACKUP}/lens")

    assert f"{live} is live" in told
    eventually(lambda: all(shop.shows(garment(n), f"drill/{n}.jpg") for n in PHOTOS))
    seconds = time.monotonic() - began
    assert shop.visitor.health()["model_id"] == live
    shop.lens("verify")  # it ends with 1 where something is damaged
    _empty(shop, BACKUP)
    shop.aws("s3").delete_bucket(Bucket=BACKUP)
    record_property("drill", f"all found {seconds:.0f} s after the loss was noticed")
