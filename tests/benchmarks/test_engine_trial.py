"""The engine trial at the smallest size: its S3 is one, its exact answers are exact, and where
LanceDB is at hand the whole of it runs. Covers: engine_table, engine_search, engine_rules, s3_disk.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.benchmarks import engine_trial
from tests.benchmarks.engine_search import Effort
from tests.benchmarks.engine_table import TOP, Answers, chosen, filters, questions, rows_of
from tests.benchmarks.s3_disk import Disk, s3_disk
from tests.benchmarks.synthetic_gallery import Photos, save

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real() -> Photos:
    """Three categories of five items of four photos each."""
    chance = np.random.default_rng(0)
    item = np.repeat(np.arange(15), 4)
    vectors = chance.standard_normal((15, 16))[item] + 0.2 * chance.standard_normal((60, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Photos(vectors.astype(np.float32), item, np.array([b"a", b"b", b"c"])[item // 5])


def client(disk: Disk) -> S3Client:
    """boto3's, of the folder."""
    return boto3.client(
        "s3",
        endpoint_url=disk.address,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_the_folder_is_an_s3_of_ranges_lists_and_conditional_writes(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    with s3_disk(tmp_path) as disk:
        s3 = client(disk)
        s3.put_object(Bucket="bucket", Key="a/one", Body=b"0123456789", IfNoneMatch="*")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket="bucket", Key="a/one", Body=b"other", IfNoneMatch="*")
        part = s3.get_object(Bucket="bucket", Key="a/one", Range="bytes=2-4")
        assert part["Body"].read() == b"234"
        end = s3.get_object(Bucket="bucket", Key="a/one", Range="bytes=-3")
        assert end["Body"].read() == b"789"
        s3.put_object(Bucket="bucket", Key="a/b/two", Body=b"2")
        found = s3.list_objects_v2(Bucket="bucket", Prefix="a/", Delimiter="/")
        assert [each["Key"] for each in found["Contents"]] == ["a/one"]
        assert [each["Prefix"] for each in found["CommonPrefixes"]] == ["a/b/"]
        s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "a/one"}]})
        with pytest.raises(ClientError, match="404"):
            s3.head_object(Bucket="bucket", Key="a/one")


def test_requests_and_bytes_are_counted_until_they_are_told(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "key").write_bytes(b"12345")
    with s3_disk(tmp_path) as disk:
        urllib.request.urlopen(f"{disk.address}/bucket/key").read()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{disk.address}/bucket/none")
        counts = disk.counts()
        assert counts["GET"] == 2 and counts["bytes"] > 5
        assert disk.counts() == {}


def test_the_exact_answers_are_those_of_a_scan_of_all_rows(real: Photos) -> None:
    asked, count, category = questions(real).vectors, 3_000, 1
    answers = Answers(asked, category)
    for rows in rows_of(real, count):
        answers.see(rows)
    (rows,) = rows_of(real, count)
    for name in filters(category):
        right = np.flatnonzero(chosen(rows, name, category))
        order = np.argsort(-(asked @ rows.vector[right].T), axis=1)[:, :TOP]
        assert len(right) > 0 and np.mean(answers.best[name][1] == right[order]) > 0.999


def test_the_trial_finds_what_the_scan_finds_and_keeps_the_rules(
    real: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lancedb", reason="the trial's engine is not one of our packages")
    save(real, tmp_path / "photos.npz")
    folder = tmp_path / "table"
    engine_trial.main(["write", str(tmp_path / "photos.npz"), str(folder), "--rows", "5000"])
    engine_trial.main(["index", str(folder), "--lists", "4"])
    engine_trial.main(["index", str(folder), "--kind", "SCALAR"])
    assert json.loads((folder / "facts.json").read_text())["rows"] == 5_000
    capsys.readouterr()
    lines = list(engine_trial.ask(folder, [Effort(4, 5)], ["all", "pinned at 50"], 20, 0.0))
    assert [float(line.split("|")[2]) > 0.98 for line in lines[1:]] == [True, True]
    told = "\n".join(engine_trial.rules(folder, 0.0))
    assert "| a pin answers as before | yes |" in told
    assert "20 of 20 rows" in told
    assert "1 row(s) of it, of commit(s) [120], highest written 120; 0 processes failed" in told
