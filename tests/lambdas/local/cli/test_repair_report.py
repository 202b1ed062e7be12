"""Repair report: the commands say what is damaged, what that costs, and what was done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.local.cli.arguments import main
from lambdas.local.pipeline import Pipeline
from lens.gallery.current import followed_models
from lens.pipeline.promote import promote
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a catalog of two photos in `photos`, and its artifacts in `made`."""
    (tmp_path / "photos").mkdir()
    for number in range(2):
        (tmp_path / f"photos/{number}.png").write_bytes(png(number))
    monkeypatch.setenv("LENS_ARTIFACTS", str(tmp_path / "made"))
    place = Pipeline(Settings(catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "made")))
    promote(place.artifacts, place.catalog, write_tiny_model(place.artifacts).model_id, place.look)
    return tmp_path


def spoil(shop: Path) -> str:
    (path,) = (shop / "made/segments").rglob("*.npz")
    path.write_bytes(b"spoiled")
    return path.relative_to(shop / "made").as_posix()


def test_a_whole_gallery_is_told_so(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(shop / "photos")]) == 0
    assert "all whole" in capsys.readouterr().out
    assert main(["repair", str(shop / "photos")]) == 0
    assert "nothing to repair" in capsys.readouterr().out


def test_a_damage_is_told_and_repaired(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = spoil(shop)
    assert main(["verify", str(shop / "photos")]) == 1
    told = capsys.readouterr()
    assert f"damaged    {key}" in told.out
    assert "costs: up to 2 photos" in told.out
    assert told.err == "lens: damaged artifacts: 1; run `lens repair`\n"
    assert main(["repair", str(shop / "photos")]) == 0
    told = capsys.readouterr()
    assert "2 photos were looked at again" in told.out
    assert "damaged/" in told.out
    assert main(["verify", str(shop / "photos")]) == 0


def test_programs_are_told_in_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = spoil(shop)
    assert main(["verify", str(shop / "photos"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["whole"]
    assert [each["key"] for each in told["damaged"]] == [key]


def test_a_model_is_let_go_by_its_name(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Pipeline(Settings(catalog=str(shop / "photos"), artifacts=str(shop / "made")))
    (earlier,) = followed_models(place.artifacts)
    newer = write_tiny_model(place.artifacts, 7).model_id
    promote(place.artifacts, place.catalog, newer, place.look)
    (shop / f"made/models/{earlier}/model.onnx").write_bytes(b"spoiled")
    photos = str(shop / "photos")
    assert main(["repair", photos]) == 0
    assert f"`lens repair --forget {earlier}`" in capsys.readouterr().out
    assert main(["verify", photos]) == 1
    capsys.readouterr()
    assert main(["repair", photos, "--forget", earlier]) == 0
    assert f"{earlier} is let go" in capsys.readouterr().out
    assert main(["verify", photos]) == 0
    assert main(["repair", photos, "--forget", earlier]) == 2
    assert "is no damaged model" in capsys.readouterr().err
