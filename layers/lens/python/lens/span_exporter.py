"""The span exporter: sends spans by OTLP over HTTP, as JSON.

OpenTelemetry's own needs protobuf and requests: 9 MB more in each layer and image.
"""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lens.errors import LensError

log = logging.getLogger(__name__)

_PATH = "/v1/traces"
_SECONDS = 5.0
_INTERNAL = 1  # the kind of a span that is neither a client's nor a server's


class OtlpExporter(SpanExporter):
    """Sends to one collector. What it does not take is lost, and told once."""

    def __init__(
        self,
        endpoint: str,
        headers: Mapping[str, str] | None = None,
        sign: Callable[[str, bytes], Mapping[str, str]] | None = None,
    ) -> None:
        self._url = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
        self._headers = headers or {}
        self._sign = sign
        self._trouble = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these spans."""
        body = json.dumps(encoded(spans), separators=(",", ":")).encode()
        try:
            signed = self._sign(self._url, body) if self._sign else {}
            headers = {"Content-Type": "application/json", **self._headers, **signed}
            request = urllib.request.Request(self._url, body, headers, method="POST")
            with urllib.request.urlopen(request, timeout=_SECONDS):
                self._trouble = False
                return SpanExportResult.SUCCESS
        except (OSError, ValueError, LensError) as error:
            if not self._trouble:  # once, not for each batch
                log.warning("traces are lost: %s: %s", self._url, error)
            self._trouble = True
            return SpanExportResult.FAILURE


def encoded(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """Spans of one process in OTLP's JSON: ids in hexadecimal, times as text."""
    resource = spans[0].resource.attributes if spans else {}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": {"name": "lens"}, "spans": [_span(s) for s in spans]}],
            }
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    told: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }
    if span.status.description:
        told["status"]["message"] = span.status.description
    # What a trace's id alone leads to is no span: the first ones of a trace have none above them.
    if span.parent is not None and not span.parent.is_remote:
        told["parentSpanId"] = f"{span.parent.span_id:016x}"
    return told


def _attributes(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": {"stringValue": str(value)}} for name, value in told.items()]
