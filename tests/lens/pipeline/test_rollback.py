"""Rollback: pins searches to an earlier commit, and never brings back what was deleted since.

Covers: rollback, retention.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import NotFoundError, UsageError
from lens.gallery import retention
from lens.gallery.commits import advance_head, read_head
from lens.gallery.current import Current, read_current, swap_current
from lens.gallery.rows import Cause, Row
from lens.pipeline.collect import collect
from lens.pipeline.compact import fold
from lens.pipeline.rollback import release, rollback
from lens.search.searcher import Searcher
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import DAY, NOW, add, gone, photo, shown
from tests.support.tiny_model import write_tiny_model


class Shop:
    """Three models, each promoted in its turn, with galleries written by hand."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder)
        self.models = [write_tiny_model(self.storage, seed).model_id for seed in range(3)]
        self.make_live(0)

    def make_live(self, number: int) -> None:
        def switch(current: Current | None) -> Current:
            earlier = (current.live, *current.previous) if current else ()
            return Current(live=self.models[number], previous=earlier)

        swap_current(self.storage, switch)

    def add(self, *rows: object, model: int = 0) -> int:
        return add(self.storage, *rows, model_id=self.models[model]).number  # type: ignore[arg-type]

    @property
    def shown(self) -> dict[str, str]:
        pair = Searcher(self.storage).refresh()
        assert pair is not None
        return shown(pair.gallery)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_searches_stay_at_a_pinned_commit_until_it_is_released(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    shop.add(photo("b", "1"))
    assert rollback(shop.storage, now=NOW).commit == 1
    shop.add(photo("c", "1"))
    assert shop.shown == {"a": "a 1"}
    release(shop.storage)
    assert shop.shown == {"a": "a 1", "b": "b 1", "c": "c 1"}


def test_rolling_back_again_goes_one_commit_further(shop: Shop) -> None:
    for key in "abc":
        shop.add(photo(key, "1"))
    assert [rollback(shop.storage, now=NOW).commit for _ in range(2)] == [2, 1]
    with pytest.raises(NotFoundError, match="no earlier commit"):
        rollback(shop.storage, now=NOW)


def test_a_photo_deleted_and_put_again_does_not_reappear_as_it_was(shop: Shop) -> None:
    shop.add(photo("a", "1", at=NOW), photo("b", "1", at=NOW))
    rollback(shop.storage, commit=1, now=NOW)
    shop.add(gone("a", "2", at=NOW + 1))
    shop.add(photo("a", "3", at=NOW + 2), photo("b", "2", at=NOW + 2))
    assert shop.shown == {"b": "b 1"}


@pytest.mark.parametrize("put_again", [False, True])
def test_what_was_deleted_under_any_later_model_is_hidden_under_an_earlier_one(
    shop: Shop, put_again: bool
) -> None:
    shop.add(photo("a", "5", at=NOW), photo("b", "5", at=NOW))
    shop.make_live(1)
    # A reconciliation found it missing; this model counts from below every event.
    shop.add(gone("a", "", at=NOW + 1), photo("b", "", at=NOW + 1), model=1)
    shop.make_live(2)
    again = [photo("a", "6", at=NOW + 2)] if put_again else []
    shop.add(photo("b", "", at=NOW + 2), *again, model=2)
    rollback(shop.storage, model_id=shop.models[0], now=NOW)
    assert shop.shown == {"b": "b 5"}


def test_a_commit_that_was_the_newest_until_a_minute_ago_can_be_gone_back_to(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    late = NOW + retention.PIN + 9 * DAY
    add(shop.storage, photo("b", "1", at=late), model_id=shop.models[0], now=late)
    assert rollback(shop.storage, now=late + 60).commit == 1
    assert shop.shown == {"a": "a 1"}


def test_a_commit_replaced_too_long_ago_to_know_what_was_deleted_since_is_refused(
    shop: Shop,
) -> None:
    for number in range(3):
        shop.add(photo(f"{number}", "1"))
    late = NOW + retention.PIN
    assert rollback(shop.storage, commit=1, now=late).commit == 1
    with pytest.raises(NotFoundError, match="no commit 2; kept commits: 3"):
        rollback(shop.storage, commit=2, now=late + 1)


def test_an_earlier_model_that_has_not_followed_for_too_long_is_refused(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    shop.make_live(1)
    late = NOW + retention.PIN
    assert rollback(shop.storage, model_id=shop.models[0], now=late).commit == 1
    release(shop.storage)
    with pytest.raises(UsageError, match="more than 28 days"):
        rollback(shop.storage, model_id=shop.models[0], now=late + 1)
    collect(shop.storage, shop.storage, lambda looks: None, now=late + 1)
    with pytest.raises(UsageError, match="more than 28 days"):
        rollback(shop.storage, model_id=shop.models[0], now=late + 2)


def test_a_model_whose_gallery_is_not_kept_is_refused(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    oldest = shop.models[0]
    for number in (1, 2, 1, 2):
        shop.make_live(number)
    with pytest.raises(NotFoundError, match="no kept gallery"):
        rollback(shop.storage, model_id=oldest, now=NOW)


def test_a_model_that_is_being_filled_is_refused(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    shop.make_live(1)
    candidate = shop.models[0]
    swap_current(shop.storage, lambda c: c and c.model_copy(update={"candidate": candidate}))
    with pytest.raises(NotFoundError, match="no kept gallery"):
        rollback(shop.storage, model_id=candidate, now=NOW)


def test_a_promotion_in_the_middle_of_a_rollback_refuses_it(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    shop.add(photo("b", "1"))
    storage = InterruptingStorage(shop.storage, lambda step: shop.make_live(1))
    with (
        storage.interrupted([Interruption(3, "meanwhile", Step("", 0))]),
        pytest.raises(UsageError, match="promoted meanwhile"),
    ):
        rollback(storage, now=NOW)


def test_a_release_whose_answer_was_lost_does_not_end_the_next_pin(shop: Shop) -> None:
    for key in "abc":
        shop.add(photo(key, "1"))
    rollback(shop.storage, commit=1, now=NOW)
    storage = InterruptingStorage(
        shop.storage, lambda step: rollback(shop.storage, commit=2, now=NOW)
    )
    plan = [
        Interruption(3, "lost answer", Step("", 0)),
        Interruption(4, "meanwhile", Step("", 0)),
    ]
    with storage.interrupted(plan):
        release(storage)
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin is not None
    assert current.pin.commit == 2


def test_there_is_nothing_to_release_without_a_pin(shop: Shop) -> None:
    with pytest.raises(UsageError, match="nothing is pinned"):
        release(shop.storage)
    with pytest.raises(NotFoundError, match="nothing has been indexed"):
        release(FileStorage(shop.storage.root / "elsewhere"))


def test_a_commit_before_a_history_began_cannot_be_chosen(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    advance_head(shop.storage, shop.models[0], lambda newest: newest, now=NOW, first=True)
    with pytest.raises(NotFoundError, match="no commit 1; kept commits: 2"):
        rollback(shop.storage, commit=1, now=NOW)


def test_a_rollback_that_slept_while_its_commit_was_removed_pins_nothing(shop: Shop) -> None:
    for number in range(2):
        shop.add(photo(f"{number}", "1"))

    def days_pass(step: Step) -> None:
        for number in range(retention.COMMITS + 2):
            shop.add(photo(f"later {number}", "1"))
        for day in range(3):
            collect(shop.storage, shop.storage, lambda looks: None, now=NOW + day * DAY)

    storage = InterruptingStorage(shop.storage, days_pass)
    with (
        storage.interrupted([Interruption(1, "meanwhile", Step("", 0), "write current")]),
        pytest.raises(NotFoundError, match="removed meanwhile"),
    ):
        rollback(storage, commit=1, now=NOW)
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin is None
    assert "0" in shop.shown


def listed(key: str, sequencer: str, cause: Cause, at: float) -> Row:
    return gone(key, sequencer, at=at)._replace(reason=cause)


def test_deletions_by_listings_can_be_undone_and_no_others(shop: Shop) -> None:
    announce_format(shop.storage, 0.0)
    shop.add(*[photo(key, "1", at=NOW) for key in "abcde"])
    shop.add(
        listed("a", "2", Cause.LISTING, NOW + 1),
        listed("b", "2", Cause.ALLOWED, NOW + 1),
        listed("c", "2", Cause.EVENT, NOW + 1),
        gone("d", "2", at=NOW + 1),  # of an earlier release
    )
    rollback(shop.storage, commit=1, now=NOW + 2)
    assert shop.shown == {"e": "e 1"}
    rollback(shop.storage, commit=1, undo_deletions=True, now=NOW + 2)
    assert shop.shown == {"a": "a 1", "b": "b 1", "e": "e 1"}
    release(shop.storage)
    assert shop.shown == {"e": "e 1"}
    current = read_current(shop.storage)
    assert current is not None
    assert not current.undoes_deletions


def test_what_somebody_deleted_stays_so_though_a_listing_lacked_it_later(shop: Shop) -> None:
    announce_format(shop.storage, 0.0)
    shop.add(photo("a", "1", at=NOW))
    shop.add(listed("a", "2", Cause.EVENT, NOW + 1))
    shop.add(photo("a", "3", at=NOW + 2))
    shop.add(listed("a", "4", Cause.LISTING, NOW + 3))
    fold(shop.storage, read_head(shop.storage, shop.models[0]), now=NOW + 4)
    rollback(shop.storage, commit=1, undo_deletions=True, now=NOW + 5)
    assert shop.shown == {}


def test_deletions_are_not_undone_while_an_earlier_release_may_answer(shop: Shop) -> None:
    shop.add(photo("a", "1"))
    with pytest.raises(UsageError, match="an hour after"):
        rollback(shop.storage, commit=1, undo_deletions=True, now=NOW)


def test_in_artifacts_that_no_earlier_release_has_seen_deletions_are_undone_at_once(
    tmp_path: Path,
) -> None:
    announce_format(FileStorage(tmp_path), NOW)
    shop = Shop(tmp_path)
    shop.add(photo("a", "1"))
    shop.add(listed("a", "2", Cause.LISTING, NOW + 1))
    rollback(shop.storage, commit=1, undo_deletions=True, now=NOW + 2)
    assert shop.shown == {"a": "a 1"}
