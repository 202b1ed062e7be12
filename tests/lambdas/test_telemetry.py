"""What functions write of their work, each in a process of its own as Lambda runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from lens.gallery.triggers import Trigger
from lens.pipeline.events import s3_notification, sqs_event
from tests.lambdas.conftest import Shop
from tests.lambdas.test_search_function import event, search_event
from tests.support.tiny_model import png

# As Lambda's runtime: one call a line, each with a context.
RUNTIME = """
import json, sys
from types import SimpleNamespace
from lambdas.{name}.function import handler
for number, line in enumerate(sys.stdin):
    context = SimpleNamespace(function_name="Shop-{name}", aws_request_id=f"call-{{number}}")
    print(json.dumps({{"reply": handler(json.loads(line), context)}}), flush=True)
"""


def run(shop: Shop, name: str, *events: object, program: str = RUNTIME) -> list[dict[str, Any]]:
    """The lines that a function of a stack writes, and its replies among them."""
    environment = {
        **os.environ,
        "LENS_CATALOG": shop.settings.catalog,
        "LENS_ARTIFACTS": shop.settings.artifacts,
        "LENS_THUMBS": shop.settings.artifacts,
        "AWS_LAMBDA_FUNCTION_NAME": f"Shop-{name}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "Shop",
        "LENS_EMBED_QUEUE": "https://sqs.us-east-1.amazonaws.com/123456789012/looks",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program.format(name=name)],
        input="\n".join(json.dumps(each) for each in events),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def metrics(lines: list[dict[str, Any]]) -> dict[tuple[str, ...], list[float]]:
    """What CloudWatch reads: the values by metric and dimensions."""
    found: dict[tuple[str, ...], list[float]] = {}
    for line in lines:
        for each in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert each["Namespace"] == "ImageLens"
            for dimensions in each["Dimensions"]:
                where = tuple(f"{name}={line[name]}" for name in sorted(dimensions))
                for metric in each["Metrics"]:
                    value = line[metric["Name"]]
                    values = value if isinstance(value, list) else [value]
                    found.setdefault((metric["Name"], *where), []).extend(values)
    return found


def test_a_search_tells_its_stages_its_word_and_that_it_was_a_cold_start(shop: Shop) -> None:
    lines = run(shop, "search", search_event(png(1)), search_event(png(1)))
    told = metrics(lines)
    assert told["ColdStart", "FunctionName=Shop-search", "service=Shop"] == [1]
    for stage in ("search", "query"):
        seconds = told["StageSeconds", "service=Shop", f"stage={stage}"]
        assert len(seconds) == 2 and all(each > 0 for each in seconds)
    assert told["Matches", "match=unjudged", "service=Shop"] == [1, 1]
    replies = [line["reply"] for line in lines if "reply" in line]
    assert [each["statusCode"] for each in replies] == [200, 200]


def test_a_failure_is_counted_and_its_lines_have_the_id_that_the_reply_tells(shop: Shop) -> None:
    for path in (shop.folder.parent / "artifacts" / "models").rglob("*.onnx"):
        path.write_bytes(b"")
    lines = run(shop, "search", search_event(png(1)), event("GET", "/api/nothing"))
    failed, lost = (line["reply"] for line in lines if "reply" in line)
    error = json.loads(failed["body"])["error"]
    assert error["request_id"] == "JKJaXmPLvHcESHA=", "API Gateway's, as in its access log"
    assert failed["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="
    (line,) = [each for each in lines if each.get("message", "").startswith("gallery_unavailable")]
    assert line["correlation_id"] == "JKJaXmPLvHcESHA="
    assert (line["level"], line["name"], line["service"]) == (
        "ERROR",
        "lambdas.search.errors",
        "Shop",
    )
    told = metrics(lines)
    assert told["Failed", "code=gallery_unavailable", "service=Shop"] == [1]
    assert lost["statusCode"] == 404 and "not_found" not in str(told)


def test_a_photo_s_upload_is_named_by_embed_and_by_the_commit_which_tells_its_age(
    shop: Shop,
) -> None:
    (Path(shop.settings.catalog) / "new.png").write_bytes(png(9))
    upload = Trigger("C3D13FE58DE4C810", 1_754_000_000.0)
    message = s3_notification("ObjectCreated:Put", "new.png", "F" * 16, upload)
    before = {path.name for path in Path(shop.settings.artifacts, "segments").rglob("*.npz")}
    lines = run(shop, "embed", sqs_event([message]))
    (looked,) = [each for each in lines if "looked at" in each.get("message", "")]
    assert looked["correlation_id"] == "C3D13FE58DE4C810"
    (written,) = [each for each in lines if each.get("message", "").startswith("segment ")]
    assert written["correlation_id"] == "call-0", "a batch may have been set off by several"
    assert "C3D13FE58DE4C810" in written["message"]
    assert len(metrics(lines)["StageSeconds", "service=Shop", "stage=look"]) == 1
    (segment,) = [
        path
        for path in Path(shop.settings.artifacts, "segments").rglob("*.npz")
        if path.name not in before
    ]
    key = segment.relative_to(shop.settings.artifacts).as_posix()
    done = run(shop, "build_index", sqs_event([s3_notification("ObjectCreated:Put", key, "F1")]))
    (committed,) = [each for each in done if each.get("message", "").startswith("commit ")]
    assert "C3D13FE58DE4C810" in committed["message"]
    (age,) = metrics(done)["Freshness", "service=Shop"]
    assert age > 30 * 86_400


def test_figures_of_many_photos_are_all_told_and_quiet_calls_tell_nothing(shop: Shop) -> None:
    program = dedent("""
        from lens.measures import Measure, tell
        from lambdas.telemetry import observed
        @observed
        def handler(event, context):
            for value in range(event):
                tell(Measure.FRESHNESS, value)
        for events in (250, 0):
            handler(events, None)
    """)
    told = metrics(lines := run(shop, "none", program=program))
    assert sorted(told["Freshness", "service=Shop"]) == list(range(250))
    assert len(lines) == 3  # at most a hundred values in each
