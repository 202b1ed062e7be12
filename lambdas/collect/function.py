"""The collect function: removes what nothing reaches any more, on a schedule."""

from __future__ import annotations

import os
import time
from functools import partial

from lens.collector import collect
from lens.config import settings_from
from lens.queues import Queue, send_looks
from lens.storage import open_storage

_settings = settings_from(os.environ)
_artifacts = open_storage(_settings.artifacts)
_thumbs = open_storage(_settings.thumbs)
_look_again = partial(send_looks, Queue(_settings.embed_queue))


def handler(event: object, context: object = None) -> dict[str, int]:
    """How many objects went."""
    return {"removed": collect(_artifacts, _thumbs, _look_again, now=time.time())}
