"""Scoring: a model's embeddings under a protocol, ranked by FAISS exactly as in a search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lens.evaluation.protocols import Split
from lens.evaluation.score import Score, Scorer
from lens.gallery.index import Index
from training.data.dataset import Photo
from training.data.decoded import DecodedPhotos
from training.loop.distributed import Ranks
from training.network.embedding_model import EmbeddingModel

_SHOWN = 5  # hits stored for each query, for the report
Vectors = dict[str, NDArray[np.float32]]  # by key: (D,), unit length


@dataclass(frozen=True)
class Answer:
    """What one query found."""

    key: str
    first_right: int  # the rank of the first right hit; 0 if there is none among the results
    hits: tuple[str, ...]  # keys of the first few, by rank
    similarities: tuple[float, ...]


@dataclass(frozen=True)
class ProtocolScores:
    """One protocol's figures, as fractions, and each query's answer."""

    protocol: str
    gallery: int  # photos
    recall_at_k: dict[str, float]
    map_at_r: float
    by_category: dict[str, dict[str, float]]
    answers: tuple[Answer, ...]

    def figures(self) -> dict[str, Any]:
        """Return all but the answers, for the model's manifest."""
        return {
            "queries": len(self.answers),
            "gallery": self.gallery,
            "recall_at_k": self.recall_at_k,
            "map_at_r": self.map_at_r,
            "by_category": self.by_category,
        }


@torch.no_grad()
def embed(
    model: EmbeddingModel,
    decoded: DecodedPhotos,
    keys: Sequence[str],
    ranks: Ranks,
    *,
    part: nn.Module | None = None,
    batch: int = 64,
) -> NDArray[np.float32]:
    """Return embeddings (len(keys), D) in the order of the keys; the ranks share the work.

    `part`, if given, is the part of the model that is run instead of the whole.
    """
    training = model.training
    model.eval()
    rows = decoded.rows(keys)[ranks.share(len(keys))]
    parts = []
    for start in range(0, len(rows), batch):
        levels = torch.from_numpy(decoded.levels[rows[start : start + batch]])
        pixels = model.normalized(levels.to(ranks.device).permute(0, 3, 1, 2))
        found = (part or model)(pixels)
        parts.append(found.cpu().numpy())
    model.train(training)
    gathered = ranks.gather_objects(np.concatenate(parts) if parts else None)
    vectors: NDArray[np.float32] = np.concatenate([part for part in gathered if part is not None])
    return vectors


def score(vectors: Vectors, photos: Sequence[Photo], split: Split, protocol: str) -> ProtocolScores:
    """Rank the gallery for every query; a query that is also in the gallery never finds itself."""
    by_key = {photo.key: photo for photo in photos}
    index = Index(np.stack([vectors[key] for key in split.gallery]))
    items = [by_key[key].item_id for key in split.gallery]
    positions = {key: i for i, key in enumerate(split.gallery)}
    overall = Scorer(items)
    by_category: dict[str, Scorer] = defaultdict(lambda: Scorer(items))
    answers = []
    for key in split.queries:
        photo = by_key[key]
        similarities, found = index.search(vectors[key], overall.depth + 1)
        others = found != positions.get(key, -1)
        similarities, found = similarities[others], found[others]
        results = [items[i] for i in found]
        for scorer in (overall, by_category[photo.category]):
            right = scorer.add(photo.item_id, results, in_gallery=key in positions)
        answers.append(
            Answer(
                key,
                int(right.argmax()) + 1 if right.any() else 0,
                tuple(split.gallery[i] for i in found[:_SHOWN]),
                tuple(round(float(value), 4) for value in similarities[:_SHOWN]),
            )
        )
    total = overall.score()
    return ProtocolScores(
        protocol=protocol,
        gallery=len(split.gallery),
        recall_at_k=total.recall_at_k,
        map_at_r=total.map_at_r,
        by_category={name: _figures(each.score()) for name, each in sorted(by_category.items())},
        answers=tuple(answers),
    )


def embed_splits(
    model: EmbeddingModel, decoded: DecodedPhotos, splits: dict[str, Split], ranks: Ranks
) -> Vectors:
    """Embed every photo of the protocols, each once."""
    keys = sorted({key for split in splits.values() for key in (*split.queries, *split.gallery)})
    return dict(zip(keys, embed(model, decoded, keys, ranks), strict=True)) if keys else {}


def score_splits(
    vectors: Vectors, photos: Sequence[Photo], splits: dict[str, Split]
) -> dict[str, ProtocolScores]:
    """Score every protocol."""
    return {name: score(vectors, photos, split, name) for name, split in splits.items()}


def _figures(found: Score) -> dict[str, float]:
    return {
        "queries": found.queries,
        "recall_at_1": found.recall_at_k["1"],
        "map_at_r": found.map_at_r,
    }
