"""The compact function: what Lambda calls with a batch of head events."""

from __future__ import annotations

import os

from lambdas.compact.handler import CompactHandler
from lambdas.telemetry import observed
from lens.pipeline.failures import counted
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("artifacts",))

handler = observed(counted(CompactHandler(open_storage(_settings.artifacts))))
