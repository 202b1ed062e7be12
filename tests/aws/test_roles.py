"""The roles: a function is denied what is not its work; the other tests show that it can work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws

_DENIED = "AccessDenied"
_READ = {"operation": "get_object"}
_WRITE = {"operation": "put_object", "Body": "x"}
_DELETE = {"operation": "delete_object"}

# Function, operation, bucket and key.
_FORBIDDEN = [
    ("Search", _WRITE, "artifacts", "current.json"),
    ("Search", _WRITE, "artifacts", "heads/a.json"),
    ("Search", _WRITE, "artifacts", "segments/a/b.npz"),
    ("Search", _WRITE, "catalog", "catalog/a.jpg"),
    ("Search", _DELETE, "catalog", "catalog/a.jpg"),
    ("Embed", _WRITE, "artifacts", "heads/a.json"),
    ("Embed", _WRITE, "artifacts", "current.json"),
    ("Embed", _WRITE, "artifacts", "models/a/model.onnx"),
    ("Embed", _READ, "artifacts", "training/a/report.json"),
    ("Embed", _WRITE, "catalog", "catalog/a.jpg"),
    ("Embed", _DELETE, "catalog", "catalog/a.jpg"),
    ("BuildIndex", _READ, "catalog", "catalog/a.jpg"),
    ("BuildIndex", _WRITE, "artifacts", "segments/a/b.npz"),
    ("BuildIndex", _WRITE, "artifacts", "current.json"),
    ("BuildIndex", _DELETE, "artifacts", "segments/a/b.npz"),
    ("Compact", _READ, "catalog", "catalog/a.jpg"),
    ("Compact", _WRITE, "artifacts", "current.json"),
    ("Compact", _DELETE, "artifacts", "segments/a/b.npz"),
    ("Reconcile", _WRITE, "artifacts", "heads/a.json"),
    ("Reconcile", _WRITE, "catalog", "catalog/a.jpg"),
    ("Reconcile", _DELETE, "artifacts", "segments/a/b.npz"),
    ("Collect", _WRITE, "artifacts", "current.json"),
    ("Collect", _DELETE, "artifacts", "current.json"),
    ("Collect", _DELETE, "artifacts", "heads/a.json"),
    ("Collect", _DELETE, "artifacts", "models/a/model.onnx"),
    ("Collect", _READ, "catalog", "catalog/a.jpg"),
    ("Collect", _DELETE, "catalog", "catalog/a.jpg"),
    ("Collect", _DELETE, "catalog", "thumbs/logo.png"),
    ("Collect", _DELETE, "catalog", "image-lens/Other/thumbs/none"),
    ("Embed", _WRITE, "catalog", "thumbs/logo.png"),
    ("Search", _WRITE, "catalog", "image-lens/Other/thumbs/none"),
    ("Setup", _WRITE, "artifacts", "segments/a/b.npz"),
    ("Setup", _WRITE, "artifacts", "snapshots/a/b/rows.npz"),
    ("Setup", _READ, "catalog", "catalog/a.jpg"),
    ("Setup", _DELETE, "artifacts", "current.json"),
]
_ALLOWED = [
    ("Collect", _DELETE, "artifacts", "segments/a/none.npz"),
    ("Collect", _DELETE, "artifacts", "snapshots/a/none/rows.npz"),
    ("Collect", _DELETE, "artifacts", "products/a/none/table.npz"),
    ("Collect", _DELETE, "artifacts", "commits/a/none.json"),
    ("Collect", _DELETE, "catalog", "image-lens/ImageLens/thumbs/none"),
    ("Search", _WRITE, "catalog", "image-lens/ImageLens/thumbs/none"),
]
_FUNCTIONS = ("Search", "Embed", "BuildIndex", "Compact", "Reconcile", "Collect", "Setup")


def _try(shop: Shop, function: str, attempt: dict[str, str], bucket: str, key: str) -> str:
    buckets = {
        "catalog": shop.catalog_bucket,
        "artifacts": shop.deployment.outputs["ArtifactsLocation"].removeprefix("s3://"),
    }
    arguments: dict[str, Any] = {"Bucket": buckets[bucket], "Key": key, **attempt}
    operation = arguments.pop("operation")
    return shop.probe(function, "s3", operation, **arguments)


@pytest.mark.parametrize(
    ("function", "attempt", "bucket", "key"),
    _FORBIDDEN,
    ids=[f"{f}-{a['operation']}-{b}-{k}" for f, a, b, k in _FORBIDDEN],
)
def test_a_function_is_denied_what_is_not_its_work(
    shop: Shop, function: str, attempt: dict[str, str], bucket: str, key: str
) -> None:
    assert _try(shop, function, attempt, bucket, key) == _DENIED


@pytest.mark.parametrize(
    ("function", "attempt", "bucket", "key"),
    _ALLOWED,
    ids=[f"{f}-{a['operation']}-{b}-{k}" for f, a, b, k in _ALLOWED],
)
def test_a_function_may_do_what_its_flow_here_does_not_reach(
    shop: Shop, function: str, attempt: dict[str, str], bucket: str, key: str
) -> None:
    assert _try(shop, function, attempt, bucket, key) == ""


@pytest.mark.parametrize("function", _FUNCTIONS)
def test_no_function_may_call_another_or_see_other_buckets_or_roles(
    shop: Shop, function: str
) -> None:
    target = shop.deployment.outputs["SetupFunction"]
    assert shop.probe(function, "lambda", "invoke", FunctionName=target).startswith(_DENIED)
    assert shop.probe(function, "s3", "list_buckets") == _DENIED
    assert shop.probe(function, "iam", "list_roles").startswith(_DENIED)


@pytest.mark.parametrize("function", ["Search", "Embed", "Compact", "Setup"])
def test_only_functions_that_find_keys_to_look_at_again_may_queue_them(
    shop: Shop, function: str
) -> None:
    url = shop.deployment.outputs["EmbedQueueUrl"]
    told = shop.probe(function, "sqs", "send_message", QueueUrl=url, MessageBody="{}")
    assert told.startswith(_DENIED)


def test_a_missing_object_is_told_from_a_forbidden_one(shop: Shop) -> None:
    """Otherwise a deleted photo would look like a denied one, and would stay in the gallery."""
    assert _try(shop, "Embed", _READ, "catalog", "catalog/not-there.jpg") == "NoSuchKey"
    shop.put("there/one.jpg", garment(400))
    eventually(lambda: shop.shows(garment(400), "there/one.jpg"))
    assert _try(shop, "Embed", _READ, "catalog", "catalog/there/one.jpg") == ""
