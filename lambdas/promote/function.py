"""The promote function: what the training's state machine calls until the new model is live, and
what a schedule calls for a default model."""

from __future__ import annotations

import os

from lambdas.promote.handler import PromoteHandler
from lambdas.telemetry import observed
from lens.pipeline.queues import Queue
from lens.pipeline.sources import open_catalog
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts", "embed_queue"))
handler = observed(
    PromoteHandler(
        open_catalog(_settings),
        open_storage(_settings.artifacts),
        Queue(_settings.embed_queue),
    )
)
