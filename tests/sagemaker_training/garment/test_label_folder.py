"""The label folder: what is written is read again, whole lines only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lens.errors import ArtifactError
from training.garment.label_folder import Label, LabeledPlace, LabelFolder

MASK = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
LABEL = Label(
    source="catalog",
    key="img/WOMEN/Tops/id_1/01_1_front.jpg",
    places=(LabeledPlace(place="upper", box=(0.1, 0.2, 0.9, 0.8)),),
    unsure=("shoes", "hat"),
    worn=True,
)


@pytest.fixture
def folder(tmp_path: Path) -> LabelFolder:
    found = LabelFolder(tmp_path)
    found.prepare()
    return found


def test_labels_and_masks_come_back_as_they_were(folder: LabelFolder) -> None:
    folder.write(LABEL, MASK, 255 - MASK)
    second = Label(source="shopper", key="train/hat/a.jpg")
    folder.write(second, None, None)
    found = folder.labels()
    assert list(found) == [("catalog", LABEL.key), ("shopper", second.key)]
    label = found["catalog", LABEL.key]
    assert (label.places, label.unsure, label.worn) == (LABEL.places, LABEL.unsure, True)
    assert label.mask is not None and label.cut_out is not None
    assert np.array_equal(folder.mask(label.mask), MASK)
    assert np.array_equal(folder.mask(label.cut_out), 255 - MASK)
    assert found["shopper", second.key] == second


def test_two_masks_that_are_equal_are_one_file(folder: LabelFolder, tmp_path: Path) -> None:
    folder.write(LABEL, MASK, MASK.copy())
    (label,) = folder.labels().values()
    assert label.mask == label.cut_out and len([*tmp_path.rglob("*.png")]) == 1


def test_a_line_that_was_not_wholly_written_does_not_count_and_is_cut_off(
    folder: LabelFolder, tmp_path: Path
) -> None:
    folder.write(LABEL, None, None)
    file = tmp_path / "labels.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    assert len(folder.labels()) == 1
    folder.prepare()
    assert file.read_bytes() == whole


@pytest.mark.parametrize("line", ["{}", "no label", '{"source": "catalog", "key": "a", "x": 1}'])
def test_any_other_damage_is_told_by_its_line(
    folder: LabelFolder, tmp_path: Path, line: str
) -> None:
    folder.write(LABEL, None, None)
    with (tmp_path / "labels.jsonl").open("a") as out:
        out.write(line + "\n")
    with pytest.raises(ArtifactError, match=r"labels\.jsonl, line 2 is no label"):
        folder.labels()


def test_a_mask_that_is_missing_or_no_picture_is_told(folder: LabelFolder, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    for name in ("torn.png", "missing.png"):
        with pytest.raises(ArtifactError, match=name):
            folder.mask(name)


def test_a_folder_that_is_not_there_has_no_labels(tmp_path: Path) -> None:
    assert LabelFolder(tmp_path / "nowhere").labels() == {}
