"""The promote handler: takes one step towards making a trained model live."""

from __future__ import annotations

from typing import Any

from lens.errors import PinnedError
from lens.photos.catalog import Catalog
from lens.pipeline.promote import nominate, switch
from lens.pipeline.queues import Queue
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.verdict import read_verdict
from lens.storage import Storage


class PromoteHandler:
    """Answers {"job": a training job's name}. A repeated call is harmless, so the state machine may
    retry a step or be started again."""

    def __init__(self, catalog: Catalog, artifacts: Storage, queue: Queue) -> None:
        self._catalog = catalog
        self._artifacts = artifacts
        self._queue = queue

    def __call__(self, event: dict[str, Any], context: object = None) -> dict[str, Any]:
        """Lambda's calling convention. `status`: "filling" (call again), "live", or "kept" with
        the reason why the live model stays."""
        verdict = read_verdict(self._artifacts, event["job"])
        answer = {"model_id": verdict.model_id, "reason": verdict.reason}
        if not verdict.passed:
            return {**answer, "status": "kept"}
        try:
            nominate(self._artifacts, verdict.model_id)
            looks = compare_newest(self._catalog, self._artifacts, verdict.model_id).looks
            if not looks:
                switch(self._artifacts, verdict.model_id)
                return {**answer, "status": "live"}
        except PinnedError as error:
            return {**answer, "status": "kept", "reason": str(error)}
        depth = self._queue.depth()
        if depth.waiting + depth.taken == 0:  # else these looks are queued already
            self._queue.send_looks(looks)
        return {**answer, "status": "filling", "behind": len(looks)}
