"""The emulator ends when the process that started it ends, for whatever reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.aws.emulator import clean_environment
from tests.aws.interpreters import Interpreters
from tests.aws.shop import eventually
from tests.aws.turns import ROOT

_STARTER = """
import sys, time
from pathlib import Path
from tests.aws.emulator import emulator
from tests.aws.interpreters import interpreters
with emulator(interpreters(), Path(sys.argv[1])) as running:
    print(running.address, flush=True)
    time.sleep(60)
"""


def _processes(folder: Path) -> list[str]:
    """The processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.aws
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at /proc")
def test_no_process_is_left_when_the_tests_are_interrupted_or_killed(
    python: Interpreters, tmp_path: Path, end: signal.Signals
) -> None:
    folder = tmp_path / "emulator"
    starter = subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline().startswith("http://127.0.0.1:")
    assert _processes(folder)

    starter.send_signal(end)

    starter.wait(60)
    eventually(lambda: not _processes(folder))
    starter.stdout.close()


def test_nothing_of_this_machines_aws_account_reaches_the_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "LENS_ARTIFACTS", "CDK_DEBUG"):
        monkeypatch.setenv(name, "mine")
    assert "mine" not in clean_environment().values()
