"""The compact handler: compacts the galleries whose heads advanced, and on a schedule those whose
files have had a deleted photo for too long."""

from __future__ import annotations

import time

from lens.gallery.commits import parse_head_key
from lens.gallery.current import read_current
from lens.pipeline.compact import compact
from lens.pipeline.events import BatchReply, SqsEvent, answer_batch, keys_in
from lens.storage import Storage, key_prefix


class CompactHandler:
    """Answers SQS batches of head events; a model is compacted once for all of its events."""

    def __init__(self, artifacts: Storage) -> None:
        self._artifacts = artifacts
        self._prefix = key_prefix(artifacts)

    def __call__(self, event: SqsEvent, context: object = None) -> BatchReply:
        """Lambda's calling convention; the reply names the messages that failed. The schedule sends
        none; its call raises instead."""
        if not event.get("Records"):
            return self._forget()
        outcomes: dict[str, Exception | None] = {}

        def work(keys: list[str]) -> None:
            models = list(dict.fromkeys(map(parse_head_key, keys)))
            for model_id in models:
                # Each outcome is kept: other messages of the batch may name the same model.
                if model_id not in outcomes:
                    outcomes[model_id] = self._attempt(model_id)
            failures = [error for model_id in models if (error := outcomes[model_id])]
            if failures:
                raise failures[0]

        return answer_batch(event, lambda message: keys_in(message["body"], self._prefix), work)

    def _forget(self) -> BatchReply:
        """A quiet shop has no events, and deleted photos are to leave its files too."""
        current = read_current(self._artifacts)
        failures = [
            self._attempt(each, aged=True) for each in (current.followed if current else ())
        ]
        for error in filter(None, failures):
            raise error
        return {"batchItemFailures": []}

    def _attempt(self, model_id: str, *, aged: bool = False) -> Exception | None:
        """One model's failure must not hold up the others."""
        try:
            current = read_current(self._artifacts)
            if current is not None and model_id in current.followed:
                while compact(self._artifacts, model_id, now=time.time(), aged=aged):
                    pass
        except Exception as error:
            return error
        return None
