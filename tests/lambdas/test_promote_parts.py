"""Promote (lambdas/promote/handler.py) in parts: a catalog that one call has no time to list is
listed over several rounds, once for the rounds that embed; and looks are queued in portions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.promote import handler
from lambdas.promote.handler import PromoteHandler
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.rows import Kind, Row
from lens.gallery.versions import Look, Version
from lens.models.manifest import DEFAULT_NUMBER, read_manifest
from lens.pipeline import listing
from lens.pipeline.verdict import Verdict, verdict_key
from lens.storage import FileStorage
from lens.storage.documents import write_document
from tests.support.s3_bucket import s3_bucket
from tests.support.slow_catalog import SlowCatalog
from tests.support.small_galleries import add, photo
from tests.support.sqs_queues import looks, make_queue
from tests.support.tiny_model import write_tiny_model

PAGE = 5
KEYS = [f"{number:02}.jpg" for number in range(22)]
EVENT = {"job": "a-job", "patience": 5}


class Shop:
    """Photos of long ago, a model that was trained, and a function with 900 seconds a call."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, page_seconds: float) -> None:
        self.bucket = FileStorage(folder / "catalog")
        self.artifacts = FileStorage(folder / "artifacts")
        self.queue = make_queue(monkeypatch, f"looks-{folder.name}")
        self.page_seconds = page_seconds
        self.left = 0.0
        self.pages = 0
        for key in KEYS:
            self.bucket.write(key, key.encode())
        self.live = write_tiny_model(self.artifacts).model_id
        swap_current(self.artifacts, lambda _: Current(live=self.live))
        self.trained = write_tiny_model(self.artifacts, seed=1).model_id
        verdict = Verdict(
            passed=True,
            reason="better",
            model_id=self.trained,
            live=self.live,
            protocol="benchmark",
            candidate_recall_at_1=0.8,
            live_recall_at_1=0.7,
            margin=0.0,
        )
        write_document(self.artifacts, verdict_key("a-job"), verdict)
        self.handler = PromoteHandler(
            SlowCatalog(self.bucket, PAGE, self._page), self.artifacts, self.queue
        )

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1_000)

    def ask(self, before: dict[str, Any] | None = None) -> dict[str, Any]:
        """A round; without what came before, the first."""
        self.left = 900.0
        return self.handler({**EVENT, "before": before or {}}, self)

    def ask_until_asked(self) -> tuple[dict[str, Any], int]:
        """The first answer that says how much is owed, and how many rounds it took."""
        answer = self.ask()
        rounds = 1
        while "behind" not in answer:
            assert answer["status"] == "filling"
            answer, rounds = self.ask(answer), rounds + 1
        return answer, rounds

    def embed(self) -> list[str]:
        """Work the queue off; the keys that were in it."""
        asked = looks(self.queue)
        for look in asked:
            self.look_at(look)
        return sorted(look.key for look in asked)

    def look_at(self, look: Look) -> None:
        now = time.time()
        found = self.bucket.head(look.key)
        row = (
            photo(look.key, "1", at=now)._replace(version=look.version, etag=found.etag)
            if found
            else Row(look.key, look.version, Kind.TOMBSTONE, now)
        )
        self.add(row)

    def add(self, row: Row) -> None:
        add(self.artifacts, row, model_id=self.trained, now=row.looked_at)

    def _page(self) -> None:
        self.left -= self.page_seconds
        self.pages += 1

    @property
    def is_live(self) -> bool:
        current = read_current(self.artifacts)
        return current is not None and current.live == self.trained


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[float], Shop]]:
    monkeypatch.setattr(listing, "_PAGE", PAGE)
    monkeypatch.setattr(listing, "_PART", 2 * PAGE)
    with s3_bucket(monkeypatch):
        yield lambda seconds: Shop(tmp_path / f"{seconds:.0f}", monkeypatch, seconds)


def test_a_catalog_listed_in_five_rounds_is_promoted_as_one_that_is_listed_in_one(
    made: Callable[[float], Shop],
) -> None:
    whole, parts = made(1.0), made(850.0)
    (one, rounds_of_one), (other, rounds) = whole.ask_until_asked(), parts.ask_until_asked()
    assert (rounds_of_one, rounds) == (1, 6), "five list, the sixth compares"
    assert {**one, "round": 6, "model_id": other["model_id"]} == other
    assert other["behind"] == len(KEYS) and other["idle"] == 0
    assert whole.embed() == parts.embed() == KEYS
    assert [each.ask(answer)["status"] for each, answer in ((whole, one), (parts, other))] == [
        "live"
    ] * 2
    assert parts.pages == 5, "it was listed once"
    assert whole.is_live and parts.is_live


def test_what_is_uploaded_and_removed_after_the_listing_is_left_to_its_events(
    made: Callable[[float], Shop],
) -> None:
    shop = made(850.0)
    answer, _ = shop.ask_until_asked()
    shop.embed()
    now = time.time()
    written = shop.bucket.write("new.jpg", b"new")
    shop.add(photo("new.jpg", "9", at=now)._replace(etag=written.etag))
    shop.bucket.delete(KEYS[3])
    shop.add(Row(KEYS[3], Version.of_event("9"), Kind.TOMBSTONE, now))
    changed = shop.bucket.write(KEYS[4], b"another")
    shop.add(photo(KEYS[4], "9", at=now)._replace(etag=changed.etag))
    assert shop.ask(answer)["status"] == "live"
    assert shop.embed() == []


def test_a_listing_from_before_another_nomination_does_not_serve(
    made: Callable[[float], Shop],
) -> None:
    """What came between the two had no event for this candidate."""
    shop = made(850.0)
    shop.ask_until_asked()
    shop.embed()
    other = write_tiny_model(shop.artifacts, seed=2).model_id
    swap_current(shop.artifacts, lambda c: c.model_copy(update={"candidate": other}) if c else None)
    time.sleep(0.01)  # its file is as old as this
    shop.bucket.write("between.jpg", b"between")
    swap_current(
        shop.artifacts, lambda c: c.model_copy(update={"candidate": shop.trained}) if c else None
    )
    answer, rounds = shop.ask_until_asked()
    assert rounds == 6
    assert answer["behind"] == 1
    assert shop.embed() == ["between.jpg"]
    assert shop.ask(answer)["status"] == "live"


def test_looks_are_queued_in_portions_and_a_round_that_brings_nothing_asks_for_the_next(
    made: Callable[[float], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "_MOST_ASKED", 8)
    shop = made(850.0)
    answer, _ = shop.ask_until_asked()
    portions = []
    while answer["status"] == "filling":
        portions.append(shop.embed())
        answer = shop.ask(answer)
    assert answer["status"] == "live"
    assert [each for each in portions if each] == [KEYS[:8], KEYS[8:16], KEYS[16:]]
    assert len(portions) <= 6


def test_a_default_model_goes_on_listing_with_each_run_on_the_schedule(
    made: Callable[[float], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = made(850.0)
    swap_current(
        shop.artifacts, lambda c: c.model_copy(update={"candidate": shop.trained}) if c else None
    )
    manifest = read_manifest(shop.artifacts, shop.trained)
    shipped = manifest.model_copy(update={"recipe": {DEFAULT_NUMBER: 2}})
    monkeypatch.setattr(handler, "read_manifest", lambda *_: shipped)
    answers = []
    for _ in range(7):
        shop.left = 900.0
        answers.append(shop.handler({}, shop))
        if answers[-1]["status"] == "live":
            break
        shop.embed()
    assert [each.get("listed") for each in answers[:4]] == [5, 10, 15, 20]
    assert answers[-1]["status"] == "live" and shop.is_live
