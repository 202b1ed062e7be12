"""The S3 server: moto on loopback with empty buckets, in a Python environment of its own."""

from __future__ import annotations

import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import boto3

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


@contextmanager
def s3_server(work: Path, *buckets: str) -> Iterator[dict[str, str]]:
    """The environment variables for clients; moto is installed under `work` the first time."""
    python = work / "moto" / "bin" / "python"
    if not python.exists():
        venv.create(work / "moto", with_pip=True)
        install = ("pip", "install", "--quiet", f"--constraint={CONSTRAINTS}", "moto[server,s3]")
        subprocess.run([str(python), "-m", *install], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (work / "moto.log").open("wb") as log:
        command = [str(python), "-m", "moto.server", "-H127.0.0.1", f"-p{port}"]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        wait_for(endpoint)
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        for bucket in buckets:
            client.create_bucket(Bucket=bucket)
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str) -> bytes:
    """The reply at an address of a server that is just starting."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(address, timeout=5) as reply:
                body: bytes = reply.read()
                return body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
