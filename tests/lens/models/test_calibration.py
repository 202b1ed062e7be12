"""Calibration: written beside the model, read back, copied along; damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError, DamagedError
from lens.models.calibration import (
    Calibration,
    copy_calibration,
    leaning_of,
    log_odds,
    read_calibration,
    read_garment_direction,
    read_probes,
    unless_damaged,
    write_calibration,
)
from lens.models.regions import LEAST_CONFIDENCE
from lens.storage import FileStorage

CALIBRATION = Calibration(
    garment_from=0.3, same=0.9, very_similar=0.8, similar_style=0.6, loss=0.05
)
PROBES = np.eye(4, dtype=np.float32)
DIRECTION = np.array([1, 2, 3, 4, 0.5], np.float32)


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "artifacts")


def test_what_is_written_is_read_and_copied(storage: FileStorage, tmp_path: Path) -> None:
    write_calibration(storage, "model-a", CALIBRATION, PROBES, DIRECTION)
    other = FileStorage(tmp_path / "other")
    copy_calibration(storage, other, "model-a")
    for each in (storage, other):
        assert read_calibration(each, "model-a") == CALIBRATION
        probes = read_probes(each, "model-a", 4)
        assert probes is not None
        np.testing.assert_array_equal(probes, PROBES)
        direction = read_garment_direction(each, "model-a", 4)
        assert direction is not None
        np.testing.assert_array_equal(direction, DIRECTION)
        assert leaning_of(PROBES[1], direction) == pytest.approx(2.5)


def test_a_model_may_have_no_direction(storage: FileStorage, tmp_path: Path) -> None:
    write_calibration(storage, "model-a", CALIBRATION, PROBES)
    other = FileStorage(tmp_path / "other")
    copy_calibration(storage, other, "model-a")
    assert read_calibration(other, "model-a") == CALIBRATION
    assert read_garment_direction(other, "model-a", 4) is None


@pytest.mark.parametrize("confidence", [0.0, 0.05, LEAST_CONFIDENCE])
def test_no_region_says_as_much_as_the_least_sure_one(confidence: float) -> None:
    assert log_odds(confidence) == log_odds(LEAST_CONFIDENCE)
    assert log_odds(0.5) == 0
    assert log_odds(0.9) == pytest.approx(-log_odds(0.1))
    assert log_odds(1.0) < 7


def test_a_model_without_one_is_no_error(storage: FileStorage, tmp_path: Path) -> None:
    assert read_calibration(storage, "model-a") is None
    assert read_probes(storage, "model-a", 4) is None
    copy_calibration(storage, FileStorage(tmp_path / "other"), "model-a")


def test_probes_of_another_model_are_refused(storage: FileStorage) -> None:
    write_calibration(storage, "model-a", CALIBRATION, PROBES)
    with pytest.raises(DamagedError, match=r"probes.npy is damaged \(float32 \(4, 4\)\)"):
        read_probes(storage, "model-a", 128)


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"no array"])
def test_damaged_probes_are_named(storage: FileStorage, damage: bytes) -> None:
    storage.write("models/model-a/probes.npy", damage)
    with pytest.raises(DamagedError) as raised:
        read_probes(storage, "model-a", 4)
    assert raised.value.key == "models/model-a/probes.npy"


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", None])
def test_a_damaged_direction_is_named(storage: FileStorage, damage: bytes | None) -> None:
    """None: of another model, with fewer dimensions."""
    if damage is None:
        write_calibration(storage, "model-a", CALIBRATION, PROBES, DIRECTION[1:])
    else:
        storage.write("models/model-a/garment.npy", damage)
    with pytest.raises(DamagedError) as raised:
        read_garment_direction(storage, "model-a", 4)
    assert raised.value.key == "models/model-a/garment.npy"


@pytest.mark.parametrize("damage", [b"", b"{", b'{"same": 1}', b'{"format": 9}'])
def test_a_damaged_calibration_costs_itself_and_is_named(
    storage: FileStorage, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage.write("models/model-a/calibration.json", damage)
    damaged: list[ArtifactError] = []
    assert unless_damaged(lambda: read_calibration(storage, "model-a"), damaged) is None
    assert "models/model-a/calibration.json" in caplog.text
    assert "models/model-a/calibration.json" in str(damaged[0])
