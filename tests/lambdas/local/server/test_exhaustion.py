"""A server that has no more files, threads or space for a while: it says so, answers what it can
without a single 500, and goes on as before when there is some again.

Covers: errors, disk.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.lambdas.local.photos import garment, write_photos
from tests.support.photos import encode, picture

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="changes a running process's limits"),
]

PHOTOS = 8
_NOBODY = 54_321  # a user that runs nothing else, so that its threads can be counted
_ENOUGH_SECONDS = 120.0
# The server, which can be told to start no more threads, and to go on: only it may do that where it
# runs as another user.
_PROGRAM = """
import os, resource, signal, sys
from lambdas.local.cli import main
before = resource.getrlimit(resource.RLIMIT_NPROC)
def limit(*_):
    running = len(os.listdir("/proc/self/task"))
    resource.setrlimit(resource.RLIMIT_NPROC, (running, before[1]))
signal.signal(signal.SIGUSR1, limit)
signal.signal(signal.SIGUSR2, lambda *_: resource.setrlimit(resource.RLIMIT_NPROC, before))
sys.exit(main(sys.argv[1:]))
"""
_PATHS = os.pathsep.join(filter(None, sys.path))
ANSWERED_OR_BUSY = {200, 503}


class Server:
    """A running server, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path, address: str) -> None:
        self.process = process
        self._said = said
        self.address = address

    @property
    def said(self) -> str:
        return self._said.read_text()

    def search(self, http: httpx.Client, photo: bytes) -> int:
        return http.post("/api/search-image", files={"file": photo}).status_code

    def until(self, reached: Callable[[], bool]) -> None:
        ends = time.monotonic() + _ENOUGH_SECONDS
        while not reached():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < ends, self.said
            time.sleep(0.1)

    def photos(self) -> int:
        health = httpx.get(f"{self.address}/api/health", timeout=60).json()
        return int((health["gallery"] or {}).get("photos", 0))

    @contextmanager
    def without_threads(self) -> Iterator[None]:
        """With those that run now, meanwhile."""
        limits = Path(f"/proc/{self.process.pid}/limits")
        before = limits.read_text()
        self.process.send_signal(signal.SIGUSR1)
        self.until(lambda: limits.read_text() != before)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGUSR2)
            self.until(lambda: limits.read_text() == before)

    @contextmanager
    def limited(self, what: int, most: int) -> Iterator[None]:
        """Without more than so many of something, meanwhile."""
        before = resource.prlimit(self.process.pid, what)
        resource.prlimit(self.process.pid, what, (most, before[1]))
        try:
            yield
        finally:
            resource.prlimit(self.process.pid, what, before)


@contextmanager
def serving(place: Path, python: str = sys.executable, user: int | None = None) -> Iterator[Server]:
    """A server over `place`/photos, from when its photos can be found."""
    said = place / "said"
    with said.open("wb") as errors:
        process = subprocess.Popen(
            [python, "-c", _PROGRAM, "serve", str(place / "photos")],
            env={
                **os.environ,
                "PYTHONPATH": _PATHS,
                "LENS_PORT": "0",
                "LENS_ARTIFACTS": str(place / "made/it"),
            },
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=place,
            user=user,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().split()
        assert line, said.read_text()
        server = Server(process, said, line[-1].decode())
        server.until(lambda: server.photos() >= PHOTOS)
        yield server
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_photos(tmp_path / "photos", range(PHOTOS))
    return tmp_path


def test_without_files_it_answers_or_is_busy_and_goes_on_when_there_are_some(place: Path) -> None:
    large = encode(picture(1600, 1200), "WEBP", quality=80)  # for another process
    with serving(place) as server, httpx.Client(base_url=server.address, timeout=60) as http:
        assert server.search(http, garment(300)) == 200
        host, port = server.address.removeprefix("http://").split(":")
        opened = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        with server.limited(resource.RLIMIT_NOFILE, opened + 1):
            crowd = [socket.create_connection((host, int(port))) for _ in range(12)]
            assert http.get("/api/health").status_code == 200
            statuses = {server.search(http, garment(400 + number)) for number in range(4)}
            statuses.add(server.search(http, large))
            assert statuses <= ANSWERED_OR_BUSY
            server.until(lambda: "Too many open files" in server.said)
            for each in crowd:
                each.close()
        with httpx.Client(base_url=server.address, timeout=60) as another:
            assert server.search(another, large) == 200
            assert server.search(another, garment(1)) == 200
        write_photos(place / "photos", range(PHOTOS, PHOTOS + 2))
        server.until(lambda: server.photos() == PHOTOS + 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can count a user's threads alone")
def test_without_threads_it_answers_or_is_busy_and_goes_on_when_there_are_some() -> None:
    place = Path(tempfile.mkdtemp())  # pytest's own folders are for nobody else
    try:
        write_photos(place / "photos", range(PHOTOS))
        for each in (place, *place.rglob("*")):
            os.chown(each, _NOBODY, _NOBODY)
        python = next((each for each in (sys.executable, "/usr/bin/python3") if _can(each)), None)
        if python is None:
            pytest.skip("this Python and its packages are for their owner alone")
        with serving(place, python, _NOBODY) as server:
            with (
                httpx.Client(base_url=server.address, timeout=60) as http,
                ThreadPoolExecutor(8) as visitors,
            ):
                with server.without_threads():
                    found = visitors.map(
                        lambda number: server.search(http, garment(number)), range(500, 516)
                    )
                    assert set(found) <= ANSWERED_OR_BUSY
                    large = encode(picture(1600, 1200), "WEBP", quality=80)
                    assert server.search(http, large) in ANSWERED_OR_BUSY
                    shown = http.get("/catalog/shop/item-003/0.png").status_code
                    assert shown in ANSWERED_OR_BUSY
                    assert http.get("/api/health").status_code == 200
                again = visitors.map(
                    lambda number: server.search(http, garment(number)), range(600, 616)
                )
                assert set(again) == {200}
                assert server.search(http, large) == 200
            told = "can't start new thread", "decoded here", "temporarily unavailable"
            assert any(each in server.said for each in told), server.said
    finally:
        shutil.rmtree(place)


def _can(python: str) -> bool:
    """Whether another user can run the server with this Python."""
    try:
        done = subprocess.run(
            [python, "-c", "import lambdas.local.server.app, faiss"],
            env={**os.environ, "PYTHONPATH": _PATHS},
            cwd="/",
            user=_NOBODY,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return done.returncode == 0


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A disk of its own at a place, whose size can be changed."""
    place.mkdir()

    def mount(*options: str) -> int:
        return subprocess.run(["mount", *options], stderr=subprocess.DEVNULL).returncode

    def resize(size: str) -> None:
        assert mount("-o", f"remount,size={size}", str(place)) == 0

    if os.geteuid() != 0 or mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)):
        pytest.skip("no disk can be mounted here")
    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_on_a_full_disk_searches_go_on_and_photos_are_found_once_there_is_space(
    place: Path,
) -> None:
    with small_disk(place / "made", "200m") as resize, serving(place) as server:
        taken = shutil.disk_usage(place / "made").used
        resize(f"{taken // 1024 + 4}k")
        write_photos(place / "photos", range(PHOTOS, PHOTOS + 6))
        server.until(lambda: "free some space" in server.said)
        with httpx.Client(base_url=server.address, timeout=60) as http:
            assert {server.search(http, garment(700 + number)) for number in range(4)} == {200}
            assert http.get("/api/health").status_code == 200
        assert server.photos() == PHOTOS
        resize("200m")
        # Every few minutes it compares by itself; a change of this file makes it do so at once.
        (place / "photos/.lensignore").write_text("# nothing\n")
        server.until(lambda: server.photos() == PHOTOS + 6)
