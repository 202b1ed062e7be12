"""Outfits: a top's photo down to its hem, and below it another's trousers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.sagemaker_training.garment.drawn import labeled
from training.garment.labels import PLACES, Labeled
from training.garment.outfits import dressed

UPPER, LOWER = PLACES.index("upper"), PLACES.index("lower")
RED, GREEN = (200, 10, 10), (10, 200, 10)


def _top() -> Labeled:
    return labeled(RED, box=(60, 40, 150, 150), behind=255, item=7)


def _trousers(box: tuple[int, int, int, int] = (80, 50, 130, 260)) -> Labeled:
    return labeled(GREEN, place="lower", kind="pants", box=box, behind=255, item=9)


def test_both_garments_are_where_their_boxes_say() -> None:
    doll = dressed(_top(), _trousers())
    assert doll is not None and [place for place, _ in doll.places] == [UPPER, LOWER]
    assert doll.mask is not None and doll.cut_out is not None
    for (_, box), color in zip(doll.places, (RED, GREEN), strict=True):
        rows, columns = np.nonzero((doll.image == color).all(axis=2))
        x0, y0, x1, y1 = box
        assert abs(columns.min() - x0) <= 2 and abs(columns.max() + 1 - x1) <= 2
        assert abs(rows.max() + 1 - y1) <= 2 and rows.min() >= y0 - 2
        assert (doll.mask[rows, columns] > 127).mean() > 0.98
    (_, upper), (_, lower) = doll.places
    assert upper[1] < lower[1] < upper[3] < lower[3]  # the top covers the waist
    middles = [(box[0] + box[2]) / 2 for _, box in doll.places]
    assert abs(middles[0] - middles[1]) < 2


def test_the_trousers_are_as_wide_as_the_hem() -> None:
    for box in ((90, 50, 120, 260), (40, 50, 180, 200)):
        doll = dressed(_top(), _trousers(box))
        assert doll is not None
        (_, upper), (_, lower) = doll.places
        assert (lower[2] - lower[0]) / (upper[2] - upper[0]) - 0.92 < 0.03


def test_the_outfit_is_the_top_s_and_only_shoes_and_hats_are_in_doubt() -> None:
    top = _top()
    doll = dressed(top, _trousers())
    assert doll is not None and doll.item == 7 and np.array_equal(doll.kinds, top.kinds)
    assert {PLACES[place] for place in doll.unsure} == {"shoes", "hat"}
    assert doll.image.shape[:2] == (doll.mask if doll.mask is not None else top.image).shape


def test_photos_that_do_not_tell_how_to_join_them_are_not_joined() -> None:
    top, trousers = _top(), _trousers()
    assert dressed(replace(top, mask=None), trousers) is None
    assert dressed(top, replace(trousers, cut_out=None)) is None
    assert dressed(top, _trousers((100, 50, 106, 260))) is None  # a thread, and no belt
    assert dressed(labeled(RED, box=(0, 0, 216, 100)), _trousers((90, 20, 102, 280))) is None
