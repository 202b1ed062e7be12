"""The reconcile function: what Lambda calls on a schedule; it publishes CloudWatch metrics."""

from __future__ import annotations

import os
import time

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.reconcile.handler import ReconcileHandler
from lens.pipeline.queues import Queue
from lens.pipeline.sources import open_catalog, pictures_of
from lens.settings import settings_from
from lens.storage import open_storage
from lens.storage.formats import announce_format

_settings = settings_from(os.environ, required=("catalog", "artifacts", "embed_queue"))
_metrics = Metrics(namespace="ImageLens")  # its dimension `service` is POWERTOOLS_SERVICE_NAME


def _publish(figures: dict[str, float]) -> None:
    """Print the figures in the format in which CloudWatch reads metrics from a function's log."""
    for name, value in figures.items():
        unit = MetricUnit.Seconds if name.endswith("Age") else MetricUnit.Count
        _metrics.add_metric(name, unit, value)
    _metrics.flush_metrics()


_artifacts = open_storage(_settings.artifacts)
_catalog = open_catalog(_settings)
_pictures = pictures_of(_settings, _catalog, _artifacts) if _settings.feed_pictures else None
_queue = Queue(_settings.embed_queue)
_reconcile = ReconcileHandler(_catalog, _artifacts, _queue, _publish, _settings.layout, _pictures)


def handler(event: object = None, context: object = None) -> dict[str, int]:
    """Lambda's calling convention; the reply counts what differs and what was queued of it."""
    # This function runs on a schedule in every stack, so it announces which release the stack runs.
    announce_format(_artifacts, time.time())
    return _reconcile(event, context)
