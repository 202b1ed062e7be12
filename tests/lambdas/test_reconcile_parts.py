"""Reconcile (lambdas/reconcile/handler.py) in parts: a call that has no time for the whole listing
leaves it to another, and what comes of it is what one call would have made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.again import GO_ON
from lambdas.reconcile.handler import ReconcileHandler
from lens.errors import StorageError
from lens.gallery.holds import read_held
from lens.gallery.rows import Kind, Row
from lens.gallery.versions import Look, Version
from lens.pipeline import listing
from lens.storage import FileStorage
from tests.support.s3_bucket import s3_bucket
from tests.support.slow_catalog import SlowCatalog
from tests.support.small_galleries import add, make_live, photo
from tests.support.sqs_queues import looks, make_queue

PAGE = 5
KEYS = [f"{number:02}.jpg" for number in range(22)]
LONG_AGO = time.time() - 7 * 86_400


class Lambda:
    """A function whose calls have 900 seconds, a catalog whose pages take some, and a gallery."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, page_seconds: float) -> None:
        self.bucket = FileStorage(folder / "catalog")
        self.artifacts = FileStorage(folder / "artifacts")
        self.queue = make_queue(monkeypatch, f"looks-{folder.name}")
        make_live(self.artifacts)
        self.page_seconds = page_seconds
        self.left = 0.0
        self.again = 0
        self.calls = 0
        self.pages = 0
        self.between: dict[int, Callable[[], object]] = {}  # what happens before which page
        self.handler = ReconcileHandler(
            SlowCatalog(self.bucket, PAGE, self._page),
            self.artifacts,
            self.queue,
            go_on=self._call_again,
        )
        for key in KEYS:
            self.know(key, self.bucket.write(key, key.encode()).etag)

    def know(self, key: str, etag: str, at: float = LONG_AGO) -> None:
        """The gallery knows this version of a photo."""
        self.add(photo(key, "5", at=at)._replace(etag=etag))

    def add(self, row: Row) -> None:
        """A row that is committed as soon as it was looked at."""
        add(self.artifacts, row, now=row.looked_at)

    def upload(self, key: str) -> None:
        """A new photo, of which an event tells at once."""
        etag = self.bucket.write(key, f"new {key}".encode()).etag
        self.add(photo(key, "9", at=time.time())._replace(etag=etag))

    def remove(self, key: str) -> None:
        """A photo goes, and its event comes at once."""
        self.bucket.delete(key)
        self.add(Row(key, Version("9"), Kind.TOMBSTONE, time.time()))

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1_000)

    def call(self, event: object = None) -> dict[str, int]:
        """One call."""
        self.left, self.calls = 900.0, self.calls + 1
        return self.handler(event, self)

    def run(self) -> dict[str, int]:
        """The schedule's call, and those that it leads to."""
        reply = self.call({"source": "aws.events"})
        while self.again:
            self.again -= 1
            reply = self.call(GO_ON)
        return reply

    def queued(self) -> list[Look]:
        """What was queued, in the order of the keys."""
        return sorted(looks(self.queue), key=lambda look: look.key)

    def _page(self) -> None:
        self.left -= self.page_seconds
        self.pages += 1
        self.between.get(self.pages, lambda: None)()

    def _call_again(self) -> None:
        self.again += 1


@pytest.fixture
def made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[str, float], Lambda]]:
    monkeypatch.setattr(listing, "_PAGE", PAGE)
    monkeypatch.setattr(listing, "_PART", 2 * PAGE)
    with s3_bucket(monkeypatch):
        yield lambda name, seconds: Lambda(tmp_path / name, monkeypatch, seconds)


@pytest.fixture
def both(made: Callable[[str, float], Lambda]) -> tuple[Lambda, Lambda]:
    """One with the time for all, and one whose calls have it for a page."""
    return made("whole", 1.0), made("parts", 850.0)


def outcome(function: Lambda) -> tuple[dict[str, int], list[Look], set[str]]:
    """The last reply, what was queued, and what is held."""
    reply = function.run()
    held = {key for hold in read_held(function.artifacts) for key in hold.keys}
    return reply, function.queued(), held


def test_five_parts_come_to_what_one_call_comes_to(both: tuple[Lambda, Lambda]) -> None:
    for each in both:
        for key in ("new.jpg", "00.jpg", "13.jpg"):
            each.bucket.write(key, b"another")
        each.bucket.write("notes.txt", b"no photo")
        each.bucket.delete("03.jpg")
        each.bucket.delete("21.jpg")
        each.add(Row("17.jpg", Version("6"), Kind.WAITING, LONG_AGO, reason="archived"))
    whole, parts = map(outcome, both)
    assert whole == parts
    assert parts[0] == {"differing": 6, "queued": 6, "regrouped": 0}
    assert [look.key[:2] for look in parts[1]] == ["00", "03", "13", "17", "21", "ne"]
    assert [each.calls for each in both] == [1, 6], "five list, the sixth compares"


def test_what_is_gone_is_decided_over_all_parts_together(both: tuple[Lambda, Lambda]) -> None:
    """Twelve of 22 are a mass; in no part of five would they be one by the rule for many."""
    gone = [key for number, key in enumerate(KEYS) if number % 2 == 0] + [KEYS[1]]
    for each in both:
        for key in gone:
            each.bucket.delete(key)
        each.bucket.write("new.jpg", b"new")
    whole, parts = map(outcome, both)
    assert whole == parts
    assert parts[0]["held"] == 12
    assert [look.key for look in parts[1]] == ["new.jpg"]
    assert parts[2] == set(gone)
    assert [each.calls for each in both] == [1, 4]


def test_few_that_are_gone_go_though_a_part_lacks_them_all(both: tuple[Lambda, Lambda]) -> None:
    for each in both:
        for key in KEYS[5:10]:
            each.bucket.delete(key)
    whole, parts = map(outcome, both)
    assert whole == parts
    assert [look.key for look in parts[1]] == KEYS[5:10]


def test_what_changes_while_it_is_listed_is_newer_than_the_listing(
    made: Callable[[str, float], Lambda],
) -> None:
    """Thirty photos come into a range that is listed already: the listing lacks them, and more than
    half of the gallery with them. Nobody takes them for gone."""
    function = made("busy", 850.0)

    def changes() -> None:
        for number in range(30):
            function.upload(f"00-{number}.jpg")
        function.remove("01.jpg")
        function.upload("02.jpg")
        function.remove("20.jpg")

    function.between = {3: changes}
    function.bucket.write("21.jpg", b"another, and its event is lost")
    reply, queued, held = outcome(function)
    assert (reply["differing"], held) == (1, set())
    assert [look.key for look in queued] == ["21.jpg"]
    function.know("21.jpg", queued[0].key)  # whatever it was: it is embedded
    function.bucket.write("21.jpg", b"once more")
    assert [look.key for look in outcome(function)[1]] == ["21.jpg"], "the next run sees all again"


def test_an_upload_whose_event_is_lost_in_a_listed_range_is_found_by_the_next_run(
    made: Callable[[str, float], Lambda],
) -> None:
    function = made("lost", 850.0)
    function.between = {3: lambda: function.bucket.write("00-new.jpg", b"new")}
    assert outcome(function)[0]["differing"] == 0
    assert [look.key for look in outcome(function)[1]] == ["00-new.jpg"]


def _dies() -> None:
    raise StorageError("the function is killed")


@pytest.mark.parametrize("page", range(1, 6))
def test_a_call_that_dies_is_gone_on_with_by_the_next_of_the_schedule(
    made: Callable[[str, float], Lambda], page: int
) -> None:
    function = made("dies", 850.0)
    function.bucket.write("00.jpg", b"another")
    function.bucket.delete("21.jpg")
    function.between = {page: _dies}
    with pytest.raises(StorageError):
        function.run()
    assert looks(function.queue) == []
    reply, queued, _ = outcome(function)
    assert [look.key for look in queued] == ["00.jpg", "21.jpg"]
    assert reply == {"differing": 2, "queued": 2, "regrouped": 0}
    assert function.pages == 6, "only the page at which it died is listed twice"


@pytest.mark.parametrize("page", range(1, 6))
def test_a_run_that_begins_within_another_does_no_harm(
    made: Callable[[str, float], Lambda], page: int
) -> None:
    """Of two calls at one range one wins, and the other asks for no more calls."""
    function = made("two", 850.0)
    function.bucket.write("00.jpg", b"another")
    inner: list[dict[str, int]] = []

    def another() -> None:
        function.between = {}
        left = function.left
        inner.append(function.call({"source": "aws.events"}))
        function.left = left

    function.between = {page: another}
    outer = function.run()
    assert len(inner) == 1
    assert {look.key for look in function.queued()} == {"00.jpg"}
    assert outer["differing"] == 1
    assert function.calls <= 8


def test_a_comparison_that_fails_lets_the_next_run_list_anew(
    made: Callable[[str, float], Lambda], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = made("fails", 850.0)
    function.bucket.delete("21.jpg")
    for _ in range(5):
        function.call()
    for part in function.artifacts.list("listings/catalog/"):
        function.artifacts.write(part.key, b"damaged")
    with pytest.raises(Exception, match="damaged"):
        function.call()
    reply: dict[str, Any] = function.run()
    assert reply["queued"] == 1
