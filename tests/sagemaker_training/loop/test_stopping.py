"""Stopping: a signal is noted, and nothing else happens."""

from __future__ import annotations

import os
import signal

import pytest

from training.loop.stopping import on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_the_process_goes_on(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        stopping = on_signals()
        assert not stopping()
        os.kill(os.getpid(), number)
        assert stopping() and stopping()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
