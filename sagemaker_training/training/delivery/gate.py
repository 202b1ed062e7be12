"""The gate: decides whether a trained model is good enough to replace the live one.

The live model is scored on the same split as the candidate, and exactly as it serves: with its ONNX
graph and its own preprocessing.
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
    """Return the verdict on a candidate.

    It passes if its Recall@1 is at least `margin` (a fraction) above the live model's, or if no
    model is live.
    """
    ours = candidate.recall_at_k["1"]
    if live is None:
        passed, theirs = True, None
        reason = f"{model_id} is the first model: R@1 {ours:.4f}, none to beat"
    else:
        theirs = live.recall_at_k["1"]
        # 1e-9 is far below one query's share: a margin met exactly must not fail by rounding.
        passed = ours - theirs >= margin - 1e-9
        word = "passes" if passed else "does not pass"
        reason = (
            f"{model_id} {word}: R@1 {ours:.4f} against {theirs:.4f} of {live_id} on "
            f"{candidate.protocol}, {margin:+.4f} is required"
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
    """Return the live model's id and its scores on a split; None and None if no model is live."""
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
    """Return each photo's vector by key, computed as the functions `embed` and `search` do.

    `change` is applied to each decoded photo, a Pillow image, before it is embedded.
    """

    def vector(key: str) -> NDArray[np.float32]:
        return embedder.embed_main(change(decode((root / key).read_bytes(), Limits())))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(keys, pool.map(vector, keys), strict=True))
