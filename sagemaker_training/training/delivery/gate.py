"""The gate: whether a trained model is so much better than the live one that it shall replace it.

The live model is scored again on the very split that the candidate was scored on, as it serves:
through its ONNX graph and its own preprocessing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.evaluation.protocols import Split
from lens.gallery.current import read_current
from lens.models.embedder import Embedder, load_embedder
from lens.photos.decoding import decode
from lens.pipeline.verdict import Verdict
from lens.settings import Limits
from lens.storage import Storage
from training.data.dataset import Photo
from training.loop.scoring import ProtocolScores, Vectors, score


def judge(
    model_id: str,
    candidate: ProtocolScores,
    live_id: str | None,
    live: ProtocolScores | None,
    margin: float,
) -> Verdict:
    """The candidate passes if its Recall@1 is at least `margin` (a fraction) above the live
    model's, or if nothing is live."""
    ours = candidate.recall_at_k["1"]
    if live is None:
        passed, theirs = True, None
        reason = f"{model_id} is the first model: R@1 {ours:.4f}, none to beat"
    else:
        theirs = live.recall_at_k["1"]
        # Both are multiples of one query; a margin met exactly shall not fail by rounding.
        passed = ours - theirs >= margin - 1e-9
        word = "passes" if passed else "does not pass"
        reason = (
            f"{model_id} {word}: R@1 {ours:.4f} against {theirs:.4f} of {live_id} on "
            f"{candidate.protocol}, {margin:+.4f} is wanted"
        )
    return Verdict(
        passed=passed,
        reason=reason,
        model_id=model_id,
        live=live_id,
        protocol=candidate.protocol,
        candidate_recall_at_1=ours,
        live_recall_at_1=theirs,
        margin=margin,
    )


def score_live(
    artifacts: Storage, root: Path, photos: Sequence[Photo], split: Split, protocol: str
) -> tuple[str | None, ProtocolScores | None]:
    """The live model and its scores on a split; neither where none is live."""
    current = read_current(artifacts)
    if current is None:
        return None, None
    embedder = load_embedder(artifacts, current.live)
    keys = sorted({*split.queries, *split.gallery})
    vectors = embed_as_served(embedder, root, keys)
    return current.live, score(vectors, photos, split, protocol)


def embed_as_served(
    embedder: Embedder,
    root: Path,
    keys: Sequence[str],
    change: Callable[[Any], Any] = lambda image: image,
) -> Vectors:
    """Each photo's vector by key, computed as `embed` and `search` compute it; of the Pillow image
    as the change makes it, if there is one."""

    def vector(key: str) -> NDArray[np.float32]:
        return embedder.embed(change(decode((root / key).read_bytes(), Limits())))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(keys, pool.map(vector, keys), strict=True))
