"""The build_index function: Lambda's entry to the build_index handler."""

from __future__ import annotations

import os
from functools import partial

from lambdas.build_index.handler import BuildIndexHandler
from lens.config import settings_from
from lens.queues import Queue, send_looks
from lens.storage import open_storage

_settings = settings_from(os.environ)
handler = BuildIndexHandler(
    open_storage(_settings.artifacts), partial(send_looks, Queue(_settings.embed_queue))
)
