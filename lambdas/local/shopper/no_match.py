"""No match: garments that the shop sells against photos without one, by how sure the product is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lambdas.local.progress import progress_bar
from lambdas.local.shopper.asking import ask
from lambdas.local.shopper.composites import AskedComposite
from lambdas.local.shopper.folder import ShopperFolder
from lambdas.local.shopper.kinds import sold_kinds
from lens.evaluation.composites import compose, generator
from lens.evaluation.drawn_negatives import carton, page_of_text
from lens.evaluation.no_match import NoMatchFigures, Scored, Side, no_match_figures
from lens.photos.decoding import decode
from lens.search.results import Results
from lens.search.searcher import Searcher

Score = Literal["match_probability", "similarity"]
DRAWN = 60  # photos of each kind of negative that is drawn


@dataclass(frozen=True)
class NoMatchAnswer:
    """The figures, and what the photos were told apart by."""

    score: Score
    figures: NoMatchFigures


@dataclass(frozen=True)
class _Asked:
    side: Side
    kind: str
    group: str
    results: Results


def measure(
    searcher: Searcher,
    gallery: Sequence[str],
    folder: ShopperFolder,
    composites: Sequence[AskedComposite],
) -> NoMatchAnswer:
    """Ask photos of every side; the composites were asked already."""
    asked = [_Asked("sold", "composites", each.item_id, each.results) for each in composites]
    asked += _shoppers_photos(searcher, gallery, folder)
    asked += _found_negatives(searcher, folder)
    asked += _drawn_negatives(searcher, folder)
    score: Score = "match_probability"
    scores = [each.results.match_probability for each in asked]
    if None in scores:
        score, scores = "similarity", [_best_similarity(each.results) for each in asked]
    scored = [
        Scored(each.side, each.kind, each.group, of)
        for each, of in zip(asked, scores, strict=True)
        if of is not None
    ]
    return NoMatchAnswer(score, no_match_figures(scored))


def _shoppers_photos(
    searcher: Searcher, gallery: Sequence[str], folder: ShopperFolder
) -> Iterator[_Asked]:
    sold, not_sold = sold_kinds(folder, gallery).categories, folder.mapping().not_sold
    photos = [each for each in folder.photos("measuring") if each.kind in (*sold, *not_sold)]
    with progress_bar("Searching, garments") as progress:
        for done, photo in enumerate(photos, start=1):
            results = ask(searcher, photo.path)
            if photo.kind in sold:
                yield _Asked("sold", "shoppers' photos", photo.sender, results)
            else:
                yield _Asked("not sold", photo.kind, photo.sender, results)
            progress(done, len(photos))


def _found_negatives(searcher: Searcher, folder: ShopperFolder) -> Iterator[_Asked]:
    photos = [(kind, path) for kind, paths in folder.negatives().items() for path in paths]
    with progress_bar("Searching, no garments") as progress:
        for done, (kind, path) in enumerate(photos, start=1):
            yield _Asked("no garment", kind, path.name, ask(searcher, path))
            progress(done, len(photos))


def _drawn_negatives(searcher: Searcher, folder: ShopperFolder) -> Iterator[_Asked]:
    backgrounds = folder.backgrounds()
    with progress_bar("Searching, drawn photos") as progress:
        for number in range(DRAWN):
            rng = generator(f"carton {number}")
            path = backgrounds[int(rng.integers(len(backgrounds)))]
            background = decode(path.read_bytes(), searcher.limits)
            pasted = compose(carton(rng), background, rng).jpeg()
            yield _Asked("no garment", "drawn cartons", str(number), searcher.search(pasted))
            page = page_of_text(generator(f"page {number}")).jpeg()
            yield _Asked("no garment", "drawn pages", str(number), searcher.search(page))
            progress(number + 1, DRAWN)


def _best_similarity(results: Results) -> float:
    return max((hit.similarity for hit in results.hits), default=-1.0)
