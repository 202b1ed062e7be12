"""The locations that `open_storage` opens, and those that it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import lens.aws
import lens.storage.s3
from lens.errors import StorageError, UsageError
from lens.storage import open_storage


def test_a_location_is_normalized(
    s3: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    here = tmp_path.as_uri()
    locations: dict[str | Path, str] = {
        "photos": f"{here}/photos",
        "./photos/../other/": f"{here}/other",
        Path("photos"): f"{here}/photos",
        "/a b/100%": "file:///a%20b/100%25",
        "file:///a%20b/100%25": "file:///a%20b/100%25",
        "FILE://localhost/x/": "file:///x",
        "~/photos": "file:///home/someone/photos",
        "odd:name": f"{here}/odd%3Aname",
        "s3://bucket": "s3://bucket/",
        "S3://bucket//a/b//": "s3://bucket/a/b/",
    }
    for location, expected in locations.items():
        assert open_storage(location).location == expected
        assert open_storage(expected).location == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location",
    [
        *("", "a\0b", "file:///a%00b", "file://host/x", "file:x", "s3://", "s3:///x", "s3:bucket"),
        *("s3://bu cket/x", "gs://bucket", "https://example.com/x", Path("s3://bucket/x")),
    ],
)
def test_any_other_location_is_refused_in_one_line(location: str | Path) -> None:
    with pytest.raises(UsageError, match="is not a location: give a folder") as caught:
        open_storage(location)
    assert "\n" not in str(caught.value)


def test_without_boto3_folders_work_and_s3_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lens.aws", "lens.storage.s3"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr(lens, "aws", raising=False)
    for name in ("botocore", "botocore.session"):
        monkeypatch.setitem(sys.modules, name, None)
    open_storage(tmp_path).write("key", b"1")
    with pytest.raises(StorageError, match=r"pip install 'image-lens\[aws\]'"):
        open_storage("s3://bucket")
