"""The storages under test: all of them in turn, or a folder alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lens.storage import FileStorage, Storage, open_storage
from tests.support.s3_bucket import BUCKET, s3_bucket


@pytest.fixture(params=["file", "s3", "s3 with a prefix"])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    if request.param == "file":
        yield open_storage(tmp_path / "root")
        return
    with s3_bucket(monkeypatch):
        prefix = "/some/pre fix+ü" if "prefix" in request.param else ""
        yield open_storage(f"s3://{BUCKET}{prefix}")


@pytest.fixture
def folder(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "root")
