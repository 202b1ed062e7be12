"""The build_index handler: commits the segments that a batch of events names.

It builds no FAISS index, in spite of its name: `compact` does, when it folds a snapshot.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable

from lens.gallery.segments import parse_segment_key
from lens.gallery.versions import Look
from lens.pipeline.commit import commit_segments
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
        return answer_batch(event, lambda body: keys_in(body, self._prefix), self._commit)

    def _commit(self, keys: list[str]) -> None:
        by_model: dict[str, list[str]] = defaultdict(list)
        for model_id, segment_id in map(parse_segment_key, keys):
            by_model[model_id].append(segment_id)
        for model_id, segment_ids in by_model.items():
            again = commit_segments(self._artifacts, model_id, segment_ids, now=time.time())
            if again:
                self._queue(again)
