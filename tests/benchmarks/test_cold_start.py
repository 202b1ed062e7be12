"""The cold start's measurement: its S3 stand-in keeps S3's contract, a process its own figures."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

import lens.storage.s3
from lens.errors import NotFoundError
from lens.storage import open_storage
from tests.benchmarks import cold_start
from tests.benchmarks.s3_folder import s3_folder

pytestmark = pytest.mark.slow


def test_the_stand_in_is_read_as_s3_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens.storage.s3, "_PART", 1000)
    contents = {f"a/{size} ü": random.Random(size).randbytes(size) for size in (0, 1, 1000, 5_500)}
    for key, data in contents.items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(data)
    with s3_folder(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        storage = open_storage("s3://bucket")
        for key, data in contents.items():
            found, info = storage.read(key)
            assert found == data
            assert info == storage.head(key)
        assert storage.head("other") is None
        with pytest.raises(NotFoundError):
            storage.read("other")


def test_a_start_is_measured_up_to_its_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_start, "cool", lambda: "left as it is")
    program = (
        "import os, time; memory = b'x' * 2**26\n"
        "print('{\"hits\": [%s]}' % os.environ['FIRST'], flush=True)\n"
        "while time.process_time() < 0.3: pass\n"
    )
    command = [sys.executable, "-S", "-c", program]
    ((first, second),) = cold_start.measure({"it": command}, {"FIRST": "1"}, 2).values()
    assert first.cpu >= 0.3 and second.cpu >= 0.3
    assert 64 <= first.peak_mib < 128
    with pytest.raises(RuntimeError, match="answered without hits"):
        cold_start.measure({"it": command}, {"FIRST": ""}, 1)
    with pytest.raises(RuntimeError, match="failed"):
        cold_start.measure({"it": [sys.executable, "-c", "raise SystemExit(1)"]}, {}, 1)
