"""A deployment in memory: bucket and queues (moto), and the functions' own entry points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lens.pipeline.events import s3_notification, sqs_event
from lens.pipeline.queues import Queue
from lens.storage import FileStorage, Storage, open_storage
from tests.support.s3_bucket import BUCKET
from tests.support.sqs_queues import bodies, make_queue
from tests.support.tiny_model import write_tiny_model

Function = Callable[..., dict[str, Any]]


class Deployed:
    """What `cdk deploy` makes, as far as the functions see it; events are carried by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
        self.catalog: Storage = open_storage(f"s3://{BUCKET}/catalog")
        self.artifacts: Storage = open_storage(f"s3://{BUCKET}/artifacts")
        self.thumbs: Storage = open_storage(f"s3://{BUCKET}")
        self.looks: Queue = make_queue(monkeypatch)
        write_tiny_model(FileStorage(model))
        self._environment = {
            "LENS_CATALOG": self.catalog.location,
            "LENS_ARTIFACTS": self.artifacts.location,
            "LENS_THUMBS": self.thumbs.location,
            "LENS_EMBED_QUEUE": self.looks.url,
            "LENS_MODEL_FOLDER": str(model),
            "POWERTOOLS_SERVICE_NAME": "ImageLens",
        }
        self._sequencer = 0

    def deploy(self, model: Path) -> None:
        """Deploy again, with another default model."""
        self._environment["LENS_MODEL_FOLDER"] = str(model)

    def set(self, variable: str, value: str) -> None:
        """Deploy again, with this variable set."""
        self._environment[variable] = value

    def function(self, name: str) -> Function:
        """A function as it starts now."""
        module = f"lambdas.{name}.function"
        sys.modules.pop(module, None)
        with self._variables():
            handler: Function = importlib.import_module(module).handler

        def call(*given: Any) -> Any:
            with self._variables():
                return handler(*given)

        return call

    @contextmanager
    def _variables(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as environment:
            for variable, value in self._environment.items():
                environment.setenv(variable, value)
            yield

    def put(self, key: str, data: bytes) -> str:
        """Upload a photo; the event that S3 sends of it."""
        self.catalog.write(key, data)
        return self.event("ObjectCreated:Put", f"catalog/{key}")

    def remove(self, key: str) -> str:
        """Delete a photo; the event that S3 sends of it."""
        self.catalog.delete(key)
        return self.event("ObjectRemoved:DeleteMarkerCreated", f"catalog/{key}")

    def event(self, name: str, key: str) -> str:
        """An event of the bucket, later than all before."""
        self._sequencer += 1
        return s3_notification(name, key, f"{self._sequencer:016X}")

    def events_of(self, prefix: str) -> list[str]:
        """An event of every artifact under a prefix, as if each had been written just now."""
        keys = [info.key for info in self.artifacts.list(prefix)]
        return [self.event("ObjectCreated:Put", f"artifacts/{key}") for key in keys]

    def settle(self, *messages: str) -> None:
        """Let these and all queued looks go through embed and build_index."""
        asked = [*messages, *bodies(self.looks)]
        assert self.function("embed")(sqs_event(asked)) == NO_FAILURES
        events = self.events_of("segments/")
        assert self.function("build_index")(sqs_event(events)) == NO_FAILURES


NO_FAILURES: dict[str, Any] = {"batchItemFailures": []}
