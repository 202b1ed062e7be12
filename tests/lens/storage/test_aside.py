"""Aside: what is damaged is kept where nobody looks.

Covers: aside, older, s3.
"""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from lens.storage import FileStorage, open_storage
from lens.storage.aside import aside_folder, keep_copy, set_aside
from lens.storage.older import older_versions
from tests.support.s3_bucket import BUCKET, s3_bucket


def test_what_is_set_aside_is_moved(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.write("a/b", b"1")
    folder = aside_folder(0.0)
    assert keep_copy(storage, "a/b", folder)
    assert storage.head("a/b") is not None
    assert set_aside(storage, "a/b", folder)
    assert storage.head("a/b") is None
    assert storage.read("damaged/19700101T000000Z/a/b")[0] == b"1"
    assert not set_aside(storage, "a/b", folder)


def test_a_folder_has_no_older_versions(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.write("a", b"1")
    storage.write("a", b"2")
    assert list(older_versions(storage, "a")) == []


def test_a_versioned_bucket_has_them_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_bucket(monkeypatch):
        boto3.client("s3", region_name="us-east-1").put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
        )
        storage = open_storage(f"s3://{BUCKET}/x")
        for data in (b"1", b"2", b"3"):
            storage.write("a", data)
        storage.write("a2", b"another")
        assert list(older_versions(storage, "a")) == [b"2", b"1"]
        storage.delete("a")
        assert list(older_versions(storage, "a")) == [b"3", b"2", b"1"]
