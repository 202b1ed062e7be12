"""Traces: what a request or an upload goes through, as spans of OpenTelemetry; off unless started.

A trace's id follows from the correlation id. So the stages of one upload are one trace, though no
stored file and no message has a word of it, and all of them are sampled or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lens.correlation import correlated, current_id
from lens.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

# OpenTelemetry's own variables.
ENDPOINT, SHARE, HEADERS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_EXPORTER_OTLP_HEADERS",
)
# From (url, body), the headers that a collector wants beside those that are configured.
Sign = Callable[[str, bytes], Mapping[str, str]]

_provider: TracerProvider | None = None
_tracer: Tracer | None = None


@contextmanager
def span(name: str) -> Iterator[None]:
    """What is done in the block, in the trace of the current id. An error ends it as one."""
    if _tracer is None:
        yield
        return
    about = {"lens.correlation_id": current_id()}
    with _tracer.start_as_current_span(name, _parent(), attributes=about):
        yield


def mark(name: str, correlation_id: str) -> None:
    """Note in this id's trace that something has happened."""
    if _tracer is not None and correlation_id:
        with correlated(correlation_id), span(name):
            pass


def start_as(environment: Mapping[str, str], service: str, sign: Sign | None = None) -> None:
    """Send spans where OpenTelemetry's variables say; nothing where they name no place.

    Raises UsageError when they cannot be understood, or OpenTelemetry is not installed.
    """
    if not (endpoint := environment.get(ENDPOINT, "")):
        return
    try:
        from lens.span_exporter import OtlpExporter
    except ImportError as error:
        raise UsageError(
            f"{ENDPOINT} is set, but OpenTelemetry is not installed: "
            "`pip install 'image-lens[traces]'`, or unset it"
        ) from error
    headers = _headers(environment.get(HEADERS, ""))
    start(OtlpExporter(endpoint, headers, sign), service, _share(environment.get(SHARE, "")))


def start(exporter: SpanExporter, service: str, share: float = 1.0) -> None:
    """From now on give the spans of this share of all traces to the exporter."""
    global _provider, _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    resource = Resource({"service.name": service})
    _provider = TracerProvider(TraceIdRatioBased(share), resource, shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer("lens")


def flush() -> None:
    """Hand over what was noted: after this, a function may be frozen."""
    if _provider is not None:
        _provider.force_flush(5_000)


def stop() -> None:
    """Hand over what was noted, and note nothing more."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.shutdown()


def trace_id(correlation_id: str) -> int:
    """The id of the trace that belongs to a correlation id."""
    return int.from_bytes(hashlib.sha256(correlation_id.encode()).digest()[:16], "big")


def _parent() -> Context | None:
    """The span around this one, if it is of the same trace; else that trace's beginning."""
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        get_current_span,
        set_span_in_context,
    )

    wanted = trace_id(current_id())
    if not current_id() or get_current_span().get_span_context().trace_id == wanted:
        return None  # the one around
    first = wanted >> 64 or 1
    beginning = SpanContext(wanted, first, is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(beginning))


def _share(told: str) -> float:
    try:
        share = float(told or 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{SHARE}={told!r}: it should be a share of all traces, 0 to 1")
    return share


def _headers(told: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in told.split(",") if pair.strip()]
    if any(not (name.strip() and equals) for name, equals, _ in pairs):
        raise UsageError(f"{HEADERS}: it should be name=value, separated by commas")
    return {name.strip(): value.strip() for name, _, value in pairs}
