"""A bucket in memory (moto), its conditional writes made atomic."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from moto.s3.responses import S3Response

BUCKET = "the-bucket"

# botocore parses its description of S3 anew for every client; the tests make many.
load_once = functools.cache(JSONFileLoader().load_file)


@contextmanager
def s3_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty bucket in memory that serves one request at a time.

    S3's conditional writes are atomic and moto's are not: it looks at the condition and stores
    the object in two steps, so of two racing writers both can win, and a read during a write
    can fail. One request at a time mends that and leaves our own code racing.
    """
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    answer, one_at_a_time = S3Response.key_response, threading.Lock()

    def answer_alone(*arguments: Any) -> Any:
        with one_at_a_time:
            return answer(*arguments)

    monkeypatch.setattr(S3Response, "key_response", answer_alone)
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda _, path: load_once(path))
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield
