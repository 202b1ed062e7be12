"""Bombs: what small files that unpack to many pixels do to a server's memory and to its visitors.

    python -m tests.benchmarks.bombs [--pixels 64000000] [--at-once 2] [--kind webp]

Three servers, one after the other, get the same files at the same moment: one that decodes all in
its own process, any number of pixels at once, as it was before; one as it is, that is let to take
queries of this size; and one with its defaults. The memory is that of the server and the processes
that decode for it. Meanwhile a thread in the server that only sleeps 2 ms at a time says for how
long it stood still, and a visitor asks for the health, and waits.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

_ROOT = Path(__file__).parents[2]
_SETTLED_SECONDS = 3.0
_PHOTOS = 8
# The server, with a thread that writes its longest pause whenever there is a longer one.
_PROGRAM = """
import os, sys, threading, time
from lambdas.local.cli import main
{changes}
def tick(told):
    longest, last = 0.0, time.perf_counter()
    while True:
        time.sleep(0.002)
        now = time.perf_counter()
        if os.pread(told, 1, 0) == b"0":
            longest = 0.0
        if now - last - 0.002 > longest:
            longest = now - last - 0.002
            os.pwrite(told, f"1{{longest:012.6f}}".encode(), 0)
        last = time.perf_counter()
told = os.open(sys.argv[1], os.O_RDWR)
threading.Thread(target=tick, args=(told,), daemon=True).start()
sys.exit(main(sys.argv[2:]))
"""
_BEFORE = """
from lens.photos import decoding
from lens.photos.pixel_budget import PixelBudget
decoding._budget = PixelBudget(10**12)
"""
KINDS: dict[str, dict[str, object]] = {
    "webp": {"method": 0},
    "png": {"compress_level": 1},
    "jpeg": {"progressive": True, "quality": 50},
    "avif": {"speed": 10},
    "tiff": {"compression": "tiff_lzw"},
}


@dataclass(frozen=True)
class Felt:
    """Bytes of memory before, at the most and after; seconds; and what the bombs' senders heard."""

    before: int
    peak: int
    after: int
    standstill: float
    health: float
    statuses: tuple[int, ...]


def bomb(kind: str, pixels: int) -> bytes:
    """One color, as many pixels."""
    side = int(pixels**0.5)
    out = BytesIO()
    Image.new("RGB", (side, side), (9, 90, 9)).save(out, kind.upper(), **KINDS[kind])
    return out.getvalue()


def measure(data: bytes, at_once: int, pixels: int, case: str) -> Felt:
    """What a server feels of so many of these at once; `case` is before, now or default."""
    settings = {"LENS_THREADS": str(max(2, at_once))}
    if case != "default":
        settings["LENS_MAX_QUERY_PIXELS"] = str(pixels)
    if case == "before":
        settings["LENS_DECODE_APART"] = "0"
    with _server(_BEFORE if case == "before" else "", settings) as (http, process, told):
        before = memory(process.pid)
        told.write_text("0")
        done = threading.Event()
        with ThreadPoolExecutor(at_once + 2) as threads:
            peak = threads.submit(_most, lambda: memory(process.pid), done)
            health = threads.submit(_most, lambda: _seconds(http, "/api/health"), done)
            sent = [threads.submit(_send, http, data) for _ in range(at_once)]
            statuses = tuple(each.result() for each in sent)
            done.set()
        time.sleep(_SETTLED_SECONDS)
        standstill = float(told.read_text()[1:] or 0)
        return Felt(
            before, int(peak.result()), memory(process.pid), standstill, health.result(), statuses
        )


def memory(process: int) -> int:
    """Bytes that a process and those that it has started hold."""
    total = 0
    for each in (process, *_children(process)):
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def _children(process: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            yield from map(int, tasks.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue


def _most(measured: Callable[[], float], done: threading.Event) -> float:
    most = 0.0
    while not done.wait(0.01):
        most = max(most, measured())
    return most


def _seconds(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    http.get(path).raise_for_status()
    return time.perf_counter() - began


def _send(http: httpx.Client, data: bytes) -> int:
    return http.post("/api/search-image", files={"file": data}).status_code


@contextmanager
def _server(
    changes: str, settings: dict[str, str]
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str], Path]]:
    with tempfile.TemporaryDirectory() as folder:
        place, told = Path(folder), Path(folder) / "told"
        told.write_text("0")
        photos = place / "photos"
        photos.mkdir()
        for number in range(_PHOTOS):
            Image.new("RGB", (96, 128), (30 * number, 9, 200)).save(photos / f"{number}.png")
        paths = (str(_ROOT / "layers/lens/python"), str(_ROOT))
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(changes=changes), str(told), "serve", "photos"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "LENS_PORT": "0",
                "LENS_ARTIFACTS": str(place / "made"),
                **settings,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=address, timeout=600) as http:
                while not (http.get("/api/health").json()["gallery"] or {}).get("photos"):
                    time.sleep(0.2)
                time.sleep(1)
                yield http, process, told
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bombs")
    parser.add_argument("--pixels", type=int, default=64_000_000)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--kind", choices=sorted(KINDS), action="append", default=[])
    given = parser.parse_args(arguments)
    print("| file | server | memory before, at most, after (MB) | stood still (s) |", end="")
    print(" health at most (s) | replies |\n| --- | --- | --- | --- | --- | --- |")
    for kind in given.kind or ["webp"]:
        data = bomb(kind, given.pixels)
        name = f"{given.at_once} x {kind}, {given.pixels / 1e6:.0f} MP, {len(data) / 1e3:.0f} KB"
        for case in ("before", "now", "default"):
            felt = measure(data, given.at_once, given.pixels, case)
            sizes = ", ".join(f"{each / 1e6:.0f}" for each in (felt.before, felt.peak, felt.after))
            cells = (name, case, sizes, f"{felt.standstill:.2f}", f"{felt.health:.2f}")
            print("|", " | ".join((*cells, ", ".join(map(str, felt.statuses)))), "|", flush=True)


if __name__ == "__main__":
    main()
