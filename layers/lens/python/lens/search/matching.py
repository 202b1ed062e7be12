"""Matching: whether what was found is the shopper's product, how surely, and in which word.

Three questions are asked: is there a garment in the photo; is anything like it here; is it this
very product. The first decides, unless the second says no. The third is answered by similarity
alone, so a bag that the catalog has is found although the model sees no garment in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from lens.gallery.match_thresholds import MatchThresholds
from lens.models.calibration import Calibration, log_odds
from lens.models.regions import Box, Region, overlap

Word = Literal["same", "very_similar", "similar_style", "none"]
WORDS: tuple[Word, ...] = get_args(Word)[::-1]  # from the least

# How surely the like is here, at the thresholds where words change.
SIMILAR_STYLE, VERY_SIMILAR, SAME = 0.5, 0.75, 0.9
# How much more similar the same product is than the next: a gallery full of one kind has many
# photos above any threshold.
_LEAD = 0.02
# A box that the shopper drew is asked about the region that it overlaps so much.
_SAME_PLACE = 0.3
# Similarities around the thresholds at which nothing, and everything, is sure.
_FAR_BELOW = 0.2


def match_of(
    similarities: Sequence[float],
    regions: Sequence[Region],
    searched: Box | None,
    calibration: Calibration,
    thresholds: MatchThresholds | None,
    leaning: float = 0.0,
) -> tuple[float, Word]:
    """The probability that the photo shows a garment whose like is here, and in a word how like.

    similarities: of the products found, the best first, one each. searched: the box that was
    searched, None for the whole photo. thresholds: the gallery's; None: the model's prior counts.
    leaning: how much what was searched speaks for a garment by its vector, in log odds.
    """
    if not similarities:
        return 0.0, "none"
    levels = thresholds or calibration
    here = _here(similarities[0], levels)
    lead = similarities[0] - (similarities[1] if len(similarities) > 1 else -1.0)
    if here >= SAME and lead < _LEAD:
        here = max(VERY_SIMILAR, SAME - 0.01)
    garment = _garment(regions, searched, calibration, leaning)
    if here < SIMILAR_STYLE:
        return min(garment, here), "none"
    if here >= SAME:
        return max(garment, here), "same"
    if garment < SIMILAR_STYLE:
        return garment, "none"
    return garment, _word(here)


def words_of(
    similarities: Sequence[float],
    match: Word,
    calibration: Calibration,
    thresholds: MatchThresholds | None,
) -> list[Word]:
    """How like the query each photo found is, by its similarity; none more than the answer's
    `match`, which knows whether the query shows a garment at all."""
    levels = thresholds or calibration
    return [min(match, _word(_here(each, levels)), key=WORDS.index) for each in similarities]


def _word(here: float) -> Word:
    if here >= SAME:
        return "same"
    if here >= VERY_SIMILAR:
        return "very_similar"
    return "similar_style" if here >= SIMILAR_STYLE else "none"


def _garment(
    regions: Sequence[Region], searched: Box | None, calibration: Calibration, leaning: float
) -> float:
    """How surely a garment is in the photo, or in the box that the shopper drew: by the region that
    is there and by the vector, two witnesses whose log odds add up. 1/2 is what 1 in 20 photos
    without a garment reach."""
    sure = [
        region.confidence
        for region in regions
        if searched is None or overlap(region.box, searched) >= _SAME_PLACE
    ]
    odds = log_odds(max(sure, default=0.0)) - log_odds(calibration.garment_from) + leaning
    return 1 / (1 + math.exp(-odds))


def _here(similarity: float, levels: MatchThresholds | Calibration) -> float:
    known = [
        levels.similar_style - _FAR_BELOW,
        levels.similar_style,
        levels.very_similar,
        levels.same,
        max(1.0, levels.same + 1e-3),
    ]
    return float(np.interp(similarity, known, [0.0, SIMILAR_STYLE, VERY_SIMILAR, SAME, 1.0]))
