"""The setup function: what a deployment calls once, before its event sources start."""

from __future__ import annotations

import os
import time
from pathlib import Path

from lambdas.telemetry import observed
from lens.pipeline.bootstrap import set_up
from lens.pipeline.sources import open_catalog
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("artifacts", "catalog", "model_folder"))
_artifacts = open_storage(_settings.artifacts)
_catalog = open_catalog(_settings)
# The folder's name is relative to the root of the zip, wherever that was unpacked.
_model = open_storage(Path(__file__).parents[2] / _settings.model_folder)


@observed
def handler(event: object = None, context: object = None) -> dict[str, str]:
    """Lambda's calling convention; the reply names the live model."""
    return {"live": set_up(_artifacts, _model, now=time.time(), catalog=_catalog).live}
