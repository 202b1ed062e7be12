"""The form's line: tells CloudWatch in which form of its model a function computes, how fast."""

from __future__ import annotations

from lens.metric_lines import FUNCTION, metric_line
from lens.models.embedder import Embedder

METRIC, FORM = "EmbeddingMilliseconds", "Form"


def form_line(function: str, embedder: Embedder) -> str | None:
    """A metric's line: milliseconds of CPU time a photo, by function and by form; None where they
    are not known."""
    if embedder.milliseconds is None or embedder.speeds is None:
        return None
    return metric_line(
        function,
        METRIC,
        embedder.milliseconds,
        "Milliseconds",
        more={
            FORM: embedder.precision,
            "Model": embedder.model_id,
            "Cpu": embedder.speeds.cpu,
            "Runtime": embedder.speeds.runtime,
        },
        dimensions=((FUNCTION,), (FUNCTION, FORM)),
    )
