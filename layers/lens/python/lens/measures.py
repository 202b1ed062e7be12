"""Measures: figures of the work that this process does, handed to whoever publishes them."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol

from lens.traces import span


class Measure(StrEnum):
    """What is measured, by the name that CloudWatch has it under, and what its label is."""

    STAGE_SECONDS = "StageSeconds"  # of a stage
    FRESHNESS = "Freshness"  # seconds from an upload to when it can be found; no label
    MATCHES = "Matches"  # searches that were answered with a word
    FAILED = "Failed"  # error replies of a code, from status 500 on


class Publisher(Protocol):
    """Publishes figures somewhere; called from any thread."""

    def tell(self, measure: Measure, value: float, label: str) -> None:
        """A figure."""


# Weak, because a publisher lives as long as the server that it belongs to.
_publishers: weakref.WeakSet[Publisher] = weakref.WeakSet()


def publish_with(publisher: Publisher) -> None:
    """From now on, tell this one too, for as long as somebody holds it."""
    _publishers.add(publisher)


def tell(measure: Measure, value: float, label: str = "") -> None:
    """Tell all publishers of a figure."""
    for publisher in list(_publishers):
        publisher.tell(measure, value, label)


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Tell how long the block took, as a figure and as a span. What fails has no time: failures
    have measures of their own."""
    began = time.perf_counter()
    with span(stage):
        yield
    tell(Measure.STAGE_SECONDS, time.perf_counter() - began, stage)
