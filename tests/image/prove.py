"""The proof of the image: builds lambdas/Dockerfile, and invokes both of its functions.

    python -m tests.image.prove [FOLDER]

For a machine without Docker and without an image registry; run it as root. buildah builds the
Dockerfile on a Debian base that replaces AWS's. The image then runs in a chroot as an unprivileged
user, as on Lambda, with the real awslambdaric, against a Runtime API and an S3 (moto) on loopback.
FOLDER (build/image-proof) keeps the base, so that only the first run builds it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from layers.check import check_binaries, check_tags
from layers.target import Target
from lens.gallery.current import Current, swap_current
from lens.pipeline.commit import commit_segments, uncommitted_segments
from lens.storage import open_storage
from tests.aws.inside.runtime_api import Invocation, RuntimeApi
from tests.image.builder import IMAGE, ROOT, Builder
from tests.image.s3_server import s3_server, wait_for
from tests.lambdas.test_search_function import event, search_event
from tests.support.tiny_model import png, write_tiny_model

EMBED = "lambdas.embed.function.handler"
CATALOG, ARTIFACTS = "s3://shop-catalog/catalog", "s3://shop-artifacts"
_DEADLINE_SECONDS = 60
_IMPORT = "import time; t = time.time(); import {}; print(round(time.time() - t, 2))"


def prove(work: Path) -> None:
    """Build, measure and invoke; prints one line per finding, raises at the first failure."""
    builder = Builder(work)
    started = time.monotonic()
    builder.build_base()
    print(f"base: Debian trixie with awslambdaric, {time.monotonic() - started:.0f} s", flush=True)
    started = time.monotonic()
    builder.build_image()
    print(f"image: lambdas/Dockerfile built by buildah, {time.monotonic() - started:.0f} s")
    container = builder.container()
    try:
        prove_container(builder, container)
    finally:
        builder.call("rm", "--all")  # this storage has only the containers made here
        builder.call("rmi", "--prune")


def prove_container(builder: Builder, container: str) -> None:
    """Check the image's wheels, size, import times and replies."""
    measure(builder, container)
    with s3_server(builder.work, "shop-catalog", "shop-artifacts") as clients:
        environment = {
            **clients,
            "LENS_CATALOG": CATALOG,
            "LENS_ARTIFACTS": ARTIFACTS,
            "LENS_THUMBS": ARTIFACTS,
        }
        os.environ.update(clients)
        for module in ("lambdas.search.function", "lambdas.embed.function"):
            command = ["python", "-c", _IMPORT.format(module)]
            seconds = [builder.run(container, command, environment) for _ in range(3)]
            print(f"import: {module} in {', '.join(seconds)} s")
        invoke_both(builder, container, environment)
        serve(builder, container, environment)


def measure(builder: Builder, container: str) -> None:
    """Check that the task root's wheels fit Amazon Linux 2023, and print its size."""
    task = Path(builder.call("mount", container)) / "var" / "task"
    target = Target("3.13", os.uname().machine.replace("aarch64", "arm64"))
    wheels, binaries = check_tags(target, task), check_binaries(target, task)
    print(f"wheels: all {wheels}, and {binaries} binaries, fit glibc 2.28 and {target.name}")
    size = sum(path.stat().st_size for path in task.rglob("*") if path.is_file())
    packed = subprocess.run(["tar", "-cz", "-C", task, "."], capture_output=True, check=True).stdout
    print(f"size: {size / 2**20:.0f} MiB over its base, {len(packed) / 2**20:.0f} MiB compressed")
    builder.call("umount", container)


def invoke_both(builder: Builder, container: str, environment: dict[str, str]) -> None:
    """Search an empty gallery, embed and commit a photo, and find that photo."""
    with function(builder, container, environment) as search:
        health = answered(search(event("GET", "/api/health")))
        assert health["status"] == "empty", health
        assert answered(search(search_event(png(1))))["hits"] == []
        print("search, empty gallery: health says empty, search-image answers 200 with no hits")
    artifacts = open_storage(ARTIFACTS)
    model_id = write_tiny_model(artifacts).model_id
    swap_current(artifacts, lambda _: Current(live=model_id))
    open_storage(CATALOG).write("dresses/id_1/front.png", png(1))
    with function(builder, container, environment, EMBED) as embed:
        reply = embed(created("catalog/dresses/id_1/front.png"))
        assert reply == {"batchItemFailures": []}, reply
    (thumbnail,) = artifacts.list("thumbs/")
    assert thumbnail.size > 0
    segments = uncommitted_segments(artifacts, model_id)
    assert len(segments) == 1, segments
    print("embed: an SQS event became a segment and a thumbnail")
    commit_segments(artifacts, model_id, segments, now=time.time())
    with function(builder, container, environment) as search:
        assert answered(search(event("GET", "/api/health")))["status"] == "ok"
        started = time.monotonic()
        hits = answered(search(search_event(png(1))))["hits"]
        assert [hit["key"] for hit in hits] == ["dresses/id_1/front.png"], hits
        milliseconds = (time.monotonic() - started) * 1000
        print(f"search: finds that photo, {milliseconds:.0f} ms the first time (a tiny model)")


@contextmanager
def function(
    builder: Builder, container: str, environment: dict[str, str], handler: str | None = None
) -> Iterator[Callable[[Any], Any]]:
    """The image's entry point, running its own command or another handler, as a callable."""
    configuration = builder.configuration()
    command = [*configuration["Entrypoint"], *([handler] if handler else configuration["Cmd"])]
    with closing(RuntimeApi()) as api:
        environment = {**environment, "AWS_LAMBDA_RUNTIME_API": api.address}
        started = time.monotonic()
        with builder.running(container, command, environment):
            assert api.waiting.wait(30), "the function never asked for an event"
            print(f"start: {command[-1]} asks for events after {time.monotonic() - started:.1f} s")
            yield partial(invoke, api)


def invoke(api: RuntimeApi, given: Any) -> Any:
    """A function's reply; AssertionError with the function's error when it failed."""
    deadline = int((time.time() + _DEADLINE_SECONDS) * 1_000)
    function_arn = "arn:aws:lambda:us-east-1:123456789012:function:proof"
    api.send(Invocation(str(uuid.uuid4()), json.dumps(given).encode(), deadline, function_arn))
    outcome = api.outcome(_DEADLINE_SECONDS)
    assert outcome is not None, "the function did not answer"
    assert not outcome.failed, outcome.body
    return outcome.body


def serve(builder: Builder, container: str, environment: dict[str, str]) -> None:
    """Serve the same app over HTTP, as a comment in lambdas/Dockerfile describes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = ("uvicorn", "lambdas.search.function:handler.app", "--host=127.0.0.1", f"--port={port}")
    with builder.running(container, ["python", "-m", *app], environment):
        health = json.loads(wait_for(f"http://127.0.0.1:{port}/api/health"))
    assert health["gallery"]["photos"] == 1, health
    print("search over HTTP: uvicorn in the image serves that gallery")


def answered(reply: dict[str, Any]) -> dict[str, Any]:
    """The JSON body of a reply with status 200."""
    assert reply["statusCode"] == 200, reply
    body: dict[str, Any] = json.loads(reply["body"])
    return body


def created(key: str) -> dict[str, Any]:
    """The event that Lambda gets from SQS after S3's notification of a new object."""
    notification = {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": {"name": "shop-catalog", "arn": "arn:aws:s3:::shop-catalog"},
                    "object": {"key": key, "size": 1024, "sequencer": "0055AED6DCD90281E5"},
                },
            }
        ]
    }
    message = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(notification),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:embed",
        "awsRegion": "us-east-1",
    }
    return {"Records": [message]}


if __name__ == "__main__":
    if os.geteuid() or not (shutil.which("buildah") and shutil.which("debootstrap")):
        print(
            f"{IMAGE} is proven by root, with: apt-get install buildah debootstrap",
            file=sys.stderr,
        )
        sys.exit(1)
    prove(Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "image-proof").resolve())
