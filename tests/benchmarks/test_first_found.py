"""The measurement of a first indexing, on a few drawn photos: what it times and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.first_found import main
from tests.lambdas.local.photos import write_photos

pytestmark = pytest.mark.slow


def test_the_server_answers_then_finds_one_photo_then_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, range(30))
    (photos / "broken.png").write_bytes(b"no photo")  # it is waited for, and never found
    main([str(photos), "--times", "1", "--json"])
    ((found,),) = json.loads(capsys.readouterr().out).values()
    assert 0 < found["answers"] < found["first"] <= found["all"]


def test_a_tree_whose_server_does_not_start_is_named(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(1))
    (tmp_path / "tree/lambdas").mkdir(parents=True)
    (tmp_path / "tree/lambdas/__init__.py").write_text("raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="tree: the server did not start"):
        main([str(tmp_path / "photos"), "--times", "1", "--tree", str(tmp_path / "tree")])
