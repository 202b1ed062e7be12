"""Distribution: whole files and folders go to one worker, and those that take long go first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FAST = "def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n"
SLOW = "import pytest\n@pytest.mark.slow\ndef test_d(): pass\n"
FILES = {
    "tests/a/test_fast.py": FAST,
    "tests/b/test_slow.py": SLOW + "def test_e(): pass",
    "tests/e2e/test_fast_page.py": FAST,
    "tests/e2e/test_slow_page.py": SLOW,
    "tests/test_zero.py": SLOW,
    "tests/conftest.py": "from distribution import by_unit as pytest_xdist_make_scheduler, "
    "longest_first as pytest_collection_modifyitems",
}


@pytest.mark.slow
def test_a_file_or_a_sharing_folder_is_one_worker_s_and_slow_ones_come_first(
    tmp_path: Path,
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "2", "--import-mode=importlib", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    ran = re.findall(r"^\[(gw\d)\].* PASSED (tests/\S+)::", done.stdout, re.M)
    assert len(ran) == 10, done.stdout + done.stderr
    by_file = {(file.replace("_fast_", "_slow_"), worker) for worker, file in ran}
    assert len(by_file) == 4, ran
    for worker in {worker for worker, _ in ran}:
        files = [file for each, file in ran if each == worker]
        assert files[0] in ("tests/b/test_slow.py", "tests/e2e/test_fast_page.py")
        assert "tests/a/test_fast.py" not in files or files[-3:] == ["tests/a/test_fast.py"] * 3
