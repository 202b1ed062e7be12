"""The shopper protocol as a whole: its four parts, and the galleries that they ask."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lambdas.local.evaluation import partitioned, searcher_of, trial_of
from lambdas.local.shopper import composites, kinds, no_match, street
from lambdas.local.shopper.composites import CompositeFigures
from lambdas.local.shopper.folder import ShopperFolder
from lambdas.local.shopper.kinds import KindFigures
from lambdas.local.shopper.no_match import NoMatchAnswer
from lambdas.local.shopper.street import StreetFigures
from lens.errors import UsageError
from lens.search.searcher import Searcher
from lens.settings import Settings


@dataclass(frozen=True)
class ShopperEvaluation:
    """The four parts' figures, as fractions. model_ids: of the gallery of composites and no match
    (strict's), and of that of kinds and street (all photos of the test items)."""

    protocol: str
    model_ids: tuple[str, str]
    embedding_dim: int
    composites: CompositeFigures
    kinds: KindFigures
    street: StreetFigures
    no_match: NoMatchAnswer

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def evaluate_shopper(
    settings: Settings, folder: Path, model_id: str | None = None
) -> ShopperEvaluation:
    """Ask a catalog for what people photographed. Raises UsageError when the catalog has no usable
    partition file, or the folder lacks a part.

    No photo that is asked lies in the gallery that is asked: of composites, not even the photo
    that they were cut out of.
    """
    photos = ShopperFolder(folder)
    _require(photos)
    catalog, partition = partitioned(settings)
    with trial_of(settings, "strict", model_id) as trial:
        of_composites, asked = composites.measure(trial, photos)
        of_no_match = no_match.measure(trial.searcher, trial.split.gallery, photos, asked)
        strict_model = _model(trial.searcher)
    test_items = [key for key, entry in partition.items() if entry.status != "train"]
    with searcher_of(settings, test_items, model_id) as searcher:
        of_kinds = kinds.measure(searcher, catalog, test_items, photos)
        of_street = street.measure(searcher, test_items, photos)
        model, dim = _model(searcher)
    return ShopperEvaluation(
        protocol="shopper",
        model_ids=(strict_model[0], model),
        embedding_dim=dim,
        composites=of_composites,
        kinds=of_kinds,
        street=of_street,
        no_match=of_no_match,
    )


def _require(photos: ShopperFolder) -> None:
    """Before minutes of work: each part is there."""
    photos.mapping()
    photos.street()
    photos.backgrounds()
    if not photos.photos("measuring"):
        raise UsageError(f"no photos of the measuring senders in {photos.root}")


def _model(searcher: Searcher) -> tuple[str, int]:
    assert searcher.serving is not None
    manifest = searcher.serving.embedder.manifest
    return manifest.model_id, manifest.embedding_dim
