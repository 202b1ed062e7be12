"""Wearables: what categories and labels say, and that the two agree on kinds and places.

Covers: wearables, labels.
"""

from __future__ import annotations

import numpy as np

from lens.models.regions import REGION_KINDS
from training.garment.labels import KINDS, PLACES
from training.garment.wearables import (
    _CATEGORIES,
    _LABELS,
    UNKNOWN,
    admissible,
    labeled_wearable,
    wearable_of,
)


def test_the_network_s_places_are_those_that_serving_reads() -> None:
    assert PLACES == REGION_KINDS


def test_a_category_is_known_by_its_last_part() -> None:
    assert wearable_of("img/WOMEN/Dresses/id_1/01_1_front.jpg").place == "one_piece"
    assert wearable_of("Tops/id_1/a.jpg").kinds == {"longsleeve", "shirt", "t-shirt"}
    assert wearable_of("img/GEAR/Watches/id_1/01_1_front.jpg") is UNKNOWN
    assert wearable_of("photo.jpg") is UNKNOWN


def test_a_label_of_what_is_no_garment_is_not_trained_on() -> None:
    assert labeled_wearable("skip") is None and labeled_wearable("not-sure") is None
    blazer = labeled_wearable("blazer")
    assert blazer is not None and blazer.place == "upper" and blazer.kinds == {"outwear"}


def test_every_place_and_kind_in_the_tables_is_one_of_the_network_s() -> None:
    for wearable in (*_CATEGORIES.values(), *_LABELS.values()):
        assert wearable.place in PLACES and wearable.kinds <= set(KINDS)
    # A kind has one place, whoever photographed it.
    places: dict[str, str | None] = {}
    for wearable in (*_CATEGORIES.values(), *_LABELS.values()):
        for kind in wearable.kinds:
            assert places.setdefault(kind, wearable.place) == wearable.place


def test_admissible_kinds_are_a_row_of_truths() -> None:
    row = admissible({"hat", "t-shirt"})
    assert row.dtype == np.bool_ and [KINDS[i] for i in np.flatnonzero(row)] == ["hat", "t-shirt"]
    assert not admissible(()).any()
