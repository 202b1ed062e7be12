"""Tests of traces.py, by OpenTelemetry's exporter in memory, and by a collector of our own.

Covers: span_exporter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lambdas.local.pipeline import Pipeline
from lens import aws, traces
from lens.correlation import correlated
from lens.errors import LensError, UsageError
from lens.gallery.current import Current, swap_current
from lens.gallery.triggers import Trigger
from lens.pipeline.events import s3_notification
from lens.search.searcher import Searcher
from lens.settings import Settings
from tests.support.tiny_model import png, write_tiny_model

pytest.importorskip("opentelemetry.sdk", reason="pip install 'image-lens[traces]'")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


@pytest.fixture
def spans() -> Iterator[Callable[[], list[ReadableSpan]]]:
    """What was noted so far, in the order in which it ended."""
    exporter = InMemorySpanExporter()
    traces.start(exporter, "test")

    def noted() -> list[ReadableSpan]:
        traces.flush()
        return list(exporter.get_finished_spans())

    yield noted
    traces.stop()


def _trace(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def test_an_upload_is_one_trace_from_the_look_to_the_search_that_finds_it(
    spans: Callable[[], list[ReadableSpan]], tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    pipeline = Pipeline(
        Settings(catalog=str(tmp_path / "photos"), artifacts=str(tmp_path / "artifacts"))
    )
    model = write_tiny_model(pipeline.artifacts).model_id
    swap_current(pipeline.artifacts, lambda _: Current(live=model))
    searcher = Searcher(pipeline.artifacts)
    for name in ("first", "second"):
        pipeline.catalog.storage.write(f"{name}.png", png(len(name)))
        upload = Trigger(name, time.time())
        pipeline.handle([s3_notification("ObjectCreated:Put", f"{name}.png", "A1", upload)])
        searcher.refresh()
    for name in ("first", "second"):
        of_upload = [span for span in spans() if _trace(span) == traces.trace_id(name)]
        assert [span.name for span in of_upload] == ["look", "found", "searched"]
        assert {dict(span.attributes or {})["lens.correlation_id"] for span in of_upload} == {name}


def test_what_is_done_within_a_span_is_under_it_and_an_error_is_told(
    spans: Callable[[], list[ReadableSpan]],
) -> None:
    with correlated("a"), traces.span("outer"):
        with traces.span("inner"):
            pass
        with correlated("b"), traces.span("other"):
            pass
        with pytest.raises(ZeroDivisionError), traces.span("broken"):
            raise ZeroDivisionError("why")
    inner, other, broken, outer = spans()
    assert outer.context is not None and outer.parent is not None
    assert inner.parent is not None and inner.parent.span_id == outer.context.span_id
    assert outer.parent.is_remote, "there is nothing above it"
    assert _trace(inner) == _trace(outer) == traces.trace_id("a")
    assert _trace(other) == traces.trace_id("b")
    assert broken.status.status_code is StatusCode.ERROR
    assert outer.status.status_code is StatusCode.UNSET


def test_without_an_id_a_span_begins_a_trace_of_its_own(
    spans: Callable[[], list[ReadableSpan]],
) -> None:
    for _ in range(2):
        with traces.span("work"):
            pass
    traces.mark("found", "")
    one, two = spans()
    assert _trace(one) != _trace(two)


class Collector:
    """A collector on this machine: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.received.append((self.path, dict(self.headers), body))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *given: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    traces.stop()
    collector.close()


def test_a_collector_gets_spans_in_otlps_json(collector: Collector) -> None:
    told = {traces.ENDPOINT: collector.address, traces.HEADERS: "authorization=Bearer x, a=b"}
    traces.start_as(told, "shop", lambda url, body: {"X-Signed": f"{url} {len(body)}"})
    before = time.time_ns()
    with correlated("upload-1"), traces.span("look"), traces.span("query"):
        pass
    traces.flush()
    ((path, headers, body),) = collector.received
    assert path == "/v1/traces"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer x" and headers["A"] == "b"
    assert headers["X-Signed"].startswith(f"{collector.address}/v1/traces ")
    (of_process,) = body["resourceSpans"]
    service = {"key": "service.name", "value": {"stringValue": "shop"}}
    assert service in of_process["resource"]["attributes"]
    ((query, look),) = (scope["spans"] for scope in of_process["scopeSpans"])
    assert (look["name"], query["name"]) == ("look", "query")
    assert look["traceId"] == query["traceId"] == f"{traces.trace_id('upload-1'):032x}"
    assert query["parentSpanId"] == look["spanId"] and len(look["spanId"]) == 16
    assert "parentSpanId" not in look
    assert before <= int(look["startTimeUnixNano"]) <= int(look["endTimeUnixNano"])


def test_a_collector_that_is_down_costs_the_spans_and_is_told_once(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 503
    traces.start_as({traces.ENDPOINT: f"{collector.address}/"}, "shop")
    for _ in range(2):
        with correlated("x"), traces.span("look"):
            pass
        traces.flush()
    assert len(collector.received) == 2
    assert caplog.text.count("traces are lost") == 1 and "503" in caplog.text


def test_a_share_of_all_traces_is_sent_and_each_whole(collector: Collector) -> None:
    traces.start_as({traces.ENDPOINT: collector.address, traces.SHARE: "0.25"}, "shop")
    for number in range(200):
        for stage in ("look", "found", "searched"):
            traces.mark(stage, f"upload-{number}")
    traces.flush()
    seen: dict[str, int] = {}
    for _, _, body in collector.received:
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            seen[span["traceId"]] = seen.get(span["traceId"], 0) + 1
    assert 20 <= len(seen) <= 80  # five standard deviations
    assert set(seen.values()) == {3}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({traces.SHARE: "lots"}, "a share of all traces"),
        ({traces.SHARE: "1.5"}, "a share of all traces"),
        ({traces.HEADERS: "token"}, "name=value"),
    ],
)
def test_variables_that_cannot_be_understood_are_named(told: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        traces.start_as({traces.ENDPOINT: "http://127.0.0.1:1", **told}, "shop")


def test_x_ray_gets_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    headers = aws.signed("xray", "https://xray.eu-west-1.amazonaws.com/v1/traces", b"{}")
    assert "/eu-west-1/xray/aws4_request" in headers["Authorization"]
    assert headers["Content-Type"] == "application/json" and headers["X-Amz-Date"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(LensError, match="AWS_REGION"):
        aws.signed("xray", "https://xray.eu-west-1.amazonaws.com/v1/traces", b"{}")


def test_what_is_off_is_not_even_imported() -> None:
    program = (
        "import sys; from lens import traces; traces.start_as({}, 'x')\n"
        "with traces.span('look'): traces.mark('found', 'a')\n"
        "print('opentelemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_where_opentelemetry_is_not_installed_the_server_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "lens.span_exporter", raising=False)
    with pytest.raises(UsageError, match=r"image-lens\[traces\]"):
        traces.start_as({traces.ENDPOINT: "http://127.0.0.1:4318"}, "shop")
