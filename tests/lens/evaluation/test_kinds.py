"""Kinds: what is right for a kind, and how often chance is."""

from __future__ import annotations

import pytest

from lens.evaluation.kinds import Kinds, last_part, precision

KINDS = Kinds({"dress": frozenset({"Dresses"}), "shirt": frozenset({"Tops", "Tees"})})
GALLERY = ["WOMEN/Dresses", "WOMEN/Tops", "MEN/Tees", "MEN/Pants"]


def test_the_last_part_of_a_category_decides() -> None:
    assert KINDS.right("shirt", "MEN/Tees") and KINDS.right("shirt", "Tops")
    assert not KINDS.right("dress", "WOMEN/Tops")
    assert last_part("WOMEN/Dresses/Long") == "Long"


def test_chance_is_the_gallery_s_share_of_what_is_right() -> None:
    assert KINDS.chance(GALLERY) == pytest.approx((1 / 4 + 2 / 4) / 2)
    assert KINDS.only(["dress", "hat"]).chance(GALLERY) == pytest.approx(1 / 4)
    assert KINDS.chance([]) == KINDS.only([]).chance(GALLERY) == 0.0


def test_hits_that_there_are_not_are_wrong() -> None:
    assert precision([True, False, True], 2) == 0.5
    assert precision([True], 12) == pytest.approx(1 / 12)
