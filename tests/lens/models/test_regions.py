"""Regions: decoded from the padded square, none told twice; and the rule for the main one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lens.models import regions
from lens.models.regions import (
    LEAST_CONFIDENCE,
    MAIN_CONFIDENCE,
    MOST_REGIONS,
    REGION_KINDS,
    Box,
    Region,
    RegionKind,
    main_region,
    overlap,
    pixels_of,
    regions_of,
)

SQUARE = (100, 100)


def found(
    *seen: tuple[Box, RegionKind, float], photo: tuple[int, int] = SQUARE
) -> tuple[Region, ...]:
    """The regions of a network with a cell for each of these boxes, kinds and scores."""
    boxes = np.array([box for box, _, _ in seen], np.float32).reshape(-1, 4)
    scores = np.zeros((len(seen), len(REGION_KINDS)), np.float32)
    for cell, (_, kind, score) in enumerate(seen):
        scores[cell, REGION_KINDS.index(kind)] = score
    return regions_of(boxes, scores, photo)


def main(box: Box, confidence: float = 0.9) -> Region | None:
    return main_region([Region(box, confidence, "upper")])


def test_the_surest_comes_first_and_what_is_in_doubt_is_not_told() -> None:
    left, right = (0.0, 0.1, 0.4, 0.9), (0.6, 0.1, 1.0, 0.9)
    seen = found((left, "upper", 0.5), (right, "lower", 0.75), (right, "hat", 0.2))
    assert seen == (Region(right, 0.75, "lower"), Region(left, 0.5, "upper"))
    assert found((left, "upper", LEAST_CONFIDENCE - 0.01)) == ()
    assert found() == ()


@pytest.mark.parametrize(
    ("photo", "box"),
    [
        (SQUARE, (0.25, 0.375, 0.75, 0.625)),
        ((200, 100), (0.25, 0.25, 0.75, 0.75)),
        ((100, 400), (0.0, 0.375, 1.0, 0.625)),
    ],
)
def test_a_box_of_the_padded_square_becomes_one_of_the_photo(
    photo: tuple[int, int], box: Box
) -> None:
    (region,) = found(((0.25, 0.375, 0.75, 0.625), "upper", 0.9), photo=photo)
    assert region.box == box


def test_a_box_that_leaves_the_photo_is_clipped_and_one_in_the_padding_is_none() -> None:
    (region,) = found(((-0.1, 0.2, 1.2, 0.8), "upper", 0.9), photo=(200, 100))
    assert region.box == (0.0, 0.0, 1.0, 1.0)
    assert found(((0.1, 0.0, 0.9, 0.2), "hat", 0.9), photo=(200, 100)) == ()


def test_of_two_boxes_on_one_garment_the_less_sure_is_left_out() -> None:
    box, shifted, apart = (0.1, 0.1, 0.5, 0.5), (0.15, 0.1, 0.55, 0.5), (0.4, 0.1, 0.8, 0.5)
    seen = found((shifted, "upper", 0.7), (box, "upper", 0.9), (apart, "upper", 0.6))
    assert [region.box for region in seen] == [box, apart]


def test_boxes_of_two_kinds_may_overlap_more() -> None:
    box, shifted = (0.1, 0.1, 0.5, 0.5), (0.15, 0.1, 0.55, 0.5)
    seen = found((box, "upper", 0.9), (shifted, "one_piece", 0.7))
    assert [region.kind for region in seen] == ["upper", "one_piece"]
    assert len(found((box, "upper", 0.9), (box, "one_piece", 0.7))) == 1


def test_no_more_are_told_than_a_page_can_show() -> None:
    grid = [(x / 5, y / 5, x / 5 + 0.15, y / 5 + 0.15) for x in range(5) for y in range(5)]
    assert len(found(*((box, "shoes", 0.9) for box in grid))) == MOST_REGIONS


def test_numbers_that_are_none_are_no_regions() -> None:
    nan = float("nan")
    assert found(((nan, 0.1, 0.5, 0.5), "upper", 0.9), ((0.1, 0.1, 0.5, 0.5), "upper", nan)) == ()
    assert found(((0.1, 0.1, float("inf"), 0.5), "upper", 0.9)) == ()
    assert found(((0.5, 0.5, 0.1, 0.1), "upper", 0.9)) == ()


@given(
    boxes=arrays.arrays(np.float32, (6, 4), elements=st.floats(-0.5, 1.5, width=32)),
    scores=arrays.arrays(np.float32, (6, 5), elements=st.floats(0, 1, width=32)),
    photo=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
)
def test_whatever_a_network_gives_regions_lie_in_the_photo_the_surest_first(
    boxes: np.ndarray, scores: np.ndarray, photo: tuple[int, int]
) -> None:
    seen = regions_of(boxes, scores, photo)
    assert len(seen) <= MOST_REGIONS
    assert [r.confidence for r in seen] == sorted((r.confidence for r in seen), reverse=True)
    for region in seen:
        x0, y0, x1, y1 = region.box
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
        left, top, right, bottom = pixels_of(region.box, photo)
        assert 0 <= left < right <= photo[0] and 0 <= top < bottom <= photo[1]


def test_the_main_region_is_the_surest_that_is_worth_cutting_out() -> None:
    box = (0.2, 0.2, 0.8, 0.8)
    assert main(box) == Region(box, 0.9, "upper")
    assert main(box, MAIN_CONFIDENCE - 0.01) is None
    assert main((0.0, 0.0, 1.0, 0.95)) is None
    assert main((0.5, 0.5, 0.6, 0.6)) is None
    assert main_region([]) is None


def test_the_largest_of_the_sure_garments_is_the_main_one() -> None:
    waist = Region((0.3, 0.8, 0.7, 1.0), 0.9, "lower")
    shirt = Region((0.1, 0.1, 0.9, 0.8), 0.8, "upper")
    doubtful = Region((0.0, 0.0, 0.9, 0.9), MAIN_CONFIDENCE - 0.01, "one_piece")
    assert main_region([waist, shirt, doubtful]) == shirt


def test_a_tiny_box_is_passed_over() -> None:
    tiny = Region((0.5, 0.5, 0.6, 0.6), 0.9, "upper")
    shirt = Region((0.1, 0.1, 0.6, 0.9), 0.8, "upper")
    assert main_region([tiny, shirt]) == shirt
    assert main_region([tiny]) is None


def test_shoes_and_hats_stand_behind_what_covers_a_body() -> None:
    boots = Region((0.0, 0.4, 1.0, 1.0), 0.95, "shoes")
    skirt = Region((0.3, 0.1, 0.7, 0.4), 0.4, "lower")
    assert main_region([boots, skirt]) == skirt
    assert main_region([boots]) == boots


def test_what_is_cut_out_has_a_margin_and_stays_in_the_photo() -> None:
    assert regions.MARGIN == 0.05
    assert pixels_of((0.2, 0.2, 0.6, 0.8), (1000, 500)) == (180, 85, 620, 415)
    assert pixels_of((0.0, 0.0, 1.0, 1.0), (1000, 500)) == (0, 0, 1000, 500)
    assert pixels_of((0.98, 0.0, 1.0, 0.02), (8, 8)) == (7, 0, 8, 1)


def test_overlap_is_the_intersection_over_the_union() -> None:
    left, right = (0.0, 0.0, 0.6, 1.0), (0.4, 0.0, 1.0, 1.0)
    assert overlap(left, right) == pytest.approx(0.2 / 1.0)
    assert overlap(left, left) == 1.0
    assert overlap((0.0, 0.0, 1.0, 1.0), (0.25, 0.25, 0.75, 0.75)) == pytest.approx(0.25)


def test_boxes_that_do_not_meet_or_are_empty_overlap_in_nothing() -> None:
    assert overlap((0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 0.9, 0.9)) == 0.0
    assert overlap((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)) == 0.0
