"""Senders: which part of the shoppers' photos is for training, for probes or for measuring.

The photos of one sender show the same beds, floors and light, so they stay together: a model that
has seen one of them knows the others. The split is a property of the sender's name alone.
"""

from __future__ import annotations

import hashlib
from typing import Literal

Fold = Literal["training", "probes", "measuring"]

_BUCKETS = 10
_MEASURING = frozenset({7})
_PROBES = frozenset({4, 6})


def fold_of(sender: str) -> Fold:
    """What a sender's photos are for.

    training: weights are fit on them. probes: a model ships their vectors, to set its thresholds
    by. measuring: neither; the figures of the shopper protocol come from them alone.
    """
    bucket = int(hashlib.sha256(sender.encode()).hexdigest(), 16) % _BUCKETS
    if bucket in _MEASURING:
        return "measuring"
    return "probes" if bucket in _PROBES else "training"
