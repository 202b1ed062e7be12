"""The verdict: whether a trained model may replace the live one. Training writes it, promotion
reads it."""

from __future__ import annotations

from lens.storage import Storage
from lens.storage.documents import Document, read_document


class Verdict(Document):
    """What the gate found; Recall@1 as fractions, by one protocol on one split."""

    passed: bool
    reason: str
    model_id: str
    live: str | None  # None: there was none to beat
    protocol: str
    candidate_recall_at_1: float
    live_recall_at_1: float | None
    margin: float


def verdict_key(job: str) -> str:
    """Where a training job's verdict lies in the artifacts."""
    return f"training/{job}/verdict.json"


def read_verdict(storage: Storage, job: str) -> Verdict:
    """A job's verdict; NotFoundError when it left none."""
    return read_document(storage, verdict_key(job), Verdict)[0]
