"""The build_index handler: commits the segments, and the products, that a batch of events names.

It builds no FAISS index, in spite of its name: `compact` does, when it folds a snapshot.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from lens.gallery.product_tables import PREFIX as PRODUCTS
from lens.gallery.product_tables import is_manifest_key, parse_products_key
from lens.gallery.segments import parse_segment_key
from lens.gallery.versions import Look
from lens.pipeline.commit import commit_feed, commit_segments
from lens.pipeline.events import BatchReply, SqsEvent, answer_batch, keys_in
from lens.storage import Storage, key_prefix


class BuildIndexHandler:
    """Answers SQS batches of segment events; `queue` takes keys that must be looked at again."""

    def __init__(self, artifacts: Storage, queue: Callable[[list[Look]], None]) -> None:
        self._artifacts = artifacts
        self._prefix = key_prefix(artifacts)
        self._queue = queue

    def __call__(self, event: SqsEvent, context: object = None) -> BatchReply:
        """Lambda's calling convention; the reply names the messages that failed."""
        return answer_batch(
            event, lambda message: keys_in(message["body"], self._prefix), self._commit
        )

    def _commit(self, keys: list[str]) -> None:
        segments: dict[str, list[str]] = defaultdict(list)
        looks: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            if key.startswith(PRODUCTS):
                model_id, name = parse_products_key(key)
                if is_manifest_key(key):
                    looks[model_id].append(name)
            else:
                model_id, name = parse_segment_key(key)
                segments[model_id].append(name)
        again: list[Look] = []
        for model_id, names in segments.items():
            again += commit_segments(self._artifacts, model_id, names, now=time.time())
        for model_id, names in looks.items():
            again += commit_feed(self._artifacts, model_id, names, now=time.time())
        if again:
            self._queue(again)
