"""The reconcile function: what Lambda calls on a schedule; it publishes CloudWatch metrics."""

from __future__ import annotations

import os
import time
from functools import partial

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.again import call_again
from lambdas.reconcile.certificate import days_left
from lambdas.reconcile.handler import ReconcileHandler
from lambdas.telemetry import figures, observed
from lens.pipeline.notifications import lost_events
from lens.pipeline.queues import Queue
from lens.pipeline.sources import open_catalog, pictures_of
from lens.settings import settings_from
from lens.storage import open_storage
from lens.storage.formats import announce_format

_settings = settings_from(os.environ, required=("catalog", "artifacts", "embed_queue"))


def _publish(of_gallery: dict[str, float]) -> None:
    for name, value in of_gallery.items():
        unit = MetricUnit.Seconds if name.endswith("Age") else MetricUnit.Count
        figures.add(name, unit, value)
    figures.flush()  # the rest of the run may take longer than Lambda lets it


_artifacts = open_storage(_settings.artifacts)
_catalog = open_catalog(_settings)
_pictures = pictures_of(_settings, _catalog, _artifacts) if _settings.feed_pictures else None
_queue = Queue(_settings.embed_queue)
_reconcile = ReconcileHandler(
    _catalog,
    _artifacts,
    _queue,
    _publish,
    _settings.layout,
    _pictures,
    partial(lost_events, _settings.catalog, _settings.embed_queue),
    call_again,
)


@observed
def handler(event: object = None, context: object = None) -> dict[str, int]:
    """Lambda's calling convention; the reply counts what differs and what was queued of it."""
    # This function runs on a schedule in every stack, so it announces which release the stack runs.
    announce_format(_artifacts, time.time())
    if _settings.domain and (days := days_left(_settings.domain)) is not None:
        figures.add("CertificateDays", MetricUnit.Count, days)
    return _reconcile(event, context)
