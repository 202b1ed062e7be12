"""The build_index function: what Lambda calls with segment events. It commits the segments."""

from __future__ import annotations

import os

from lambdas.build_index.handler import BuildIndexHandler
from lambdas.telemetry import observed
from lens.pipeline.failures import counted
from lens.pipeline.queues import Queue
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("artifacts", "embed_queue"))

_artifacts = open_storage(_settings.artifacts)
_queue = Queue(_settings.embed_queue)

handler = observed(counted(BuildIndexHandler(_artifacts, _queue.send_looks)))
