"""The batch process: its order, its errors, and that it never outlives the loop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from lens.errors import LensError
from tests.sagemaker_training.conftest import PROGRAM
from training.garment.batch_process import made_ahead


def _gone(process: int, seconds: float = 10) -> bool:
    """Whether a process ends within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().split(")")[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_everything_comes_in_order_and_from_another_process() -> None:
    with made_ahead(lambda step: (step, os.getpid()), range(3, 20)) as made:
        found = list(made)
    assert [step for step, _ in found] == list(range(3, 20))
    assert {process for _, process in found} != {os.getpid()} and len(set(found)) == 17


def test_arrays_arrive_whole() -> None:
    with made_ahead(lambda step: np.full((700, 700), step), range(8)) as made:
        for step, array in enumerate(made):
            assert (array == step).all() and array.shape == (700, 700)


def test_what_cannot_be_made_is_raised_in_the_loop_with_its_trace() -> None:
    def make(step: int) -> int:
        return 12 // (2 - step)

    with made_ahead(make, range(5)) as made:
        assert (next(made), next(made)) == (6, 12)
        with pytest.raises(RuntimeError, match=r"(?s)in make\n.*ZeroDivisionError"):
            next(made)


def test_a_loop_that_ends_early_or_fails_leaves_no_process() -> None:
    for error in (None, ValueError("in the loop")):
        process = 0
        try:
            with made_ahead(lambda step: (step, os.getpid()), range(10**6)) as made:
                process = next(made)[1]
                if error:
                    raise error
        except ValueError:
            pass
        assert process and _gone(process)


def test_a_process_that_is_killed_is_an_error_and_no_endless_wait() -> None:
    with made_ahead(lambda step: np.full((700, 700), os.getpid()), range(999)) as made:
        os.kill(int(next(made)[0, 0]), signal.SIGKILL)
        with pytest.raises(LensError, match=r"ended with status -9 .*the same command resumes"):
            list(made)


def test_the_process_does_not_take_over_the_loop_s_handlers() -> None:
    def make(step: int) -> int:
        time.sleep(60 * step)  # it is in the middle of the second when it is to end
        return os.getpid()

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        began = time.monotonic()
        with made_ahead(make, range(2)) as made:
            process = next(made)
        assert _gone(process) and time.monotonic() - began < 4  # it was asked, and not killed
    finally:
        signal.signal(signal.SIGTERM, before)


def test_when_the_loop_is_killed_the_process_ends_too(tmp_path: Path) -> None:
    program = tmp_path / "loop.py"
    program.write_text(
        textwrap.dedent(
            """
            import os, signal
            import numpy as np
            from training.garment.batch_process import made_ahead
            with made_ahead(lambda step: np.full((500, 500), os.getpid()), range(10**6)) as made:
                print(next(made)[0, 0], flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            """
        )
    )
    path = os.pathsep.join((str(PROGRAM), str(PROGRAM.parent / "layers/lens/python")))
    done = subprocess.run(
        [sys.executable, str(program)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert _gone(int(done.stdout))
