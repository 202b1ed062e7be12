"""Matching: the words, and the three questions behind them."""

from __future__ import annotations

import pytest

from lens.gallery.match_thresholds import MatchThresholds
from lens.models.calibration import Calibration
from lens.models.regions import Region
from lens.search.matching import SAME, match_of, words_of

CALIBRATION = Calibration(
    garment_from=0.3, same=0.9, very_similar=0.8, similar_style=0.6, loss=0.05
)
GALLERY = MatchThresholds(
    same=0.7,
    very_similar=0.6,
    similar_style=0.4,
    false_accepts={},
    found=0.9,
    pairs=100,
    probes=100,
)
SHIRT = Region((0.1, 0.1, 0.6, 0.6), 0.9, "upper")
DOUBTFUL = Region((0.1, 0.1, 0.6, 0.6), 0.1, "upper")


def word(*similarities: float, regions: tuple[Region, ...] = (SHIRT,), own: bool = False) -> str:
    levels = GALLERY if own else None
    return match_of(similarities, regions, None, CALIBRATION, levels)[1]


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        (0.95, "same"),
        (0.9, "same"),
        (0.85, "very_similar"),
        (0.8, "very_similar"),
        (0.7, "similar_style"),
        (0.6, "similar_style"),
        (0.59, "none"),
        (-0.2, "none"),
    ],
)
def test_a_garment_is_called_by_how_similar_the_first_product_is(
    similarity: float, expected: str
) -> None:
    assert word(similarity, 0.1) == expected


def test_a_gallery_has_thresholds_of_its_own() -> None:
    assert word(0.75, 0.1) == "similar_style"
    assert word(0.75, 0.1, own=True) == "same"


def test_a_product_that_is_hardly_ahead_of_the_next_is_not_called_the_same() -> None:
    assert word(0.95, 0.5) == "same"
    assert word(0.95, 0.949) == "very_similar"


def test_without_a_garment_nothing_but_the_same_product_is_a_match() -> None:
    for regions in ((), (DOUBTFUL,)):
        assert word(0.85, 0.1, regions=regions) == "none"
        assert word(0.95, 0.1, regions=regions) == "same"  # a bag, say, that is in the catalog


def test_the_vector_is_a_second_witness_of_a_garment() -> None:
    """Log odds add up: one may outvote the other, and neither makes a product similar."""

    def found(region: Region, leaning: float, similarity: float = 0.85) -> tuple[float, str]:
        return match_of([similarity, 0.1], [region], None, CALIBRATION, None, leaning)

    assert found(DOUBTFUL, 0)[1] == found(SHIRT, -4)[1] == "none"
    assert found(DOUBTFUL, 4)[1] == found(SHIRT, 0)[1] == "very_similar"
    assert found(SHIRT, 9, similarity=0.5)[1] == "none"
    even = Region(SHIRT.box, 0.3, "upper")
    assert found(even, 0)[0] == pytest.approx(0.5)
    assert found(even, 1)[0] == pytest.approx(1 - found(even, -1)[0])


def test_the_garment_in_the_box_that_was_searched_counts() -> None:
    inside, elsewhere = (0.1, 0.1, 0.6, 0.65), (0.7, 0.7, 1.0, 1.0)
    for box, expected in ((inside, "very_similar"), (elsewhere, "none"), (None, "very_similar")):
        assert match_of([0.85, 0.1], [SHIRT], box, CALIBRATION, None)[1] == expected


def test_the_probability_rises_with_similarity_and_with_confidence() -> None:
    rising = [match_of([s / 100, 0.0], [SHIRT], None, CALIBRATION, None)[0] for s in range(100)]
    assert rising == sorted(rising)
    assert 0 <= rising[0] < 0.01 < SAME < rising[-1] <= 1
    assert rising[60] == rising[80] == pytest.approx(0.9545, abs=1e-3)  # as sure as of the garment
    sure = [
        match_of([0.85], [Region(SHIRT.box, c / 50, "upper")], None, CALIBRATION, None)[0]
        for c in range(50)
    ]
    assert sure == sorted(sure)
    assert sure[15] == pytest.approx(0.5)  # at `garment_from`


def test_an_empty_gallery_has_no_match() -> None:
    assert match_of([], [SHIRT], None, CALIBRATION, None) == (0.0, "none")


def test_each_photo_has_a_word_of_its_own_and_none_more_than_the_answer_s() -> None:
    similarities = [0.95, 0.85, 0.65, 0.3]
    words = ["same", "very_similar", "similar_style", "none"]
    assert words_of(similarities, "same", CALIBRATION, None) == words
    assert words_of(similarities, "very_similar", CALIBRATION, None) == ["very_similar", *words[1:]]
    assert words_of(similarities, "none", CALIBRATION, None) == ["none"] * 4
    assert words_of([0.65], "same", CALIBRATION, GALLERY) == ["very_similar"]
