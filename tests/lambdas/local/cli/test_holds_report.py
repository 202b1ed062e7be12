"""The holds as `lens` tells them, the command that lets photos go, and the flags."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from lambdas.local.cli import main
from tests.lambdas.local.photos import garment, write_photos


@pytest.fixture
def emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """A folder whose photos were indexed, and are gone."""
    for name in os.environ:
        if name.startswith("LENS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    folder = Path("my photos")
    write_photos(folder, range(3))
    assert main(["index", str(folder)]) == 0
    shutil.rmtree(folder / "shop")
    capsys.readouterr()
    return folder


def test_what_is_held_is_told_with_the_command_that_lets_it_go(
    emptied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reconcile", str(emptied)]) == 0
    assert "held       3 of 3 photos" in capsys.readouterr().out
    assert main(["index", str(emptied)]) == 2
    assert "3 photos are held, see `lens status`" in capsys.readouterr().err
    assert main(["status", str(emptied), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["photos"], status["belongs_to"]) == (3, None)
    (held,) = status["held"]
    assert held["examples"] == [f"shop/item-00{n}/0.png" for n in range(3)]
    assert main(["status", str(emptied)]) == 0
    assert f"`{held['command']}`" in capsys.readouterr().out

    assert main(["reconcile", str(emptied), "--allow-deletions", "another"]) == 2
    assert held["hold"] in capsys.readouterr().err
    assert main(shlex.split(held["command"])[1:]) == 0
    assert "3 photos are let go\n3 photos differed" in capsys.readouterr().out
    assert main(["status", str(emptied), "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["photos"], status["held"]) == (0, [])

    assert main(["rollback", str(emptied), "--undo-deletions"]) == 0
    Path("query.png").write_bytes(garment(1))
    capsys.readouterr()
    assert main(["search", "query.png", str(emptied), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["hits"]) == 3


def test_index_lets_go_what_it_is_told(emptied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", str(emptied)]) == 0
    capsys.readouterr()
    assert main(["status", str(emptied), "--json"]) == 0
    (held,) = json.loads(capsys.readouterr().out)["held"]
    assert main(["index", str(emptied), "--allow-deletions", held["hold"]]) == 0
    assert "gallery    0 photos" in capsys.readouterr().out


def test_another_folder_is_refused_until_it_is_named(
    emptied: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photos(Path("others"), range(5, 8))
    (artifacts,) = Path(".lens").iterdir()
    monkeypatch.setenv("LENS_ARTIFACTS", str(artifacts))
    for command in ("index", "reconcile"):
        assert main([command, "others"]) == 2
        assert "these artifacts belong to file:" in capsys.readouterr().err
    assert main(["status", "others"]) == 0
    assert "belongs to file:" in capsys.readouterr().out
    monkeypatch.setenv("LENS_MOVE_CATALOG", "others")
    assert main(["index", "others"]) == 0
    assert "held       3 of 3 photos" in capsys.readouterr().out
    monkeypatch.delenv("LENS_MOVE_CATALOG")
    assert main(["reconcile", "others"]) == 0
