"""Calibration: written beside the model, read back, copied along; damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.models.calibration import (
    Calibration,
    copy_calibration,
    read_calibration,
    read_probes,
    write_calibration,
)
from lens.storage import FileStorage

CALIBRATION = Calibration(
    garment_from=0.3, same=0.9, very_similar=0.8, similar_style=0.6, loss=0.05
)
PROBES = np.eye(4, dtype=np.float32)


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "artifacts")


def test_what_is_written_is_read_and_copied(storage: FileStorage, tmp_path: Path) -> None:
    write_calibration(storage, "model-a", CALIBRATION, PROBES)
    other = FileStorage(tmp_path / "other")
    copy_calibration(storage, other, "model-a")
    for each in (storage, other):
        assert read_calibration(each, "model-a") == CALIBRATION
        probes = read_probes(each, "model-a", 4)
        assert probes is not None
        np.testing.assert_array_equal(probes, PROBES)


def test_a_model_without_one_is_no_error(storage: FileStorage, tmp_path: Path) -> None:
    assert read_calibration(storage, "model-a") is None
    assert read_probes(storage, "model-a", 4) is None
    copy_calibration(storage, FileStorage(tmp_path / "other"), "model-a")


def test_probes_of_another_model_are_not_used(
    storage: FileStorage, caplog: pytest.LogCaptureFixture
) -> None:
    write_calibration(storage, "model-a", CALIBRATION, PROBES)
    assert read_probes(storage, "model-a", 128) is None
    assert "probes of model model-a are not used: float32 (4, 4)" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"no array"])
def test_damaged_probes_cost_themselves_and_are_named(
    storage: FileStorage, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage.write("models/model-a/probes.npy", damage)
    assert read_probes(storage, "model-a", 4) is None
    assert "probes of model model-a are not used" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"{", b'{"same": 1}', b'{"format": 9}'])
def test_a_damaged_calibration_costs_itself_and_is_named(
    storage: FileStorage, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage.write("models/model-a/calibration.json", damage)
    assert read_calibration(storage, "model-a") is None
    assert "models/model-a/calibration.json" in caplog.text
