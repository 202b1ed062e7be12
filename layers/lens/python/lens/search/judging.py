"""Judging: the words for what was found, by the calibration and the gallery's thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from lens.gallery.gallery import Match
from lens.gallery.match_thresholds import MatchThresholds
from lens.models.calibration import leaning_of
from lens.search.matching import Word, match_of, words_of
from lens.search.queries import Query
from lens.search.serving import Serving


def judged(
    serving: Serving, query: Query, matches: Sequence[Match], same: str | None
) -> tuple[float | None, Word | None]:
    """Whether the first product is the query's, and in which word."""
    if serving.calibration is None:
        return None, None
    if same is not None and matches[0].row.photo_id == same:
        return 1.0, "same"
    best: dict[str, float] = {}
    for match in matches:
        best.setdefault(match.row.item_id, match.similarity)
    thresholds = _thresholds(serving)
    similarities = list(best.values())
    searched = None if query.by_rule else query.region  # the rule asks about the whole photo
    leaning = 0.0 if serving.garment is None else leaning_of(query.vector, serving.garment)
    return match_of(similarities, query.regions, searched, serving.calibration, thresholds, leaning)


def words(serving: Serving, matches: Sequence[Match], word: Word | None) -> Sequence[Word | None]:
    """How like the query each of the photos found is."""
    if serving.calibration is None or word is None:
        return [None] * len(matches)
    similarities = [match.similarity for match in matches]
    return words_of(similarities, word, serving.calibration, _thresholds(serving))


def _thresholds(serving: Serving) -> MatchThresholds | None:
    snapshot = serving.gallery.snapshot
    return snapshot.manifest.match if snapshot else None
