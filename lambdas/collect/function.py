"""The collect function: what Lambda calls on a schedule. It removes what nothing reaches."""

from __future__ import annotations

import os

from lambdas.collect.handler import CollectHandler
from lambdas.telemetry import observed
from lens.pipeline.queues import Queue
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("artifacts", "thumbs", "embed_queue"))
handler = observed(
    CollectHandler(
        open_storage(_settings.artifacts),
        open_storage(_settings.thumbs),
        Queue(_settings.embed_queue).send_looks,
    )
)
