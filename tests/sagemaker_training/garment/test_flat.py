"""Flat garments: by what stands out in a shopper's photo, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("scipy", reason="labeling needs scipy: pip install '.[train]'")

from tests.sagemaker_training.garment.drawn import landmarks
from training.garment.flat import is_worn, label_flat


def _saliency(*boxes: tuple[int, int, int, int], level: int = 255) -> NDArray[np.uint8]:
    found = np.zeros((200, 150), np.uint8)
    for x0, y0, x1, y1 in boxes:
        found[y0:y1, x0:x1] = level
    return found


def test_what_stands_out_has_its_box_without_crumbs_and_with_both_shoes() -> None:
    flat = label_flat(_saliency((30, 40, 110, 160), (2, 2, 8, 8)))
    assert flat is not None and flat.box == (30, 40, 110, 160)
    pair = label_flat(_saliency((10, 60, 60, 140), (80, 70, 130, 150)))
    assert pair is not None and pair.box == (10, 60, 130, 150)


@pytest.mark.parametrize(
    ("saliency", "why"),
    [
        (_saliency(), "nothing"),
        (_saliency((0, 0, 20, 20)), "nearly nothing"),
        (_saliency((0, 0, 150, 180)), "nearly all"),
        (_saliency((20, 20, 130, 180), level=160), "in doubt"),
        (_saliency((0, 40, 150, 200)), "cut by three sides"),
    ],
)
def test_where_the_teacher_cannot_be_believed_there_is_no_label(
    saliency: NDArray[np.uint8], why: str
) -> None:
    assert label_flat(saliency) is None, why


def test_a_garment_that_two_sides_cut_is_one_still() -> None:
    flat = label_flat(_saliency((40, 60, 150, 200)))
    assert flat is not None and flat.box == (40, 60, 150, 200)


def test_only_somebody_whose_face_and_shoulders_are_seen_wears_it() -> None:
    hidden = landmarks()
    hidden[0, 2] = 0.5
    assert is_worn(landmarks()) and not is_worn(hidden) and not is_worn(None)
