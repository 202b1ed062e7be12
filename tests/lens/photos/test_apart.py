"""Photos that are decoded apart: they come out as they do here, and what goes wrong costs one.

Covers: apart, apart_process.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lens.errors import BrokenImageError, PhotoError, TooManyPixelsError
from lens.photos import apart, decoding
from lens.photos.apart import Apart, NotStartedError
from lens.settings import Limits
from tests.support.photos import encode, picture

HERE = Limits(apart=False)
LARGE = picture(1600, 1200)
MANY = encode(Image.new("RGB", (5000, 4000), "teal"), "WEBP", method=0)
_PROCESS = "from lens.photos import apart_process as it\n{}\nit.main()"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Apart]:
    """Processes that are started in this test."""
    processes = Apart()
    monkeypatch.setattr(decoding, "_apart", processes)
    yield processes
    processes.close()


def changed(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Processes that start from now on are the real ones, with one thing changed."""
    monkeypatch.setattr(apart, "_PROGRAM", _PROCESS.format(change))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"quality": 90}), ("AVIF", {"speed": 10}), ("TIFF", {}), ("GIF", {}), ("BMP", {})],
)
def test_a_large_photo_is_decoded_in_another_process_to_the_same_pixels(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, object]
) -> None:
    data = encode(LARGE, kind, **options)
    here = decoding.decode(data, HERE)
    monkeypatch.setattr(decoding, "_decoded", None)  # nothing of it happens here
    found = decoding.decode(data, Limits())
    assert found.mode == "RGB" and found.info == {}
    np.testing.assert_array_equal(np.asarray(found), np.asarray(here))


def test_a_photo_as_the_page_sends_it_needs_no_other_process(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_apart", None)
    for kind in ("JPEG", "PNG"):
        assert decoding.decode(encode(LARGE, kind), Limits()).size == (1600, 1200)
    assert decoding.decode(encode(picture(800, 600), "WEBP"), Limits()).size == (800, 600)


def test_a_process_is_used_again(fresh: Apart) -> None:
    data = encode(LARGE, "BMP")
    decoding.decode(data, Limits())
    (first,) = fresh._idle
    decoding.decode(data, Limits())
    assert fresh._idle == [first]


def test_a_refusal_is_the_one_that_it_is_here(fresh: Apart) -> None:
    whole = encode(LARGE, "BMP")
    cut = whole[: len(whole) // 2]  # its pixels lack, which only their decoder sees
    refusals = []
    for limits in (HERE, Limits()):
        with pytest.raises(BrokenImageError) as caught:
            decoding.decode(cut, limits)
        refusals.append(str(caught.value))
    assert refusals[0] == refusals[1]
    assert len(fresh._idle) == 1  # the process goes on


def test_a_photo_that_breaks_its_decoder_costs_itself_alone(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = encode(LARGE, "BMP")
    with monkeypatch.context() as broken:
        changed(broken, "import os; it._answer = lambda *_: os.kill(os.getpid(), 11)")
        with pytest.raises(BrokenImageError, match="makes its decoder fail"):
            decoding.decode(data, Limits())
    assert "signal 11" in caplog.text
    assert decoding.decode(data, Limits()).size == (1600, 1200)


def test_a_photo_that_takes_too_long_is_refused_whatever_its_decoder_is_at(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, "it.CPU_SECONDS = 0.02")
    with pytest.raises(BrokenImageError, match="to decode; save it again"):
        decoding.decode(MANY, Limits())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has that limit")
def test_a_photo_that_takes_too_much_memory_is_refused(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, "it.MOST_BYTES = 250_000_000")
    with pytest.raises((TooManyPixelsError, BrokenImageError)):
        decoding.decode(MANY, Limits())
    assert decoding.decode(encode(LARGE, "BMP"), Limits()).size == (1600, 1200)


def test_one_that_the_system_ends_for_want_of_memory_says_so(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, "import os; it._answer = lambda *_: os.kill(os.getpid(), 9)")
    with pytest.raises(TooManyPixelsError, match="too much memory"):
        decoding.decode(MANY, Limits())


def test_a_process_has_no_key_of_ours_and_cannot_write(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LENS_API_KEYS", "s" * 32)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 32)
    monkeypatch.setenv("LANG", "C.UTF-8")
    file = tmp_path / "written"
    changed(
        monkeypatch,
        "import os; from lens.errors import PhotoError; from pathlib import Path\n"
        "def tell(data, limits):\n"
        f"    try: Path({str(file)!r}).write_text('x')\n"
        "    except OSError: raise PhotoError(' '.join(sorted(os.environ)))\n"
        "it.decode = tell\n",
    )
    with pytest.raises(PhotoError) as caught:
        decoding.decode(MANY, Limits())
    names = str(caught.value).split()
    assert "LANG" in names and not [name for name in names if name.startswith(("LENS_", "AWS_"))]
    assert not file.exists() or not file.read_bytes()


def test_an_idle_process_ends_and_another_takes_its_place(
    fresh: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(LARGE, "BMP")
    with monkeypatch.context() as short:
        changed(short, "it._IDLE_SECONDS = 1.0")
        decoding.decode(data, Limits())
    (first,) = fresh._idle
    assert first._process.wait(60) == 0
    assert decoding.decode(data, Limits()).size == (1600, 1200)


@pytest.mark.parametrize("program", ["/nowhere/python", "false"])
def test_where_no_process_can_be_started_photos_are_decoded_here(
    fresh: Apart,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    program: str,
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(NotStartedError):
        fresh.decode(MANY, 64_000_000)
    with caplog.at_level(logging.WARNING):
        assert decoding.decode(encode(LARGE, "BMP"), Limits()).size == (1600, 1200)
    assert "decoded here" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_ends_with_its_parent_in_the_middle_of_a_photo(tmp_path: Path) -> None:
    told = tmp_path / "pid "
    at_work = f"""
from lens.photos import apart, decoding
from lens.settings import Limits
apart._PROGRAM = '''
import os
from lens.photos import apart_process as it
it.CPU_SECONDS = 600
def busy(*_):
    os.mkdir({str(told)!r} + str(os.getpid()))  # it cannot write a file
    sum(range(10**13))  # holds Python's lock
it._answer = busy
it.main()
'''
decoding.decode(open({str(tmp_path / "photo")!r}, "rb").read(), Limits())
"""
    (tmp_path / "photo").write_bytes(encode(LARGE, "BMP"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen([sys.executable, "-c", at_work], env=environment)
    while not (found := list(tmp_path.glob("pid *"))):
        assert parent.poll() is None
        time.sleep(0.02)
    child = Path("/proc", found[0].name.removeprefix("pid "))
    assert child.exists()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while _runs(child):
        time.sleep(0.02)


def _runs(process: Path) -> bool:
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_has_processes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(encode(LARGE, "BMP"))
    program = f"""
import os
from lens.photos import decoding
from lens.settings import Limits
data = open({str(tmp_path / "photo")!r}, "rb").read()
decoding.decode(data, Limits())
mine = decoding._apart._idle[0]
fork = os.fork()
assert decoding.decode(data, Limits()).size == (1600, 1200)
assert (decoding._apart._idle[0] is mine) == bool(fork)
if fork:
    assert os.waitpid(fork, 0)[1] == 0
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
