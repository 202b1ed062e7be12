"""The precision gate: decides which faster precisions of a model find what fp32 finds.

Each precision is scored on the run's own splits with ONNX Runtime, as it serves. Queries and
gallery can be embedded on different CPUs, and so in different precisions: all pairings with fp32,
and with the precisions that were admitted before, are measured, and the worst decides. Shoppers'
photos have no white backdrop, so with them no patch is skipped: every query is measured a second
time without its backdrop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.protocols import Split
from lens.gallery.index import Index
from lens.models.embedder import Embedder
from lens.models.manifest import FP32, ModelManifest, PrecisionLoss
from training.data.dataset import Photo
from training.delivery.gate import embed_as_served
from training.loop.scoring import Vectors

MOST_QUERIES_LOST = 2  # queries that find their item first: fewer than in fp32, per protocol
LEAST_OVERLAP = 0.98  # mean share of fp32's first ten results that are found too
_TOP_K = 10


@dataclass(frozen=True)
class PrecisionVerdict:
    """Whether one precision may be served, and what it loses on each protocol.

    Without any measurement it may not be served.
    """

    precision: str
    losses: dict[str, PrecisionLoss]

    @property
    def admitted(self) -> bool:
        """Whether the losses are within the limits on every protocol."""
        return bool(self.losses) and all(
            loss.queries <= MOST_QUERIES_LOST and loss.top_10_overlap >= LEAST_OVERLAP
            for loss in self.losses.values()
        )

    def line(self) -> str:
        """Return the verdict as a line for the console."""
        if not self.losses:
            return f"precision {self.precision}: not written, there is no split to score it on"
        found = ", ".join(
            f"{protocol} {loss.queries:+d} queries lost, top-10 overlap {loss.top_10_overlap:.4f}"
            for protocol, loss in self.losses.items()
        )
        word = "admitted" if self.admitted else "not admitted"
        return f"precision {self.precision}: {word}: {found}"

    def figures(self) -> dict[str, Any]:
        """Return the verdict as run.json stores it."""
        losses = {name: loss.model_dump() for name, loss in self.losses.items()}
        return {"admitted": self.admitted, "losses": losses}


def judge_precisions(
    manifest: ModelManifest,
    networks: dict[str, bytes],
    root: Path,
    photos: Sequence[Photo],
    splits: dict[str, Split],
) -> list[PrecisionVerdict]:
    """Return the verdict on every network but fp32's, in their order.

    networks: by precision. Each embeds every photo of the splits once, and every query once more
    without its backdrop.
    """
    faster = [name for name in networks if name != FP32]
    if not splits or not faster:
        return [PrecisionVerdict(name, {}) for name in faster]
    keys = sorted({key for split in splits.values() for key in (*split.queries, *split.gallery)})
    asking = sorted({key for split in splits.values() for key in split.queries})
    items = {photo.key: photo.item_id for photo in photos}

    def vectors_in(precision: str) -> tuple[Vectors, Vectors]:
        embedder = Embedder(manifest, networks[precision], precision)
        filled = embed_as_served(embedder, root, asking, without_backdrop)
        return embed_as_served(embedder, root, keys), filled

    exact, exact_filled = vectors_in(FP32)
    verdicts = []
    beside: list[tuple[Vectors, Vectors]] = []
    for name in faster:
        coarse, coarse_filled = vectors_in(name)
        others = [(vectors, vectors) for vectors, _ in beside]
        losses = measure_losses(exact, coarse, items, splits, others=others)
        others = [(filled, vectors) for vectors, filled in beside]
        asked = (exact_filled, coarse_filled)
        filled = measure_losses(exact, coarse, items, splits, asking=asked, others=others)
        losses |= {f"{protocol}, no backdrop": loss for protocol, loss in filled.items()}
        verdicts.append(PrecisionVerdict(name, losses))
        if verdicts[-1].admitted:
            beside.append((coarse, coarse_filled))
    return verdicts


def without_backdrop(image: Any) -> Any:
    """Make a shop's photo like a shopper's: its middle square, darkened, so that no patch is blank.

    Both are Pillow images.
    """
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).point(lambda level: level * 9 // 10)


def measure_losses(
    exact: Vectors,
    coarse: Vectors,
    items: dict[str, str],
    splits: dict[str, Split],
    *,
    asking: tuple[Vectors, Vectors] | None = None,
    others: Sequence[tuple[Vectors, Vectors]] = (),
) -> dict[str, PrecisionLoss]:
    """Return by protocol what is lost with the coarse vectors, in the worst of the pairings.

    items: each photo's item_id by key. asking: the queries' exact and coarse vectors, if they are
    not those in `exact` and `coarse`. others: of each other precision that may be met, the vectors
    of queries and of the gallery.
    """
    exact_queries, coarse_queries = asking or (exact, coarse)
    losses = {}
    for protocol, split in splits.items():
        reference = _first_ten(exact_queries, exact, split)
        right = _right(reference, split, items)
        pairings = [
            _first_ten(queries, gallery, split)
            for queries, gallery in (
                (coarse_queries, coarse),
                (coarse_queries, exact),
                (exact_queries, coarse),
                *((coarse_queries, gallery) for _, gallery in others),
                *((queries, coarse) for queries, _ in others),
            )
        ]
        losses[protocol] = PrecisionLoss(
            queries=max(right - _right(found, split, items) for found in pairings),
            top_10_overlap=min(_overlap(found, reference) for found in pairings),
        )
    return losses


def _first_ten(queries: Vectors, gallery: Vectors, split: Split) -> list[NDArray[np.int64]]:
    """Return the positions of each query's first ten results, without the query itself."""
    index = Index(np.stack([gallery[key] for key in split.gallery]))
    positions = {key: i for i, key in enumerate(split.gallery)}
    found = []
    for key in split.queries:
        nearest = index.search(queries[key], _TOP_K + 1)[1]
        found.append(nearest[nearest != positions.get(key, -1)][:_TOP_K])
    return found


def _right(found: list[NDArray[np.int64]], split: Split, items: dict[str, str]) -> int:
    """Count the queries that find their item first."""
    return sum(
        len(nearest) > 0 and items[split.gallery[nearest[0]]] == items[key]
        for key, nearest in zip(split.queries, found, strict=True)
    )


def _overlap(found: list[NDArray[np.int64]], reference: list[NDArray[np.int64]]) -> float:
    """Return the mean share of the reference's results that are also found."""
    shares = [
        len(np.intersect1d(mine, theirs)) / max(1, len(theirs))
        for mine, theirs in zip(found, reference, strict=True)
    ]
    return float(np.mean(shares))
