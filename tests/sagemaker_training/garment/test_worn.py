"""Worn garments: on a drawn figure, each garment is where it was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("scipy", reason="labeling needs scipy: pip install '.[train]'")

from tests.sagemaker_training.garment.drawn import FIGURE, LEGS, SKIN, TORSO, figure, landmarks
from training.garment.labels import Box
from training.garment.worn import label_worn

TOP, BOTTOM = (40, 80, 150), (60, 60, 70)


def _near(box: Box, drawn: tuple[float, ...]) -> bool:
    return bool(np.abs(np.array(box) - drawn).max() <= 3)


def _share(mask: NDArray[np.bool_], box: tuple[int, int, int, int]) -> float:
    """How much of a drawn rectangle is in the mask."""
    x0, y0, x1, y1 = box
    return float(mask[y0:y1, x0:x1].mean())


def test_a_top_has_its_box_and_the_trousers_below_theirs() -> None:
    worn = label_worn(figure(TOP, BOTTOM), "upper", landmarks())
    (first, upper), (second, lower) = worn.places
    assert (first, second) == ("upper", "lower")
    assert _near(upper, (*TORSO[:3], 242))  # a little of what is below its hem, and no more
    assert lower[::2] == (LEGS[0], LEGS[2]) and abs(lower[3] - LEGS[3]) <= 3
    assert worn.garment is not None and worn.cut_out is not None
    assert _share(worn.garment, TORSO) > 0.99
    assert worn.garment[:90].sum() == 0  # no head
    assert _share(worn.cut_out, (135, 30, 165, 80)) > 0.95  # but it is no backdrop
    assert worn.unsure == {"shoes", "hat"}


def test_trousers_are_what_is_below_the_hips_and_the_top_above_is_found_too() -> None:
    worn = label_worn(figure(TOP, BOTTOM), "lower", landmarks())
    (first, lower), (second, upper) = worn.places
    assert (first, second) == ("lower", "upper")
    assert lower[1] < 220 and abs(lower[3] - LEGS[3]) <= 3
    assert _near(upper, (*TORSO[:3], 208))  # down to the trousers
    assert worn.unsure == {"shoes", "hat"}


def test_of_a_bare_chest_no_top_is_told_and_none_is_in_doubt() -> None:
    worn = label_worn(figure(SKIN, BOTTOM), "lower", landmarks())
    assert [place for place, _ in worn.places] == ["lower"]
    assert worn.unsure == {"shoes", "hat"}


def test_without_a_pose_trousers_have_a_box_and_tops_none() -> None:
    trousers = label_worn(figure(TOP, BOTTOM), "lower", None)
    assert [place for place, _ in trousers.places] == ["lower"]
    assert trousers.unsure == {"upper", "shoes", "hat"}
    top = label_worn(figure(TOP, BOTTOM), "upper", None)
    assert top.places == () and top.garment is None and top.cut_out is not None
    assert top.unsure == {"upper", "lower", "one_piece", "shoes", "hat"}


def test_a_dress_goes_from_the_neck_to_above_the_ankles() -> None:
    worn = label_worn(figure(TOP, TOP), "one_piece", landmarks())
    ((place, box),) = worn.places
    assert place == "one_piece" and _near(box, (TORSO[0], TORSO[1], TORSO[2], LEGS[3]))
    assert worn.unsure == {"shoes", "hat"}


def test_a_garment_of_skin_s_color_is_taken_for_a_garment() -> None:
    worn = label_worn(figure(SKIN, BOTTOM), "upper", landmarks())
    assert worn.garment is not None and _share(worn.garment, TORSO) > 0.99


def test_white_between_legs_is_backdrop_and_white_on_a_top_is_not() -> None:
    pixels = figure(TOP, BOTTOM)
    pixels[300:360, 140:160] = 255  # closed below by the feet
    pixels[120:160, 130:170] = 255  # a print
    lower = label_worn(pixels, "lower", landmarks())
    assert lower.garment is not None and _share(lower.garment, (142, 304, 158, 356)) < 0.1
    upper = label_worn(pixels, "upper", landmarks())
    assert upper.garment is not None and _share(upper.garment, (132, 122, 168, 158)) > 0.99


def test_a_close_up_has_no_box_and_its_mask_leaves_skin_out() -> None:
    width, height = FIGURE
    pixels = np.full((height, width, 3), TOP, np.uint8)
    pixels[:80] = SKIN
    worn = label_worn(pixels, "upper", landmarks())
    assert worn.places == () and worn.cut_out is None and len(worn.unsure) == 5
    assert worn.garment is not None and not worn.garment[:80].any()
    assert worn.garment[80:].mean() > 0.999


def test_a_thing_that_is_not_worn_is_cut_out_whole() -> None:
    worn = label_worn(figure(TOP, BOTTOM), None, None)
    assert worn.places == () and len(worn.unsure) == 5
    assert worn.garment is not None and _share(worn.garment, TORSO) > 0.99
    assert _share(worn.garment, LEGS) > 0.99


def test_someone_who_is_far_away_or_half_hidden_tells_nothing() -> None:
    for points in (landmarks(visible=0.3), landmarks()):
        if points[0, 2] > 0.5:
            points[[23, 24], 1] = points[11, 1] + 0.1  # a torso of a tenth of the photo
        assert label_worn(figure(TOP, BOTTOM), "upper", points).places == ()
