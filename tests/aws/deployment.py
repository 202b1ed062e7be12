"""The deployment: runs the project's CDK commands against the emulator and keeps the outputs."""

from __future__ import annotations

import json
import mimetypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.aws.emulator import ACCOUNT, REGION, Emulator
from tests.aws.turns import HOME, ROOT, turn

STACK = "ImageLens"
CDK = ROOT / "node_modules/aws-cdk/bin/cdk"
# An image name that is not pulled: the emulator runs the image functions itself (inside/).
_LOCAL = {"image": "image-lens:emulator", "site": "false", "architecture": "x86_64"}


@dataclass
class Deployment:
    """The stack `ImageLens`; `outputs` are set by `deploy`, `seconds` are the times by command."""

    emulator: Emulator
    folder: Path
    context: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for this checkout's programs to use the emulator."""
        return {
            **self.emulator.environment,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/lens/python'}",
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22",
        }

    def cdk(
        self, command: str, *arguments: str, **context: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the CDK command; its exit status says whether it succeeded."""
        given = {**_LOCAL, **self.context, "emulator": self.emulator.address, **context}
        return self._cdk(
            *(command, *arguments),
            *("--app", f"{sys.executable} -m tests.aws.turns", "--build", "true"),
            *("--output", str(self.folder / "cdk.out")),
            *(text for name, value in given.items() for text in ("-c", f"{name}={value}")),
            folder=ROOT,
        )

    def _cdk(self, command: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        started = time.monotonic()
        done = subprocess.run(
            ["node", str(CDK), command, *arguments, "--ci"],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1_800,  # for what hangs: a busy machine is no failure
            check=False,
        )
        self.seconds[command] = time.monotonic() - started
        return done

    def bundle(self) -> None:
        """Write the training program's bundle, as `make assets` does."""
        _run("sagemaker_training/bundle.py", self.context["training_bundle"])

    def bootstrap(self) -> None:
        """Prepare the account for CDK, where no app is: it would be synthesized for nothing."""
        self._check(self._cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=self.folder))

    def deploy(self) -> None:
        """Deploy, and upload the page: CDK's function for that needs the AWS CLI, as a layer."""
        told = self.folder / "outputs.json"
        self._must("deploy", "--require-approval", "never", "--outputs-file", str(told))
        self.outputs = json.loads(told.read_text())[STACK]
        s3 = self.emulator.client("s3")
        page = ROOT / "frontend"
        for path in filter(Path.is_file, page.rglob("*")):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            s3.put_object(
                Bucket=self.outputs["SiteBucket"],
                Key=path.relative_to(page).as_posix(),
                Body=path.read_bytes(),
                ContentType=kind,
                CacheControl="no-cache",
            )

    def destroy(self) -> None:
        """Destroy the stack."""
        self._must("destroy", "--force")

    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources, as CloudFormation lists them."""
        pages = self.emulator.client("cloudformation").get_paginator("list_stack_resources")
        return [
            each
            for page in pages.paginate(StackName=STACK)
            for each in page["StackResourceSummaries"]
        ]

    def _must(self, command: str, *arguments: str) -> None:
        self._check(self.cdk(command, *arguments))

    def _check(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode:
            log = self.emulator.log.read_text(errors="replace")
            errors = [line for line in log.splitlines() if " ERROR " in line]
            raise AssertionError("\n".join([done.stdout[-4_000:], *errors[-10:]]))


def make_assets(python_version: str) -> None:
    """Build what all deployments of a run pack, as `make assets` does; the first worker does it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    done = HOME / "assets.run"
    # All layers, whichever way a stack is packed.
    chosen = ("packaging=zip", "architecture=x86_64", f"python_version={python_version}")
    with turn("assets"):
        if done.is_file() and done.read_text() == run:
            return
        _run("-m", "layers.build", *(text for each in chosen for text in ("-c", each)))
        _run("-m", "lambdas.setup.bundle", "build/model")
        done.write_text(run)


def _run(*command: str) -> None:
    paths = f"{ROOT}:{ROOT / 'layers/lens/python'}"
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
