"""Collect (lambdas/collect/handler.py) in parts: nothing is removed before all thumbnails are
listed, and what goes then is what one call would have removed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambdas.again import GO_ON
from lambdas.collect.handler import CollectHandler
from lens.errors import StorageError
from lens.photos.thumbnail_store import thumb_key, write_thumbnail
from lens.pipeline import listing
from lens.storage import FileStorage, ObjectInfo
from tests.support.small_galleries import DAY, MODEL, add, make_live, photo, write

PAGE = 5
LONG_AGO = time.time() - 4 * DAY


class Thumbs(FileStorage):
    """Takes its time for every page of a listing of all."""

    def __init__(self, root: Path, function: Lambda) -> None:
        super().__init__(root)
        self._function = function

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        for number, info in enumerate(list(super().list(prefix, after))):
            if number % PAGE == 0 and prefix == "thumbs/":
                self._function.turn()
            yield info


class Lambda:
    """A function whose calls have 900 seconds. Of 22 photos ten are in the gallery; the segments of
    the others were never committed."""

    def __init__(self, folder: Path, page_seconds: float) -> None:
        self.artifacts = FileStorage(folder / "artifacts")
        self.thumbs = Thumbs(folder / "thumbs", self)
        self.page_seconds = page_seconds
        self.left = 0.0
        self.pages = self.calls = self.again = 0
        self.between: dict[int, Callable[[], object]] = {}  # what happens before which page
        make_live(self.artifacts)
        for number in range(10):
            self.photo(f"kept-{number}", committed=True)
        for number in range(12):
            self.photo(f"left-{number}")
        self.age()

    def photo(self, name: str, *, committed: bool = False) -> None:
        row = photo(name, "1", photo_id=name, at=LONG_AGO)
        write_thumbnail(self.thumbs, name, b"jpeg")
        if committed:
            add(self.artifacts, row, now=LONG_AGO)
        else:
            write(self.artifacts, row)

    def age(self) -> None:
        """All files are as old as the rows."""
        for storage in (self.artifacts, self.thumbs):
            for path in storage.root.rglob("*.*"):
                os.utime(path, (LONG_AGO, LONG_AGO))
            for path in (storage.root / "thumbs").glob("*"):
                os.utime(path, (LONG_AGO, LONG_AGO))

    def turn(self) -> None:
        self.left -= self.page_seconds
        self.pages += 1
        self.between.get(self.pages, lambda: None)()

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1_000)

    def call(self, event: object) -> dict[str, int]:
        self.left, self.calls = 900.0, self.calls + 1
        handler = CollectHandler(self.artifacts, self.thumbs, lambda looks: None, self._call_again)
        return handler(event, self)

    def run(self, *, days_ago: float = 0) -> dict[str, int]:
        """The schedule's call, and those that it leads to; by the artifacts' clock so long ago."""
        now = time.time() - days_ago * DAY
        self.artifacts.now = lambda: now  # type: ignore[method-assign]
        reply = self.call({})
        while self.again:
            self.again -= 1
            reply = self.call(GO_ON)
        return reply

    def names(self) -> set[str]:
        stored = (self.artifacts.list("segments/"), self.thumbs.list())
        return {info.key for part in stored for info in part}

    def marked(self) -> set[str]:
        marks = json.loads(self.artifacts.read("collected.json")[0])
        return {*marks["artifacts"], *marks["thumbs"]}

    def _call_again(self) -> None:
        self.again += 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, float], Lambda]:
    monkeypatch.setattr(listing, "_PAGE", PAGE)
    monkeypatch.setattr(listing, "_PART", 2 * PAGE)
    return lambda name, seconds: Lambda(tmp_path / name, seconds)


def left(function: Lambda) -> set[str]:
    """The photos whose thumbnails are there."""
    return {key.removeprefix("thumbs/") for key in function.names() if key.startswith("thumbs/")}


KEPT = {f"kept-{number}" for number in range(10)}
LEFT = {f"left-{number}" for number in range(12)}


def test_five_parts_remove_what_one_call_removes(made: Callable[[str, float], Lambda]) -> None:
    whole, parts = made("whole", 1.0), made("parts", 850.0)
    for each in (whole, parts):
        assert each.run(days_ago=2) == {"removed": 0}
        assert left(each) == KEPT | LEFT
        assert each.run() == {"removed": 24}
        assert left(each) == KEPT
    assert len(whole.names()) == len(parts.names()) == 20
    assert parts.calls > 2 * 4


def test_a_thumbnail_that_is_written_again_after_it_was_listed_stays(
    made: Callable[[str, float], Lambda],
) -> None:
    function = made("again", 850.0)
    function.run(days_ago=2)
    key = thumb_key("left-0")
    assert sorted(function.names()).index(key) < len(function.names()) - PAGE
    function.between = {function.pages + 5: lambda: function.thumbs.write(key, b"jpeg")}
    function.run()
    assert left(function) == {*KEPT, "left-0"}


def test_a_photo_that_comes_while_thumbnails_are_listed_is_left_to_the_next_run(
    made: Callable[[str, float], Lambda],
) -> None:
    """Its thumbnail may be missing in the listing: marked now, its segment would never be read
    again, and the thumbnail would stay for good."""
    function = made("new", 850.0)
    function.between = {5: lambda: function.photo("a-new")}
    function.run(days_ago=2)
    assert (len(function.marked()), len(left(function))) == (24, 23)
    function.age()
    function.run(days_ago=1.5)
    assert len(function.marked()) == 26
    function.run()
    assert left(function) == KEPT


@pytest.mark.parametrize("page", range(1, 6))
def test_a_call_that_dies_removes_nothing_and_is_gone_on_with(
    made: Callable[[str, float], Lambda], page: int
) -> None:
    def dies() -> None:
        raise StorageError("the function is killed")

    function = made("dies", 850.0)
    function.run(days_ago=2)
    function.between = {function.pages + page: dies}
    with pytest.raises(StorageError):
        function.run()
    assert left(function) == KEPT | LEFT
    assert function.run() == {"removed": 24}
    assert left(function) == KEPT


def test_two_runs_at_once_do_no_harm(made: Callable[[str, float], Lambda]) -> None:
    function = made("two", 850.0)
    function.run(days_ago=2)

    def another() -> None:
        function.between = {}
        time_left = function.left
        function.call({})
        function.left = time_left

    function.between = {function.pages + 3: another}
    assert function.run() == {"removed": 24}
    assert left(function) == KEPT
    assert not any(MODEL not in key and "segments" in key for key in function.names())
