"""Bombs: what is measured of a server is what happens in it.

Covers: bombs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.bombs import KINDS, bomb, main, measure, memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="looks into /proc")
_BYTES = 100_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_small_whatever_it_unpacks_to(kind: str) -> None:
    assert len(bomb(kind, 4_000_000)) < 150_000


def test_the_memory_is_that_of_a_process_and_of_those_that_it_started() -> None:
    child = f"held = b'x' * {_BYTES}; print(flush=True); input()"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert memory(process.pid) > _BYTES
        process.communicate(b"\n")
    assert memory(os.getpid()) > 0


@pytest.mark.slow
def test_a_server_takes_less_memory_and_its_visitors_get_their_answers_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Small ones, so that it is soon over; the figures are in docs/reliability.md."""
    pixels = 12_000_000
    data = bomb("webp", pixels)
    before, now = (measure(data, 3, pixels, case) for case in ("before", "now"))
    for felt in (before, now):
        assert felt.statuses == (200, 200, 200)
        assert felt.peak > felt.before and felt.health > 0
    main(["--pixels", "4000000", "--at-once", "1", "--kind", "png"])
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 5 and all(line.count("|") == 7 for line in table)


@pytest.mark.slow
def test_what_a_photo_takes_is_within_the_bound_and_given_back() -> None:
    """The bound of docs/reliability.md: 1.2 GB more than without, whatever is sent."""
    data = bomb("webp", 49_000_000)
    felt = measure(data, 2, 49_000_000, "now")
    assert felt.statuses == (200, 200)
    assert felt.peak - felt.before < 1_200_000_000
    assert felt.after - felt.before < 250_000_000
