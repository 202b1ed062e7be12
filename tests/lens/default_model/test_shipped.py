"""The shipped default model: its files are whole, and are written to the artifacts as they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lens.default_model import shipped
from lens.default_model.shipped import FOLDER, MANIFEST, shipped_manifest, write_shipped
from lens.errors import ArtifactError
from lens.gallery.match_thresholds import LEAST_PROBES
from lens.models.calibration import (
    FILES,
    Calibration,
    read_calibration,
    read_garment_direction,
    read_probes,
)
from lens.models.embedder import load_embedder
from lens.models.manifest import read_manifest, read_network
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.support.tiny_model import ship_tiny_model

MOST_BYTES = 30e6  # it is in every clone, in the wheel and in the setup function's zip


@pytest.fixture
def artifacts(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "artifacts")


def test_the_shipped_model_is_whole_and_embeds_a_photo(artifacts: FileStorage) -> None:
    announce_format(artifacts, time.time())  # as whatever writes artifacts does first
    manifest = write_shipped(artifacts)
    there = read_manifest(artifacts, manifest.model_id)
    assert manifest == shipped_manifest() == there.model_copy(update={"beside": {}})
    assert set(there.beside) == set(FILES) and there.probe is not None
    photo = Image.effect_noise((300, 200), 60).convert("RGB")
    for precision in manifest.variants:
        vector = load_embedder(artifacts, manifest.model_id, precision).embed(photo)
        assert vector.shape == (manifest.embedding_dim,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_shipped_model_is_trained_numbered_and_small() -> None:
    manifest = shipped_manifest()
    assert manifest.head.kind == "trained" and manifest.default_number >= 2
    there = {path.name for path in FOLDER.iterdir() if path.suffix not in {".py", ""}}
    networks = {variant.file for variant in manifest.variants.values()}
    assert there == {MANIFEST, *FILES, *networks}
    assert sum((FOLDER / name).stat().st_size for name in networks) < MOST_BYTES


def test_its_calibration_comes_along(artifacts: FileStorage) -> None:
    manifest = write_shipped(artifacts)
    assert read_calibration(artifacts, manifest.model_id) is not None
    probes = read_probes(artifacts, manifest.model_id, manifest.embedding_dim)
    assert probes is not None and len(probes) >= LEAST_PROBES
    name, dim = manifest.model_id, manifest.embedding_dim
    assert read_garment_direction(artifacts, name, dim) is not None
    assert load_embedder(artifacts, name).tells_shares


def test_a_new_calibration_of_the_same_model_replaces_the_one_that_is_there(
    artifacts: FileStorage, tmp_path: Path
) -> None:
    """A gallery keeps its vectors, and learns what they are worth."""
    ship_tiny_model(tmp_path / "folder")
    first = write_shipped(artifacts, tmp_path / "folder")
    assert read_calibration(artifacts, first.model_id) is None
    for same in (0.9, 0.8, 0.8):
        calibration = Calibration(
            garment_from=0.3, same=same, very_similar=0.7, similar_style=0.6, loss=0.05
        )
        (tmp_path / "folder/calibration.json").write_text(calibration.model_dump_json())
        assert write_shipped(artifacts, tmp_path / "folder") == first
        assert read_calibration(artifacts, first.model_id) == calibration


def test_what_is_there_is_not_written_again(
    artifacts: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship_tiny_model(tmp_path / "folder")
    first = write_shipped(artifacts, tmp_path / "folder")
    monkeypatch.setattr(shipped, "write_model", None)
    assert write_shipped(artifacts, tmp_path / "folder") == first
    assert read_network(artifacts, first) == (tmp_path / "folder/model.onnx").read_bytes()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), "has no default model"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "cannot be read"),
        (lambda folder: (folder / "model.onnx").unlink(), "model.onnx .* is missing"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"half"), "model.onnx .* is damaged"),
    ],
)
def test_a_damaged_installation_says_so_and_writes_nothing(
    damage: Callable[[Path], object], message: str, artifacts: FileStorage, tmp_path: Path
) -> None:
    ship_tiny_model(tmp_path / "folder")
    damage(tmp_path / "folder")
    with pytest.raises(ArtifactError, match=f"{message}.*again"):
        write_shipped(artifacts, tmp_path / "folder")
    assert [info.key for info in artifacts.list("models/")] == []
