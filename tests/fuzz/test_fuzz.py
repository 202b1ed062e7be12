"""A slice of the fuzzing; and each way in which a case can fail is seen.

Covers: files, photos, artifacts, requests, watched.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.fuzz import watched
from tests.fuzz.__main__ import main
from tests.fuzz.files import file_of
from tests.fuzz.requests import SCHEMATHESIS, ask

PHOTOS, ARTIFACTS, EXAMPLES = 250, 300, 8


def test_a_number_always_gives_the_same_file_and_another_one_another() -> None:
    assert [file_of(number) for number in range(20)] == [file_of(number) for number in range(20)]
    assert len({file_of(number) for number in range(50)}) > 40


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("photos", PHOTOS), ("artifacts", ARTIFACTS)])
def test_no_file_breaks_its_reader(kind: str, count: int) -> None:
    outcome = watched.watch(kind, 0, count)
    assert not outcome.failed, f"python -m tests.fuzz {kind} --count 1 --seed N"
    assert outcome.ends.total() == count and len(outcome.ends) > 2
    assert outcome.peak < watched.MOST_BYTES


@pytest.mark.slow
@pytest.mark.skipif(not SCHEMATHESIS.exists(), reason="schemathesis is not installed: make fuzz")
def test_no_request_breaks_the_server() -> None:
    asked = ask(seed=0, examples=EXAMPLES)
    assert not asked.failures, asked.report
    assert asked.sent > 5 * EXAMPLES


BROKEN = """
import os, signal
def play(number):
    if number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 2:
        sum(range(10**13))  # nothing of Python's can interrupt it
    if number == 3:
        raise ValueError("odd")
    if number == 4:
        bytearray(3 * 2**30)
    return "well"
"""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cases that break, in every way that is watched for."""
    (tmp_path / "broken.py").write_text(dedent(BROKEN))
    (tmp_path / "sitecustomize.py").write_text(
        f"import tests.fuzz; tests.fuzz.__path__.append({str(tmp_path)!r})"
    )
    paths = ":".join(filter(None, (str(tmp_path), *sys.path)))
    monkeypatch.setenv("PYTHONPATH", paths)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.usefixtures("broken")
def test_a_crash_a_hang_an_error_and_memory_are_seen_and_cost_one_case_each() -> None:
    outcome = watched.watch("broken", 0, 6, cpu_seconds=0.3)
    assert outcome.ends == {"well": 2}
    assert outcome.failed[1] == "the process ended with status -11"
    assert outcome.failed[2] == "it hangs"
    assert "ValueError: odd" in outcome.failed[3]
    assert "MemoryError" in outcome.failed[4]


def test_an_unknown_kind_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["pictures"])
    assert "there are photos, artifacts, requests" in capsys.readouterr().err
