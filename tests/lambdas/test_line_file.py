"""The line file: whole lines, several writers, a bound on disk, full disks and torn ends."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lambdas.search.line_file import PARTS, LineFile, older_parts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def everything(path: Path) -> list[bytes]:
    """The lines of all parts, the oldest first."""
    parts = [*reversed(older_parts(path)), path]
    return [line for part in parts if part.exists() for line in part.read_bytes().splitlines()]


def test_lines_are_appended_and_what_is_there_stays(path: Path) -> None:
    path.write_bytes(b"earlier\n")
    LineFile(path, 4_000).append(b"later\n")
    assert path.read_bytes() == b"earlier\nlater\n"


def test_it_never_takes_more_than_its_bound_and_keeps_the_newest(path: Path) -> None:
    file = LineFile(path, 4_000)
    for number in range(1_000):
        file.append(b"%d\n" % number)
        assert sum(each.stat().st_size for each in path.parent.iterdir()) <= 4_000
    kept = [int(line) for line in everything(path)]
    assert kept == list(range(kept[0], 1_000)) and len(kept) > 600
    assert len(list(path.parent.iterdir())) == PARTS


# Begins when its standard input says so, for the processes to be at it together.
WRITER = """
import sys
from pathlib import Path
from lambdas.search.line_file import LineFile
path, most, name = sys.argv[1:]
file = LineFile(Path(path), int(most))
print(flush=True)
sys.stdin.readline()
for number in range(400):
    file.append(f"{name} {number} {'x' * 90}\\n".encode())
"""


@pytest.mark.parametrize("most_bytes", [10**7, 480_000])
def test_processes_lose_and_mix_no_line(path: Path, most_bytes: int) -> None:
    """Four write 160 KB together: at most two parts are begun, so none is old enough to go."""
    command = [sys.executable, "-c", WRITER, str(path), str(most_bytes)]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen([*command, name], stdin=pipe, stdout=pipe, text=True) for name in "abcd"
    ]
    for each in writers:
        assert each.stdout and each.stdout.readline()
    for each in writers:
        each.communicate("\n")
        assert each.returncode == 0
    rotated = path.with_name("lines.1").exists()
    assert rotated == (most_bytes < 10**6)
    expected = [f"{name} {number} {'x' * 90}".encode() for name in "abcd" for number in range(400)]
    assert Counter(everything(path)) == Counter(expected)


def test_threads_share_a_file(path: Path) -> None:
    file = LineFile(path, 10**6)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: file.append(b"%d\n" % number), range(500)))
    assert sorted(map(int, everything(path))) == list(range(500))


def test_a_file_that_was_moved_away_is_begun_anew(path: Path) -> None:
    file = LineFile(path, 4_000)
    file.append(b"1\n")
    path.rename(path.with_name("moved"))
    file.append(b"2\n")
    assert path.read_bytes() == b"2\n"


def test_a_line_that_was_cut_off_costs_no_other(path: Path) -> None:
    path.write_bytes(b'one\n{"half')
    LineFile(path, 4_000).append(b"two\n")
    assert path.read_bytes().splitlines() == [b"one", b'{"half', b"two"]


# The kernel cuts a write at the limit, and refuses the next, as a full disk does.
FULL = """
import resource, sys
from pathlib import Path
from lambdas.search.line_file import LineFile
file = LineFile(Path(sys.argv[1]), 4_000)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (12, hard))
for line in (b"kept one\\n", b"cut off\\n", b"refused\\n"):
    try:
        file.append(line)
    except OSError as error:
        print(error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
file.append(b"next\\n")
"""


def test_a_full_disk_is_an_error_and_what_it_cut_off_costs_no_other_line(path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True)
    assert told.stdout.splitlines() == ["No space left on device", "File too large"], told.stderr
    assert path.read_bytes() == b"kept one\ncut\nnext\n"


@pytest.mark.parametrize("name", ["", "missing/lines"])
def test_what_cannot_be_written_is_told_at_once(path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"Is a directory|No such file"):
        LineFile(path.parent / name, 4_000)
