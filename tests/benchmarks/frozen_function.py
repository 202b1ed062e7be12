"""What a large gallery costs a search function that is stopped between its requests, as on Lambda.

    python -m tests.benchmarks.frozen_function [--rows 300000] [--pauses 1 61] [--photos PLACE]

The handler runs in a process that is stopped (SIGSTOP) as soon as it has answered, and goes on with
the next request; what it had open is broken off meanwhile. Its storage is the S3 stand-in, whose
connections give 75 MB/s together. Measured is its time while it runs: from its start to its first
answer, and, after a photo was added and after the gallery was folded anew, each request until one
is answered from that commit. PLACE is a catalog or a .npz, see `synthetic_gallery.real_photos`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lens.default_model.shipped import write_shipped
from lens.gallery.commits import advance_head, read_head
from lens.gallery.current import Current, swap_current
from lens.gallery.segments import write_segment
from lens.gallery.snapshots import write_snapshot
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import fold
from lens.storage import FileStorage
from tests.benchmarks.answer import search_event
from tests.benchmarks.cold_start import draw_photo
from tests.benchmarks.figures import markdown
from tests.benchmarks.s3_folder import break_off, s3_folder
from tests.benchmarks.synthetic_gallery import Photos, real_photos, synthetic_photos
from tests.benchmarks.written_galleries import segment_of

RATE = 75e6  # bytes a second, of a Lambda function
LATENCY = 0.02  # seconds before a reply's first byte
MOST = 12  # requests after a commit, before it counts as never served
_ROOT = Path(__file__).parents[2]
# What Lambda's runtime does: import the handler, then hand it one event after the other.
_FUNCTION = """
import json, sys, time
from lambdas.search.function import handler
print(json.dumps({"initialized": True}), flush=True)
for line in sys.stdin:
    began, used = time.monotonic(), time.process_time()
    reply = handler(json.loads(line), None)
    took = time.monotonic() - began, time.process_time() - used
    body = json.loads(reply["body"])
    told = {"status": reply["statusCode"], "commit": body.get("commit"), "took": took}
    print(json.dumps(told | {"hits": len(body.get("hits", []))}), flush=True)
"""


@dataclass(frozen=True)
class Start:
    """From the process's start: until it could take a request, and until it had answered one."""

    initialized: float
    answered: float
    read: int  # bytes


@dataclass(frozen=True)
class Refresh:
    """The requests after a commit, up to the first that was answered from it."""

    seconds: tuple[float, ...]  # each one's, while the process ran
    served: bool  # else: not one of MOST
    read: int


class Function:
    """The search function in a process of its own, stopped except while it answers."""

    def __init__(self, environment: dict[str, str], pause: float) -> None:
        self._storage, self._pause, self._asked = environment, pause, 0
        break_off(environment)
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FUNCTION],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **environment},
        )
        self._read_line()
        initialized = time.monotonic() - began
        self._send()
        self._answer()
        answered = time.monotonic() - began
        self._process.send_signal(signal.SIGSTOP)
        self.start = Start(initialized, answered, break_off(environment))

    def ask(self) -> tuple[float, int]:
        """Thaw, ask, and stop again: the seconds that took, and the commit that answered."""
        time.sleep(self._pause)
        self._send()
        began = time.monotonic()
        self._process.send_signal(signal.SIGCONT)
        commit = self._answer()
        seconds = time.monotonic() - began
        self._process.send_signal(signal.SIGSTOP)
        return seconds, commit

    def ask_until(self, commit: int) -> Refresh:
        """Ask until this commit answers."""
        break_off(self._storage)
        seconds: list[float] = []
        read, served = 0, False
        while not served and len(seconds) < MOST:
            took, found = self.ask()
            read += break_off(self._storage)
            seconds.append(took)
            served = found == commit
        return Refresh(tuple(seconds), served, read)

    def end(self) -> None:
        """End it, stopped as it is."""
        self._process.kill()
        self._process.communicate()

    def _send(self) -> None:
        assert self._process.stdin is not None
        # A photo of its own each time, so that no cache answers.
        event = search_event(draw_photo(540, 720, seed=self._asked))
        self._asked += 1
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> int:
        told = self._read_line()
        if told["status"] != 200 or not told["hits"]:
            raise RuntimeError(f"the function answered {told}")
        return int(told["commit"])

    def _read_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.startswith("{") and ("initialized" in line or '"took"' in line):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError("the function ended")


@contextmanager
def started(environment: dict[str, str], pause: float) -> Iterator[Function]:
    """A function, ended afterwards."""
    function = Function(environment, pause)
    try:
        yield function
    finally:
        function.end()


def write_artifacts(folder: Path, photos: Photos) -> str:
    """The default model, live over these photos in one snapshot; its id."""
    storage = FileStorage(folder)
    model_id = write_shipped(storage).model_id
    swap_current(storage, lambda _: Current(live=model_id))
    content = segment_of(photos)
    ref = write_snapshot(storage, model_id, content, parent=None, folded=(), expired_tombstones=0)
    advance_head(storage, model_id, lambda h: h.model_copy(update={"snapshot": ref}), now=1.0)
    return model_id


def add_photo(folder: Path, model_id: str, photos: Photos, number: int) -> int:
    """One more photo, in a segment of its own; the commit's number."""
    storage = FileStorage(folder)
    one = segment_of(photos.take(np.array([0])), first=10**7 + number)
    segment_id = write_segment(storage, model_id, one)
    commit_segments(storage, model_id, [segment_id], now=time.time())
    return read_head(storage, model_id).number


def fold_anew(folder: Path, model_id: str) -> int:
    """A snapshot that no searcher can do without, as after deletions; the commit's number."""
    storage = FileStorage(folder)
    head = read_head(storage, model_id)
    if not fold(storage, head, now=time.time(), forget=True):
        raise RuntimeError("it was not folded")
    return read_head(storage, model_id).number


def measure(
    folder: Path, model_id: str, photos: Photos, pause: float, number: int
) -> tuple[Start, list[float], Refresh, Refresh]:
    """One function's life: its start, requests with nothing new, after a photo, after a fold."""
    with s3_folder(folder, latency=LATENCY, shared_rate=RATE) as storage:
        places = {"LENS_CATALOG": "s3://artifacts/catalog", "LENS_ARTIFACTS": "s3://artifacts"}
        with started(storage | places, pause) as function:
            idle = [function.ask()[0] for _ in range(3)]
            added = function.ask_until(add_photo(folder, model_id, photos, number))
            folded = function.ask_until(fold_anew(folder, model_id))
    return function.start, idle, added, folded


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of what was measured."""
    parser = argparse.ArgumentParser(description="Time a function that is stopped after answers.")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--pauses", type=float, nargs="+", default=[1.0], metavar="SECONDS")
    parser.add_argument("--photos")
    options = parser.parse_args(arguments)
    photos = synthetic_photos(real_photos(options.photos), options.rows)
    lines = []
    with tempfile.TemporaryDirectory() as work:
        model_id = write_artifacts(Path(work), photos)
        for number, pause in enumerate(options.pauses):
            found = measure(Path(work), model_id, photos, pause, number)
            lines.append((f"{options.rows:,}", f"{pause:g}", *cells(*found)))
    print(markdown(HEADER, lines))


HEADER = (
    *("rows", "stopped, s", "initialized, s", "first answer, s", "read, MB", "nothing new, s"),
    *("a photo more: each request, s", "read, MB", "folded anew: each request, s", "read, MB"),
)


def cells(start: Start, idle: Sequence[float], added: Refresh, folded: Refresh) -> list[str]:
    """A line of the table."""
    return [
        *(f"{start.initialized:.2f}", f"{start.answered:.2f}", f"{start.read / 1e6:.0f}"),
        f"{min(idle):.2f}-{max(idle):.2f}",
        *(told(added), f"{added.read / 1e6:.1f}"),
        *(told(folded), f"{folded.read / 1e6:.0f}"),
    ]


def told(refresh: Refresh) -> str:
    """Each request's seconds, and their sum."""
    each = ", ".join(f"{one:.2f}" for one in refresh.seconds)
    total = f"{sum(refresh.seconds):.1f} in all"
    return f"{each} ({total})" if refresh.served else f"never: {each} ({total})"


if __name__ == "__main__":
    main()
