"""Telemetry: what every function writes of its work: lines of JSON that name what set them off, and
metrics in the format in which CloudWatch reads them from a log."""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lens import aws, traces
from lens.correlation import Correlated, correlated, new_id
from lens.measures import Measure, publish_with
from lens.traces import span

T = TypeVar("T")

NAMESPACE = "ImageLens"
COLD_START = "ColdStart"
# Of each measure: its unit, and the dimension that its label is.
_KINDS = {
    Measure.STAGE_SECONDS: (MetricUnit.Seconds, "stage"),
    Measure.FRESHNESS: (MetricUnit.Seconds, ""),
    Measure.MATCHES: (MetricUnit.Count, "match"),
    Measure.FAILED: (MetricUnit.Count, "code"),
}


class Figures:
    """The figures of one invocation, by their dimensions, until they are printed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], list[tuple[str, MetricUnit, float]]] = defaultdict(list)

    def tell(self, measure: Measure, value: float, label: str) -> None:
        """Note a figure; from any thread."""
        unit, dimension = _KINDS[measure]
        self.add(measure, unit, value, dimension, label)

    def add(
        self, name: str, unit: MetricUnit, value: float, dimension: str = "", label: str = ""
    ) -> None:
        """Note a metric, which has this dimension beside the stack's name."""
        with self._lock:
            self._told[dimension, label].append((name, unit, value))

    def flush(self) -> None:
        """Print what was told since the last time; nothing where nothing was."""
        with self._lock:
            told, self._told = self._told, defaultdict(list)
        for (dimension, label), figures in told.items():
            metrics = EphemeralMetrics(namespace=NAMESPACE)  # POWERTOOLS_SERVICE_NAME: the stack
            if dimension:
                metrics.add_dimension(dimension, label)
            for name, unit, value in figures:
                metrics.add_metric(name, unit, value)
            if metrics.metric_set:  # a hundred of one name are printed at once
                metrics.flush_metrics()


figures = Figures()


def observed(handler: Callable[[Any, Any], T]) -> Callable[..., T]:
    """The same handler, whose work belongs to its invocation's id where it has no other, and whose
    figures are printed when it ends."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # elsewhere somebody else has set the log up,
        _write_json()
        publish_with(figures)  # and nobody prints figures
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "image-lens")
    traces.start_as(os.environ, name, _signer())
    cold = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"

    @functools.wraps(handler, assigned=())
    def handle(event: Any = None, context: Any = None) -> T:
        nonlocal cold
        if cold and (told := getattr(context, "function_name", "")):
            cold = False
            figures.add(COLD_START, MetricUnit.Count, 1, "FunctionName", told)
        try:
            with correlated(getattr(context, "aws_request_id", "") or new_id()), span("invocation"):
                return handler(event, context)
        finally:
            figures.flush()
            traces.flush()

    return handle


def _signer() -> traces.Sign | None:
    """X-Ray takes spans from those who may send them, any other collector its own headers."""
    if ".amazonaws.com" not in os.environ.get(traces.ENDPOINT, ""):
        return None
    return functools.partial(aws.signed, "xray")


def _write_json() -> None:
    """All loggers of the process write lines of JSON; ours also what goes well."""
    logger = Logger()
    logger.append_keys(name="%(name)s")
    for each in logger.handlers:
        each.addFilter(Correlated())
    logging.getLogger().handlers = list(logger.handlers)
    for ours in ("lens", "lambdas"):
        logging.getLogger(ours).setLevel(logger.log_level)
