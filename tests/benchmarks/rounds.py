"""What a reconciliation in parts takes: `python -m tests.benchmarks.rounds --rows 1000000`.

The real handler, with a listing that is made up and a gallery in a folder that knows all but a few
of its photos. A page's seconds are told and not waited for; CPU, memory and bytes are real.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lambdas.reconcile.handler import ReconcileHandler
from lens.gallery.commits import read_head
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import Look, Version
from lens.photos.catalog import Catalog
from lens.pipeline.commit import commit_segments
from lens.pipeline.queues import Depth
from lens.storage import FileStorage, ObjectInfo
from tests.support.small_galleries import MODEL, make_live

PAGE = 1_000
SECONDS = 900.0
DIM = 8


def key(number: int) -> str:
    """Four photos are a product, and a thousand products a category."""
    return f"kind-{number // 4_000:05}/SKU{number // 4:08}/photo-{number % 4}.jpg"


def fill(folder: Path, rows: int) -> None:
    """A gallery that knows all but every ten thousandth photo, and ten that are gone."""
    artifacts = FileStorage(folder)
    make_live(artifacts)
    now = time.time() - 3_600
    for start in range(0, rows, 100_000):
        found = [
            Row(
                key(number) if number % 100_000 else f"gone/{number}.jpg",
                Version("05"),
                Kind.PHOTO,
                now,
                f"{number:032x}",
                f"{number:032x}",
                key(number).rpartition("/")[0],
                key(number).partition("/")[0],
            )
            for number in range(start, min(start + 100_000, rows))
            if number % 10_000 != 1
        ]
        vectors = np.ones((len(found), DIM), np.float32) / np.sqrt(DIM, dtype=np.float32)
        name = write_segment(artifacts, MODEL, Segment(Rows.of(found), vectors))
        commit_segments(artifacts, MODEL, [name], now=now)


class Bucket(Catalog):
    """A listing that is made up, and takes its time."""

    def __init__(self, call: Call, rows: int) -> None:
        super().__init__(FileStorage(Path("/nowhere")))
        self._call, self._rows = call, rows

    def files_after(self, key_: str) -> Iterator[ObjectInfo]:
        begin = 0
        if key_:
            _, product, photo = key_.split("/")
            begin = int(product[3:]) * 4 + int(photo[6]) + 1
        for number in range(begin, self._rows):
            if number % PAGE == 0 or number == begin:
                self._call.listed += self._call.page_seconds
            yield ObjectInfo(key(number), f"{number:032x}", 100_000, 1.7e9)


class Call:
    """One call's time: what it has computed, and what it would have waited for pages."""

    def __init__(self, page_seconds: float) -> None:
        self.page_seconds = page_seconds
        self.begin()

    def begin(self) -> None:
        self.listed, self.began = 0.0, time.monotonic()

    @property
    def spent(self) -> float:
        return self.listed + time.monotonic() - self.began

    def get_remaining_time_in_millis(self) -> int:
        return int((SECONDS - self.spent) * 1_000)


class Queue:
    """Counts what it is given."""

    url = "counted"

    def __init__(self) -> None:
        self.looks = 0

    def depth(self) -> Depth:
        return Depth(0, 0)

    def send_looks(self, looks: list[Look]) -> None:
        self.looks += len(looks)


def run(folder: Path, rows: int, page_seconds: float, layout: str) -> None:
    """Call until nothing asks for another call; print what each call took."""
    artifacts, queue, call = FileStorage(folder), Queue(), Call(page_seconds)
    again = [True]
    handler = ReconcileHandler(
        Bucket(call, rows),
        artifacts,
        queue,  # type: ignore[arg-type]
        layout=layout,
        go_on=lambda: again.append(True),
    )
    print("call | listed | its seconds, pages included | CPU s | peak MiB | reply")
    number = 0
    while again:
        again.pop()
        number += 1
        call.begin()
        cpu = time.process_time()
        reply = handler({"go_on": True}, call)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
        print(
            f"{number} | {call.listed:.0f} s of pages | {call.spent:.0f} | "
            f"{time.process_time() - cpu:.1f} | {peak} | {reply}",
            flush=True,
        )
    parts = list(artifacts.list("listings/"))
    size = sum(each.size for each in parts) / 1e6
    print(f"{len(parts)} objects, {size:.1f} MB; {queue.looks} looks")
    assert load_gallery(artifacts, read_head(artifacts, MODEL)).photo_count < rows


def main() -> None:
    """Fill a gallery in another process, whose memory is not this one's, and reconcile it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--page-seconds", type=float, default=0.1)
    parser.add_argument("--layout", default="", help="LENS_LAYOUT; empty: it is recognized")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child = get_context("spawn").Process(target=fill, args=(folder, options.rows))
        child.start()
        child.join()
        run(folder, options.rows, options.page_seconds, options.layout)


if __name__ == "__main__":
    main()
