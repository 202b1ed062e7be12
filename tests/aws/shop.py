"""The shop: a deployed stack, used as its engineer and its shoppers use it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeVar

import httpx
import numpy as np
from PIL import Image

from tests.aws.deployment import STACK, Deployment
from tests.aws.probe import probe
from tests.aws.visitor import Visitor

T = TypeVar("T")


def garment(seed: int) -> bytes:
    """A JPEG of large colored fields, different for every seed."""
    fields = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(fields).resize((180, 240), Image.Resampling.NEAREST).save(out, "JPEG")
    return out.getvalue()


def eventually(look: Callable[[], T], seconds: float = 600) -> T:
    """The first true result; AssertionError with the last one when the time is over, which is for
    what hangs: a busy machine is no failure."""
    deadline = time.monotonic() + seconds
    while not (answer := look()):
        assert time.monotonic() < deadline, f"after {seconds} s still {answer}"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True)
class Shop:
    """`before`: the API's replies to a search and to /api/health before any photo was uploaded."""

    deployment: Deployment
    visitor: Visitor
    before: tuple[httpx.Response, dict[str, Any]]
    _clients: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, deployment: Deployment) -> Iterator[Shop]:
        """Open it, and record the API's replies before any photo was uploaded."""
        visitor = Visitor(deployment)
        try:
            before = (visitor.search(garment(0)), visitor.health())
            yield cls(deployment, visitor, before)
        finally:
            visitor.close()

    def aws(self, service: str) -> Any:
        """A client with the account's own permissions."""
        if service not in self._clients:
            self._clients[service] = self.deployment.emulator.client(service)
        return self._clients[service]

    def put(self, key: str, photo: bytes) -> None:
        """Upload a photo, as the shop's own tools do."""
        self.aws("s3").put_object(
            Bucket=self.catalog_bucket, Key=f"catalog/{key}", Body=photo, ContentType="image/jpeg"
        )

    def remove(self, key: str) -> None:
        """Delete a photo."""
        self.aws("s3").delete_object(Bucket=self.catalog_bucket, Key=f"catalog/{key}")

    def shows(self, photo: bytes, key: str) -> bool:
        """Whether the first hit of a search with this photo is the photo itself, under this key."""
        hits = self.visitor.hits(photo, top_k=1)
        return bool(hits) and hits[0]["key"] == key and hits[0]["similarity"] > 0.9999

    def photos(self) -> dict[str, bytes]:
        """All that lies in the catalog, by its key."""
        s3, bucket = self.aws("s3"), self.catalog_bucket
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="catalog/")
        return {
            each["Key"].removeprefix("catalog/"): s3.get_object(Bucket=bucket, Key=each["Key"])[
                "Body"
            ].read()
            for page in pages
            for each in page.get("Contents", [])
        }

    def found(self) -> set[str]:
        """The keys that can be found: the hundred nearest to one photo."""
        return {hit["key"] for hit in self.visitor.hits(garment(0), top_k=100)}

    def decide(self, job: str, *fates: str) -> None:
        """What becomes of the job's next attempts (inside/training_jobs.py)."""
        folder = self.deployment.emulator.log.parent / "fates"
        folder.mkdir(exist_ok=True)
        (folder / job).write_text("\n".join(fates))

    def training_log(self, job: str) -> str:
        """What the program wrote in all attempts, each begun by a line with its name."""
        folder = self.deployment.emulator.log.parent / "training-logs"
        logs = sorted(folder.glob(f"{job}-*.log"))
        return "".join(f"== {log.stem}\n{log.read_text()}" for log in logs)

    def invoke(self, function: str, event: Any = None) -> Any:
        """Invoke a function by the name of its output; its reply, or AssertionError."""
        reply = self.aws("lambda").invoke(
            FunctionName=self.deployment.outputs[f"{function}Function"],
            Payload=json.dumps(event if event is not None else {}),
        )
        answer = json.loads(reply["Payload"].read() or b"null")
        assert "FunctionError" not in reply, answer
        return answer

    def lens(self, *arguments: str, status: int = 0, seconds: float = 600) -> str:
        """Run the `lens` command against the stack; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "lambdas.local.cli", *arguments],
            cwd=self.deployment.folder,
            env={**self.deployment.environment, "LENS_STACK": STACK},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def probe(self, function: str, service: str, operation: str, **arguments: Any) -> str:
        """Call AWS with a function's role; the error's code, or "" if it succeeded."""
        name = self.deployment.outputs[f"{function}Function"]
        return probe(self.aws("lambda"), name, service, operation, **arguments)

    def simulate(self, role: str, prefix: str) -> Callable[[str, str], bool]:
        """A function that says whether a role may do an action on `prefix` + resource.

        `role` is a part of the role's logical name.
        """
        [name] = [
            each["PhysicalResourceId"]
            for each in self.deployment.resources()
            if each["ResourceType"] == "AWS::IAM::Role" and role in each["LogicalResourceId"]
        ]
        arn = self.aws("iam").get_role(RoleName=name)["Role"]["Arn"]

        def allowed(action: str, resource: str) -> bool:
            [result] = self.aws("iam").simulate_principal_policy(
                PolicySourceArn=arn, ActionNames=[action], ResourceArns=[prefix + resource]
            )["EvaluationResults"]
            return bool(result["EvalDecision"] == "allowed")

        return allowed

    def stranger(self, path: str) -> httpx.Response:
        """The reply that a client without credentials gets from a bucket."""
        return httpx.get(f"{self.deployment.emulator.address}{path}", trust_env=False)

    def versions(self, prefix: str) -> list[str]:
        """Every version of the catalog's objects under a prefix."""
        pages = (
            self.aws("s3")
            .get_paginator("list_object_versions")
            .paginate(Bucket=self.catalog_bucket, Prefix=prefix)
        )
        return [item["VersionId"] for page in pages for item in page.get("Versions", [])]

    def metrics(self, function: str, since: int) -> dict[str, Any]:
        """The newest metrics in a function's log since then (ms), or {}."""
        name = self.deployment.outputs[f"{function}Function"]
        settings = self.aws("lambda").get_function_configuration(FunctionName=name)
        events = self.aws("logs").filter_log_events(
            logGroupName=settings["LoggingConfig"]["LogGroup"], startTime=since
        )["events"]
        told = [e["message"] for e in events if '"_aws"' in e["message"]]
        return json.loads(told[-1]) if told else {}

    def depth(self, queue: str) -> int:
        """The number of messages waiting or in work, by the name of the queue's output."""
        attributes = self.aws("sqs").get_queue_attributes(
            QueueUrl=self.deployment.outputs[queue], AttributeNames=["All"]
        )["Attributes"]
        return sum(
            int(attributes[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible")
        )

    @property
    def catalog_bucket(self) -> str:
        """The bucket of photos and thumbnails."""
        return self.deployment.outputs["CatalogBucket"]
