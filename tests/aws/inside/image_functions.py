"""The image functions: instances of the real awslambdaric, each behind a Runtime API."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.aws.inside.image import Image
from tests.aws.inside.runtime_api import Invocation, Outcome, RuntimeApi

log = logging.getLogger(__name__)

# For a start that hangs. Lambda's limit is 10 s, and it repeats a slower one within the invocation.
_START_SECONDS = 120
_GIVEN = ("PATH", "HOME", "LANG", "TMPDIR")  # of this machine; no other variable is passed on


class ImageFunctions:
    """Keeps instances warm; replaces one that was changed, failed to start or timed out."""

    def __init__(self, image: Image, python: str) -> None:
        self._image = image
        self._python = python
        self._folder = Path(tempfile.mkdtemp(prefix="image-"))
        image.unpack(self._folder)
        self._idle: dict[str, list[_Instance]] = defaultdict(list)
        self._lock = threading.Lock()

    def invoke(
        self, config: dict[str, Any], credentials: Mapping[str, str], event: Any, request_id: str
    ) -> dict[str, Any]:
        """The reply in the form of MiniStack's executors: body, error, log."""
        arn, timeout = config["FunctionArn"], int(config.get("Timeout") or 3)
        instance = self._take(config, credentials)
        started = time.monotonic()
        outcome = instance.started()
        if outcome is None:
            deadline = int((time.time() + timeout) * 1000)
            event_bytes = json.dumps(event).encode()
            outcome = instance.answer(Invocation(request_id, event_bytes, deadline, arn), timeout)
        if outcome is None:
            body = {
                "errorType": "Sandbox.Timedout",
                "errorMessage": f"RequestId: {request_id} Error: Task timed out after "
                f"{timeout:.2f} seconds",
            }
            outcome = Outcome(None, body, failed=True)
        lines = instance.log()
        if outcome.request_id is None:
            instance.end()
        else:
            with self._lock:
                self._idle[instance.key].append(instance)
        log.info("%s: %.0f ms", config["FunctionName"], (time.monotonic() - started) * 1000)
        return {"body": outcome.body, "error": outcome.failed, "log": lines}

    def end(self) -> None:
        """Kill every idle instance, and delete the image's files."""
        with self._lock:
            for instances in self._idle.values():
                while instances:
                    instances.pop().end()
        shutil.rmtree(self._folder)

    def _take(self, config: dict[str, Any], credentials: Mapping[str, str]) -> _Instance:
        own = config.get("ImageConfigResponse", {}).get("ImageConfig", {}).get("Command")
        [command] = own or [self._image.command]
        environment = self._environment(config, credentials, command)
        text = json.dumps([config["FunctionArn"], environment], sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()
        with self._lock:
            if self._idle[key]:
                return self._idle[key].pop()
        return _Instance(key, self._python, self._folder, environment, command)

    def _environment(
        self, config: dict[str, Any], credentials: Mapping[str, str], handler: str
    ) -> dict[str, str]:
        """Lambda's variables, those of the function's configuration, and the emulator's address."""
        region = config["FunctionArn"].split(":")[3]
        here = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        return {
            **{name: os.environ[name] for name in _GIVEN if name in os.environ},
            **(config.get("Environment") or {}).get("Variables", {}),
            **credentials,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": here,
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_LOG_FORMAT": (config.get("LoggingConfig") or {}).get("LogFormat", "Text"),
            "LAMBDA_TASK_ROOT": str(self._folder),
            "_HANDLER": handler,
        }


class _Instance:
    """One process that runs the handler, and the API that gives it events."""

    def __init__(
        self, key: str, python: str, folder: Path, environment: dict[str, str], handler: str
    ) -> None:
        self.key = key
        self._begun = time.monotonic()
        self._cold = True
        self._read_to = 0
        self._api = RuntimeApi()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self._process = subprocess.Popen(
            [python, "-m", "awslambdaric", handler],
            cwd=folder,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def started(self) -> Outcome | None:
        """Wait until it asks for events, then None; otherwise the reason why it does not."""
        while not self._api.waiting.wait(0.005):
            if early := self._api.outcome(0):
                return early
            if self._process.poll() is not None:
                reason = f"exit status {self._process.returncode}"
                return Outcome(None, _error("Runtime.ExitError", reason), failed=True)
            if time.monotonic() - self._begun > _START_SECONDS:
                return Outcome(None, _error("Sandbox.Timedout", "did not start"), failed=True)
        if self._cold:
            self._cold = False
            log.info("%s: cold start %.0f ms", self._name, (time.monotonic() - self._begun) * 1000)
        return None

    def answer(self, invocation: Invocation, timeout: float) -> Outcome | None:
        """The handler's reply, or None when it took too long or died."""
        self._api.send(invocation)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if outcome := self._api.outcome(min(left, 0.5)):
                return outcome
            if self._process.poll() is not None:
                reason = f"exit status {self._process.returncode}"
                return Outcome(None, _error("Runtime.ExitError", reason), failed=True)
        return None

    def log(self) -> str:
        """The lines written since the last call."""
        read = os.pread(self._log.fileno(), 1 << 20, self._read_to)
        self._read_to += len(read)
        return read.decode(errors="replace")

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._api.close()
        self._log.close()


def _error(kind: str, message: str) -> dict[str, str]:
    return {"errorType": kind, "errorMessage": message}
