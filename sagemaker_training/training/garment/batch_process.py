"""The batch process: makes things beside the training loop, a few ahead of it.

It is forked, so that it shares the photos in memory. What goes wrong there is raised in the loop;
when the loop is gone, however it ended, the process ends too.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import torch

from lens.errors import LensError

_AHEAD = 6
_PATIENCE = 5.0  # seconds until a process that does not end by itself is killed
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class _Failure:
    """What is sent in place of a thing that could not be made."""

    trace: str


@contextmanager
def made_ahead(make: Callable[[int], _Made], steps: Iterable[int]) -> Iterator[Iterator[_Made]]:
    """Give make(step) of each step, in order, made in a process that ends with the context.

    The iterator raises RuntimeError, with the process's own trace, for what `make` raises, and
    LensError when the process is killed.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(make, steps, receiver, sender), daemon=True)
    with warnings.catch_warnings():
        # Since Python 3.12 every fork beside threads warns. The child uses none of them: torch
        # runs there in one thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sender.close()  # so that the end of the process is the end of what it sends
    try:
        yield _received(process, receiver)
    finally:
        receiver.close()
        process.terminate()
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _received(process: BaseProcess, receiver: Connection) -> Iterator[Any]:
    while True:
        try:
            made = receiver.recv()
        except (EOFError, OSError):  # OSError: in the middle of one
            process.join()
            if process.exitcode == 0:
                return
            raise LensError(
                f"the process that makes the batches ended with status {process.exitcode} (is "
                "there enough memory?): the same command resumes the run"
            ) from None
        if isinstance(made, _Failure):
            raise RuntimeError(f"a batch could not be made:\n{made.trace}")
        yield made


def _work(
    make: Callable[[int], Any], steps: Iterable[int], receiver: Connection, sender: Connection
) -> None:
    # The loop's handlers came along with the fork: only the loop is asked to stop, and it ends
    # this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    receiver.close()  # so that the end of the loop is noticed
    torch.set_num_threads(1)
    made: queue.Queue[Any] = queue.Queue(_AHEAD)
    thread = threading.Thread(target=_send, args=(made, sender), daemon=True)
    thread.start()
    try:
        for step in steps:
            made.put(make(step))
    except Exception:
        made.put(_Failure(traceback.format_exc()))
    made.put(None)
    thread.join()


def _send(made: queue.Queue[Any], sender: Connection) -> None:
    try:
        while (each := made.get()) is not None:
            sender.send(each)
    except OSError:  # nobody receives any more
        os._exit(1)
