"""Power cuts: whatever the disk loses, tears or reorders, what was told is there, and each sync is
needed. Covers disk."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from lens.errors import LensError
from lens.storage import FileStorage
from tests.histories.power_cuts import LostError, play, record
from tests.histories.simulated_disk import Cut, Operation, SimulatedDisk


def test_a_gallery_is_whole_after_a_power_cut_at_any_operation(tmp_path: Path) -> None:
    assert play(record(tmp_path), states=1, seed=1, every=8) > 20


@pytest.mark.slow
def test_a_gallery_is_whole_in_many_states_after_a_power_cut(tmp_path: Path) -> None:
    play(record(tmp_path), states=2, seed=2)


def test_what_was_removed_stays_so(tmp_path: Path) -> None:
    disk = SimulatedDisk(tmp_path / "made")
    storage = FileStorage(tmp_path / "made")
    with disk.recording():
        for key in ("a/1", "a/2", "b/c/3", "d/4", "d/5"):
            storage.write(key, b"here")
        before = sum(each.kind == "sync folder" for each in disk.log)
        storage.delete("a/1")
        storage.delete_many(["b/c/3", "d/4", "d/5", "d/absent"])
    for seed in range(40):
        left = Cut(disk.log).left(random.Random(seed))
        assert {path for path in left if not path.endswith("/")} == {"made/a/2"}
    synced = [each.path for each in disk.log if each.kind == "sync folder"][before:]
    assert synced == ["made/a", "made"]  # once, however much was removed


def _sites(log: list[Operation]) -> set[tuple[str, str]]:
    """What is synced, and where: model ids and random names as `*`."""
    return {
        (operation.kind.removeprefix("sync "), _masked(operation.path))
        for operation in log
        if operation.kind.startswith("sync")
    }


def _masked(path: str) -> str:
    return re.sub(r"tiny-[0-9a-f]+|\.?[0-9a-f]{32}(\.part)?", "*", path)


@pytest.mark.slow
def test_every_sync_that_is_left_out_is_noticed(tmp_path: Path) -> None:
    sites = _sites(record(tmp_path))
    assert len(sites) > 15
    unnoticed = []
    for number, site in enumerate(sorted(sites)):
        folder = tmp_path / str(number)
        folder.mkdir()

        def left_out(kind: str, path: str, site: tuple[str, str] = site) -> bool:
            return (kind, _masked(path)) == site

        log = record(folder, left_out)
        assert site not in _sites(log)
        try:
            play(log, states=10, seed=3)
        except (LostError, LensError):
            continue
        unnoticed.append(site)
    assert unnoticed == []
