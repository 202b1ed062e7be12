"""The embed function: what Lambda calls with a batch of catalog events."""

from __future__ import annotations

import os

from lambdas.embed.handler import EmbedHandler
from lambdas.telemetry import observed
from lens.models.embedder import Embedder
from lens.models.form_line import form_line
from lens.pipeline.failures import counted
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts", "thumbs"))
_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")


def _tell(embedder: Embedder) -> None:
    if _name and (line := form_line(_name, embedder)):
        print(line, flush=True)


handler = observed(
    counted(EmbedHandler(_settings, open_storage(_settings.artifacts), loaded=_tell))
)
