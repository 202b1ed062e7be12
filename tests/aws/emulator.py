"""The emulator: MiniStack as a process on loopback, and clients for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.aws.interpreters import Interpreters
from tests.aws.turns import ROOT

REGION = "us-east-1"
ACCOUNT = "000000000000"
# This machine's AWS account and certificates must not be used, neither here nor by a function.
_REMOVED = ("AWS_", "LENS_", "CDK_", "SSL_CERT_", "NODE_EXTRA_CA_CERTS", "PYTHONPATH")


class EmulatorError(Exception):
    """The emulator did not start."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator; `log` is its file."""

    address: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment with which a process uses the emulator as AWS."""
        return {
            **clean_environment(),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ENDPOINT_URL_S3": self.address,
        }

    def client(self, service: str) -> Any:
        """A boto3 client with the account's own permissions."""
        return boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
        ).client(service, endpoint_url=self.address)  # type: ignore[call-overload]


def clean_environment() -> dict[str, str]:
    """This process's environment without AWS account, settings and certificates."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED)}
    return {
        **kept,
        # Prefer the Node of this Python environment, where it is a package.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def emulator(python: Interpreters, folder: Path, *, auth: bool = False) -> Iterator[Emulator]:
    """Run MiniStack with its state in `folder`; with `auth` it enforces IAM.

    It ends when the pipe to its standard input closes (tests/aws/inside), so no process is left,
    even if this process is killed.
    """
    folder.mkdir(parents=True)
    port = _free_port()
    log = folder / "emulator.log"
    environment = {
        **clean_environment(),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true" if auth else "false",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "TMPDIR": str(folder),
        # CDK's helper functions find the AWS SDK here; on Lambda it is preinstalled.
        "NODE_PATH": str(ROOT / "node_modules"),
    }
    with log.open("wb") as sink:
        process = subprocess.Popen(
            # Training jobs run on this Python, which has torch: AWS's container for them has too.
            [
                python.emulator,
                "-m",
                "tests.aws.inside",
                str(ROOT),
                str(python.image),
                sys.executable,
            ],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert process.stdin is not None
    try:
        running = Emulator(f"http://127.0.0.1:{port}", log)
        _wait(running, process)
        yield running
    finally:
        process.stdin.close()
        process.wait(300)
        for left in folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)


def _wait(running: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{running.address}/_ministack/health", timeout=5),
        ):
            return
        time.sleep(0.05)
    last = running.log.read_text(errors="replace").strip().splitlines()[-1:]
    raise EmulatorError(f"MiniStack did not start: {''.join(last)}; its log is {running.log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
