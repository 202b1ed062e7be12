"""A baseline's files, fetched from S3 to this machine, as its function would when it starts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUCKET = "bench"
_WEIGHTS = {"torch": "weights.pt", "onnx": "baseline.onnx"}
_OTHERS = ("preprocessing.json", "gallery.index", "items.json")


@contextmanager
def fetched(side: str) -> Iterator[Path]:
    """A folder with what this side loads."""
    import boto3

    client = boto3.client("s3")
    with tempfile.TemporaryDirectory(prefix="lens-bench-") as folder:
        for name in (_WEIGHTS[side], *_OTHERS):
            client.download_file(BUCKET, name, str(Path(folder) / name))
        yield Path(folder)
