"""The watcher, where the system does not let it watch."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from lambdas.local.server import watcher

SECONDS = 30


class Watched:
    """A folder and what was heard of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[str] = []
        self.unclear = 0
        self.watching, self.stop = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watched:
        self.thread.start()
        assert self.watching.wait(SECONDS), "the first indexing waits for this"
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join(SECONDS)

    def _run(self) -> None:
        watcher.watch_folder(self.folder, self.events.extend, self._count, self.watching, self.stop)

    def _count(self) -> None:
        self.unclear += 1

    def until_soon(self, heard: str) -> bool:
        return self.until(heard, 1)

    def until_compared(self, times: int) -> None:
        end = time.monotonic() + SECONDS
        while self.unclear < times:
            assert time.monotonic() < end
            time.sleep(0.05)

    def until(self, heard: str, seconds: float = SECONDS) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(heard in event for event in self.events):
                return True
            time.sleep(0.05)
        return False


def test_without_watches_the_folder_is_looked_at_and_the_reason_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[bool] = []

    def limited(*args: Any, force_polling: bool, **options: Any) -> Any:
        asked.append(force_polling)
        if not force_polling:
            raise OSError("OS file watch limit reached.")
        return watchfiles.watch(*args, force_polling=True, **options)

    monkeypatch.setattr(watcher, "watch", limited)
    monkeypatch.setattr(watcher, "_POLL_MS", 100)
    with Watched(tmp_path) as watched:
        while len(asked) < 2:
            time.sleep(0.01)
        time.sleep(0.5)
        (tmp_path / "new.jpg").write_bytes(b"x")
        assert watched.until("new.jpg")
    assert asked == [False, True]
    assert watched.unclear == 1, "what was missed meanwhile is looked for"
    assert "max_user_watches" in caplog.text


def test_a_watcher_that_fails_again_and_again_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> Any:
        raise OSError("no")

    monkeypatch.setattr(watcher, "watch", broken)
    with Watched(tmp_path) as watched:
        pass
    assert not watched.thread.is_alive()


def test_the_folder_that_takes_the_place_of_another_is_watched(tmp_path: Path) -> None:
    folder, other = tmp_path / "photos", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    with Watched(folder) as watched:
        folder.rename(tmp_path / "old")
        other.rename(folder)
        watched.until_compared(1)
        (folder / "new.jpg").write_bytes(b"x")
        assert watched.until("new.jpg")


def test_a_folder_that_is_away_is_watched_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    with Watched(folder) as watched:
        folder.rename(tmp_path / "away")
        end = time.monotonic() + SECONDS
        while "is not there" not in caplog.text and time.monotonic() < end:
            time.sleep(0.05)
        (tmp_path / "away").rename(folder)
        watched.until_compared(1)
        (folder / "new.jpg").write_bytes(b"x")
        assert watched.until("new.jpg")
    assert caplog.text.count("is not there") == 1
    assert "cannot be watched" not in caplog.text
