"""Erasure: an object goes with every version of it, and no other goes.

Covers: erasure, s3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lens.errors import StorageError
from lens.storage import Storage, open_storage
from lens.storage.erasure import erase, erase_replaced, versions
from lens.storage.s3 import S3Storage
from tests.support.s3_bucket import BUCKET


@pytest.fixture
def kept(s3: None) -> Any:
    """A client of the bucket, which keeps versions."""
    client = boto3.client("s3", region_name="us-east-1")
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


def left(client: Any) -> list[tuple[str, bool]]:
    """Every version and marker: its key, and whether it is the newest."""
    told = client.list_object_versions(Bucket=BUCKET)
    listed = [*told.get("Versions", []), *told.get("DeleteMarkers", [])]
    return sorted((each["Key"], each["IsLatest"]) for each in listed)


def fill(storage: Storage) -> None:
    for data in (b"1", b"2"):
        for key in ("a.jpg", "a.jpg.bak", "b.jpg"):
            storage.write(key, data)
    storage.delete("a.jpg")


def test_an_object_is_erased_with_its_versions_and_markers_and_no_other_is(kept: Any) -> None:
    storage = open_storage(f"s3://{BUCKET}/cat")
    fill(storage)
    storage.write("a.jpg", b"3")
    assert sorted(versions(storage, "a.jpg")) == [b"1", b"2", b"3"]
    assert erase(storage, "a.jpg") == 4
    assert {key for key, _ in left(kept)} == {"cat/a.jpg.bak", "cat/b.jpg"}
    assert len(left(kept)) == 4
    assert list(versions(storage, "a.jpg")) == []
    assert erase(storage, "a.jpg") == 0


def test_what_was_replaced_or_deleted_is_erased_and_the_newest_stays(kept: Any) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    fill(storage)
    assert erase_replaced(storage, "a", lambda key: key.endswith(".jpg")) == 2
    assert left(kept) == [
        ("a.jpg.bak", False),
        ("a.jpg.bak", True),
        ("b.jpg", False),
        ("b.jpg", True),
    ]
    storage.write("a.jpg", b"again")
    assert erase_replaced(storage, "a.jpg", "a.jpg".__eq__) == 0
    assert storage.read("a.jpg")[0] == b"again"


def test_more_versions_than_one_request_may_name_are_erased(
    kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lens.storage.s3._AT_ONCE", 2)
    storage = open_storage(f"s3://{BUCKET}")
    for number in range(5):
        storage.write("a.jpg", b"%d" % number)
    assert erase(storage, "a.jpg") == 5
    assert left(kept) == []


def test_a_version_that_may_not_be_erased_is_told(kept: Any) -> None:
    storage = open_storage(f"s3://{BUCKET}")
    assert isinstance(storage, S3Storage)
    storage.write("a.jpg", b"1")
    with Stubber(storage._client) as stub:
        named = [{"Key": "a.jpg", "VersionId": "v"}]
        listed = [{**named[0], "IsLatest": True}]
        stub.add_response("list_object_versions", {"Versions": listed})
        stub.add_response("delete_object", {})
        stub.add_response("list_object_versions", {"Versions": listed})
        stub.add_response("delete_objects", {"Errors": [{"Key": "a.jpg", "Code": "AccessDenied"}]})
        with pytest.raises(StorageError, match=r"cannot erase a\.jpg .*s3:DeleteObjectVersion"):
            erase(storage, "a.jpg")


def test_without_versions_the_object_is_deleted(s3: None, tmp_path: Path) -> None:
    for storage in (open_storage(tmp_path), open_storage(f"s3://{BUCKET}")):
        fill(storage)
        assert erase(storage, "b.jpg") == 1
        assert storage.head("b.jpg") is None
        assert erase(storage, "b.jpg") == 0
        assert erase_replaced(storage, "", lambda key: True) == 0
        assert list(versions(storage, "b.jpg")) == []
        assert storage.head("a.jpg.bak") is not None
