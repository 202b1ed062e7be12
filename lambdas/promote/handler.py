"""The promote handler: takes one step towards making a trained model, or a default model, live."""

from __future__ import annotations

from typing import Any

from lens.errors import PinnedError
from lens.gallery.current import read_current
from lens.models.manifest import read_manifest
from lens.photos.catalog import Catalog
from lens.pipeline.promote import nominate, switch
from lens.pipeline.queues import Queue
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.verdict import read_verdict
from lens.pipeline.waiting import never
from lens.storage import Storage


class PromoteHandler:
    """Answers {"job": a training job's name}; or, without one, goes on with the default model that
    `setup` has nominated. A repeated call is harmless, so the state machine may retry a step or be
    started again."""

    def __init__(self, catalog: Catalog, artifacts: Storage, queue: Queue) -> None:
        self._catalog = catalog
        self._artifacts = artifacts
        self._queue = queue

    def __call__(self, event: dict[str, Any], context: object = None) -> dict[str, Any]:
        """Lambda's calling convention. `status`: "filling" (call again), "live", or "kept" with
        the reason why the live model stays."""
        if "job" not in event:
            return self._go_on_with_default()
        verdict = read_verdict(self._artifacts, event["job"])
        answer = {"model_id": verdict.model_id, "reason": verdict.reason}
        if not verdict.passed:
            return {**answer, "status": "kept"}
        return {**answer, **self._step(verdict.model_id)}

    def _go_on_with_default(self) -> dict[str, Any]:
        current = read_current(self._artifacts)
        candidate = current.candidate if current else None
        if candidate and read_manifest(self._artifacts, candidate).default_number:
            return {"model_id": candidate, **self._step(candidate)}
        return {"status": "kept", "reason": "no default model is a candidate"}

    def _step(self, model_id: str) -> dict[str, Any]:
        try:
            nominate(self._artifacts, model_id)
            looks = compare_newest(self._catalog, self._artifacts, model_id, retry=never).looks
            if not looks:
                switch(self._artifacts, model_id)
                return {"status": "live"}
        except PinnedError as error:
            return {"status": "kept", "reason": str(error)}
        depth = self._queue.depth()
        if depth.waiting + depth.taken == 0:  # else these looks are queued already
            self._queue.send_looks(looks)
        return {"status": "filling", "behind": len(looks)}
