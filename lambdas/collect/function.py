"""The collect function: what Lambda calls on a schedule. It removes what nothing reaches."""

from __future__ import annotations

import os

from lambdas.telemetry import observed
from lens.pipeline.collect import collect
from lens.pipeline.queues import Queue
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("artifacts", "thumbs", "embed_queue"))
_artifacts = open_storage(_settings.artifacts)
_thumbs = open_storage(_settings.thumbs)
_queue = Queue(_settings.embed_queue)


@observed
def handler(event: object = None, context: object = None) -> dict[str, int]:
    """Lambda's calling convention; the reply counts the objects removed."""
    return {"removed": collect(_artifacts, _thumbs, _queue.send_looks)}
