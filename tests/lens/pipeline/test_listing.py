"""Listing in parts: whatever ends a call, the listing is that of one call, or begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lens.errors import DamagedError, StorageError
from lens.gallery import retention
from lens.pipeline import listing
from lens.pipeline.listing import PREFIX, Cut, Listed, Listing
from lens.storage import FileStorage, ObjectInfo
from tests.support.small_galleries import NOW

KEYS = [f"{number:02}.jpg" for number in range(25)]
PAGE = 5


class Shop:
    """What is listed, and where the parts are kept."""

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder)
        self.keys = set(KEYS)
        self.now = NOW
        self.asked: list[str] = []  # behind which keys
        self.fails_at = ""

    def behind(self, after: str) -> Iterator[ObjectInfo]:
        self.asked.append(after)
        for key in sorted(key for key in self.keys if key > after):
            if key == self.fails_at:
                raise StorageError("the network is gone")
            yield ObjectInfo(key, f"e{key}", 7, NOW)

    def listing(self) -> Listing:
        return Listing(
            self.storage, "shop", self.behind, lambda key: key.endswith(".jpg"), lambda: self.now
        )

    def go_on(self, *, pages: int = 1) -> Listed | Cut:
        """A call that has the time for so many pages."""
        left = iter([False] * (pages - 1))
        return self.listing().go_on(lambda: next(left, True))

    def written_at(self, keys: list[str]) -> float:
        infos = (self.storage.head(key) for key in keys)
        return max(info.modified for info in infos if info)

    def parts(self) -> list[str]:
        return [info.key for info in self.storage.list(f"{PREFIX}shop/")]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(listing, "_PAGE", PAGE)
    monkeypatch.setattr(listing, "_PART", 2 * PAGE)
    return Shop(tmp_path)


def keys(found: Listed | Cut) -> list[str]:
    assert isinstance(found, Listed)
    return [info.key for info in found]


def test_a_listing_that_fits_into_a_part_is_not_written(shop: Shop) -> None:
    shop.keys = {*KEYS[:7], "read me.txt"}
    found = shop.go_on(pages=9)
    assert keys(found) == keys(found) == KEYS[:7], "it can be read again and again"
    assert list(shop.storage.list()) == []


def test_a_long_listing_is_written_in_parts_and_is_the_same(shop: Shop) -> None:
    found = shop.go_on(pages=9)
    assert isinstance(found, Listed)
    assert list(found) == list(shop.behind(""))
    assert (len(shop.parts()), shop.asked[0]) == (3, "")


def test_calls_without_time_get_on_and_the_last_has_the_whole(shop: Shop) -> None:
    shop.keys |= {f"{key}.txt" for key in KEYS}
    cut = [shop.go_on() for _ in range(10)]
    assert [each.count for each in cut] == [3, 5, 8, 10, 13, 15, 18, 20, 23, 25]
    assert all(isinstance(each, Cut) and not each.elsewhere for each in cut)
    found = shop.go_on()
    assert keys(found) == KEYS
    assert found.at == NOW  # type: ignore[union-attr]
    assert keys(shop.go_on()) == KEYS, "until it is ended, it is whole for every call"
    assert shop.asked[-1] == "24.jpg.txt"


def test_a_call_that_fails_or_is_killed_costs_its_part_alone(shop: Shop) -> None:
    assert shop.go_on().count == 5
    shop.fails_at = "12.jpg"
    with pytest.raises(StorageError):
        shop.go_on(pages=9)
    shop.fails_at = ""
    shop.storage.write(f"{PREFIX}shop/killed.npz", b"written, and named by no state")
    assert keys(shop.go_on(pages=9)) == KEYS
    assert shop.asked == ["", "04.jpg", "04.jpg"]


def test_what_comes_or_goes_in_a_range_that_is_listed_is_not_seen(shop: Shop) -> None:
    shop.go_on()
    shop.keys -= {"00.jpg", "20.jpg"}
    shop.keys |= {"03-new.jpg", "23-new.jpg"}
    found = keys(shop.go_on(pages=9))
    assert found == sorted({*KEYS, "23-new.jpg"} - {"20.jpg"})


@pytest.mark.parametrize("before", [0, 1])
def test_of_two_calls_at_once_one_wins_and_the_other_ends(shop: Shop, before: int) -> None:
    for _ in range(before):
        shop.go_on()
    inner: list[Listed | Cut] = []

    def other() -> bool:
        if not inner:
            inner.append(Cut(0))
            inner[0] = shop.go_on()
        return True

    lost = shop.listing().go_on(other)
    assert lost == Cut(5 * before, elsewhere=True)
    assert inner == [Cut(5 * before + 5)]
    assert len(shop.parts()) == before + 1, "the loser's is removed"
    assert keys(shop.go_on(pages=9)) == KEYS


def test_a_lost_answer_is_no_loss(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state was written, and the call is told that somebody else did it."""
    write = shop.storage.write

    def twice(key: str, data: bytes, **given: object) -> ObjectInfo:
        info = write(key, data, **given)  # type: ignore[arg-type]
        return write(key, data, **given) if key.endswith(".json") else info  # type: ignore[arg-type]

    with monkeypatch.context() as lossy:
        lossy.setattr(shop.storage, "write", twice)
        assert shop.go_on() == Cut(5)
    assert keys(shop.go_on(pages=9)) == KEYS


def test_an_old_listing_is_begun_anew(shop: Shop) -> None:
    shop.go_on()
    shop.now += retention.SEGMENT
    assert shop.go_on().count == 10
    shop.now += 1
    found = shop.go_on(pages=9)
    assert keys(found) == KEYS
    assert found.at == shop.now  # type: ignore[union-attr]
    assert shop.asked == ["", "04.jpg", ""]


def test_a_clock_that_goes_back_begins_anew(shop: Shop) -> None:
    shop.go_on()
    shop.now -= 60
    assert shop.go_on().count == 5
    assert shop.asked == ["", ""]


def test_an_ended_listing_stays_readable_and_the_next_begins(shop: Shop) -> None:
    found = shop.go_on(pages=9)
    assert isinstance(found, Listed)
    shop.listing().end(found)
    assert keys(found) == KEYS, "another call may be reading it"
    shop.keys.remove("00.jpg")
    assert shop.go_on().count == 5
    shop.listing().end(found)  # twice: another listing is not ended by it
    assert keys(shop.go_on(pages=9)) == KEYS[1:]


def test_parts_that_nobody_reads_are_removed_when_the_next_listing_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.go_on(pages=9)
    assert isinstance(first, Listed)
    shop.listing().end(first)
    old = shop.parts()
    monkeypatch.setattr(shop.storage, "now", lambda: shop.written_at(old) + retention.DAY + 1)
    shop.go_on()
    assert not set(old) & set(shop.parts())


def test_a_damaged_state_begins_anew_and_a_damaged_part_is_told(shop: Shop) -> None:
    shop.go_on()
    shop.storage.write(f"{PREFIX}shop.json", b"{")
    found = shop.go_on(pages=9)
    assert keys(found) == KEYS
    assert isinstance(found, Listed)
    for part in shop.parts():
        shop.storage.write(part, b"no part")
    with pytest.raises(DamagedError):
        list(found)
