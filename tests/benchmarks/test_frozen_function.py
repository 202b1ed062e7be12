"""The frozen function's measurement: a real function is stopped, thawed, and asked to the end."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from lens.storage import open_storage
from tests.benchmarks import frozen_function
from tests.benchmarks.s3_folder import break_off, s3_folder
from tests.benchmarks.synthetic_gallery import Photos, save

pytestmark = pytest.mark.slow


def test_a_function_is_asked_until_it_answers_from_the_newest_commit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = np.random.default_rng(0).standard_normal((60, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    photos = Photos(vectors, np.arange(60) // 3, np.array([b"A", b"B"] * 30))
    save(photos, tmp_path / "photos.npz")
    arguments = ["--rows", "200", "--pauses", "0.1", "--photos", str(tmp_path / "photos.npz")]
    frozen_function.main(arguments)
    line = capsys.readouterr().out.strip().splitlines()[-1]
    assert line.startswith("| 200 | 0.1 | ")
    assert "never" not in line


def test_a_stand_in_breaks_off_paces_and_serves_what_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_bytes(random.Random(0).randbytes(3_000_000))
    with s3_folder(tmp_path, shared_rate=20e6) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        storage = open_storage("s3://bucket")
        assert storage.read("key")[0] == (tmp_path / "key").read_bytes()
        assert break_off(environment) == 3_000_000
        (tmp_path / "key").write_bytes(json.dumps("newer").encode())
        assert storage.read("key")[0] == b'"newer"'
        assert break_off(environment) == len(b'"newer"')
