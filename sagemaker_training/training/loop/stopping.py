"""Stopping: whether this process was asked to end, so that a run can write a checkpoint first."""

from __future__ import annotations

import signal
from collections.abc import Callable


def on_signals() -> Callable[[], bool]:
    """Return a function that tells whether this process has received SIGTERM or SIGINT.

    A spot instance receives SIGTERM two minutes before it is taken away.
    """
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: received.append(which))
    return lambda: bool(received)
