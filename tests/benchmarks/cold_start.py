"""How long a fresh process with a cold page cache takes to its first answer, and how much memory.

    python -m tests.benchmarks.cold_start [--artifacts FOLDER] [--times 5] [--json]
        [--command NAME="COMMAND LINE"]...

A command is started with the settings and the S3 stand-in in its environment and the photo's
search event (a file) as its last argument; it is measured until it has printed a line, its answer.
Without FOLDER, artifacts with the default model are made. Commands take turns, so that what else
the machine does falls on all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lens.default_model.shipped import write_shipped
from lens.gallery.current import Current, swap_current
from lens.gallery.rows import Kind, Row, Rows
from lens.gallery.segments import Segment, write_segment
from lens.gallery.versions import Version
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import compact
from lens.storage import FileStorage
from tests.benchmarks.answer import search_event
from tests.benchmarks.s3_folder import s3_folder

ROWS = 12_612  # In-Shop's gallery
_ROOT = Path(__file__).parents[2]
DROP_CACHES = Path("/proc/sys/vm/drop_caches")

# What Lambda's runtime does: import the handler, then hand it an event.
PROJECT = (
    "import json, pathlib, sys\n"
    "from lambdas.search.function import handler\n"
    "event = json.loads(pathlib.Path(sys.argv[1]).read_bytes())\n"
    "print(handler(event, None)['body'], flush=True)\n"
)
# A process of its own, and a small one: a child's peak is counted from its parent's at the fork.
_LAUNCHER = """
import json, os, resource, sys, time
start = time.monotonic()
reading, writing = os.pipe()
actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
os.close(writing)
with open(reading, "rb") as answers:
    answer = answers.readline()
    wall = time.monotonic() - start
    answers.read()
_, status, used = os.wait4(child, 0)
print(json.dumps({
    "status": status, "answer": answer.decode(), "wall": wall,
    "cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024,
}))
"""


@dataclass(frozen=True)
class Start:
    """One cold start: seconds to the answer, CPU seconds and MiB at the peak of the process."""

    wall: float
    cpu: float
    peak_mib: float


def cool() -> str:
    """Empty the page cache, where that is permitted, or else of this Python's files; says which."""
    os.sync()
    try:
        DROP_CACHES.write_text("3")
    except OSError:
        for folder in (sys.prefix, os.path.dirname(os.__file__), _ROOT):  # noqa: PTH120
            for path in Path(folder).rglob("*"):
                if path.is_file():
                    descriptor = os.open(path, os.O_RDONLY)
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.close(descriptor)
        return "posix_fadvise(DONTNEED) on the environment's files"
    return "drop_caches"


def start(command: Sequence[str], environment: Mapping[str, str]) -> tuple[Start, dict[str, Any]]:
    """Run a command once, cold, and return its figures and its answer; it must end well."""
    cool()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        env={**os.environ, **environment},
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    if told["status"] != 0:
        raise RuntimeError(f"{shlex.join(command)} failed")
    return Start(told["wall"], told["cpu"], told["peak_mib"]), json.loads(told["answer"])


def measure(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], times: int
) -> dict[str, list[Start]]:
    """Start every command so many times, taking turns."""
    starts: dict[str, list[Start]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            figures, answer = start(command, environment)
            if not answer.get("hits"):
                raise RuntimeError(f"{name} answered without hits: {answer}")
            starts[name].append(figures)
    return starts


def draw_photo(width: int = 1080, height: int = 1440, seed: int = 0) -> bytes:
    """A JPEG with the detail of a photo, as a phone's page sends it: about 200 KB."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 255, (height // 40, width // 40, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noise = chance.integers(-4, 5, (height, width, 3))
    pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()


def write_gallery(artifacts: FileStorage, model_id: str, dim: int, rows: int = ROWS) -> None:
    """Make a model live over a folded gallery of random unit vectors."""
    vectors = np.random.default_rng(0).standard_normal((rows, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    content = Segment(Rows.of([_row(number) for number in range(rows)]), vectors)
    swap_current(artifacts, lambda _: Current(live=model_id))
    segment_id = write_segment(artifacts, model_id, content)
    commit_segments(artifacts, model_id, [segment_id], now=1.0)
    compact(artifacts, model_id, now=2.0)


def _row(number: int) -> Row:
    item = f"id_{number // 4:08}"
    key = f"img/WOMEN/Dresses/{item}/{number % 4:02}_front.jpg"
    etag, photo_id = f"{number:032x}", f"{number + 10**9:032x}"
    version = Version.of_event(f"{number:016x}")
    return Row(key, version, Kind.PHOTO, 1.0, etag, photo_id, item, "WOMEN/Dresses")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or JSON with the machine's description."""
    parser = argparse.ArgumentParser(description="Time fresh processes with a cold page cache.")
    parser.add_argument("--artifacts", type=Path)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--command", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--latency", type=float, default=0.0, help="of the S3 stand-in, seconds")
    parser.add_argument("--rate", type=float, default=0.0, help="of one connection, bytes a second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        folder = options.artifacts or Path(work) / "artifacts"
        if options.artifacts is None:
            artifacts = FileStorage(folder)
            manifest = write_shipped(artifacts)
            write_gallery(artifacts, manifest.model_id, manifest.embedding_dim)
        event = Path(work) / "event.json"
        event.write_text(json.dumps(search_event(draw_photo())))
        commands = {"project": [sys.executable, "-c", PROJECT]}
        commands |= dict(_named(given) for given in options.command)
        with s3_folder(folder, latency=options.latency, rate=options.rate) as environment:
            starts = measure(
                {name: [*command, str(event)] for name, command in commands.items()},
                environment
                | {"LENS_CATALOG": "s3://artifacts/catalog", "LENS_ARTIFACTS": "s3://artifacts"},
                options.times,
            )
    if options.json:
        print(json.dumps(_report(starts, cool())))
        return
    print(f"{'':20} {'wall s':>16} {'CPU s':>16} {'peak MiB':>16}   median (least - most)")
    for name, found in starts.items():
        cells = [_cell([getattr(one, figure.name) for one in found]) for figure in fields(Start)]
        print(f"{name:20} {cells[0]:>16} {cells[1]:>16} {cells[2]:>16}")


def _named(given: str) -> tuple[str, list[str]]:
    name, _, command = given.partition("=")
    return name, shlex.split(command)


def _cell(values: Sequence[float]) -> str:
    digits = 0 if values[0] >= 10 else 2
    least, most = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def _report(starts: Mapping[str, Sequence[Start]], cooled: str) -> dict[str, Any]:
    machine = {"system": platform.platform(), "cores": os.cpu_count(), "cooled_by": cooled}
    figures = {name: [asdict(one) for one in found] for name, found in starts.items()}
    return {"machine": machine, "starts": figures}


if __name__ == "__main__":
    main()
