"""The embed function: what Lambda calls with a batch of catalog events."""

from __future__ import annotations

import os

from lambdas.embed.handler import EmbedHandler
from lens.pipeline.failures import counted
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts", "thumbs"))

handler = counted(EmbedHandler(_settings, open_storage(_settings.artifacts)))
