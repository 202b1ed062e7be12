"""Promotion: another model goes live with the whole catalog, or not at all.

Covers: promote, verdict.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lens.errors import LensError, NotFoundError, PinnedError, UnreadableError
from lens.gallery import retention
from lens.gallery.commits import history, read_head
from lens.gallery.current import read_current, swap_current
from lens.gallery.loading import load_gallery
from lens.gallery.versions import Look
from lens.pipeline.collect import collect
from lens.pipeline.promote import nominate, promote, switch
from lens.pipeline.rollback import release, rollback
from lens.search.searcher import Searcher
from lens.storage import FileStorage, ObjectInfo
from tests.histories.interrupting_storage import CrashError, Interruption, Step
from tests.histories.world import PHOTOS, World
from tests.support.small_galleries import shown


class Shop(World):
    """A world with two photos that are searched under the first model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FileStorage(folder / "catalog"), FileStorage(folder / "artifacts"))
        self.put_at("a.png", 0)
        self.put_at("b.png", 1)
        self.make_live(0)

    def put_at(self, key: str, number: int) -> None:
        self._put(key, PHOTOS[number])

    def remove_at(self, key: str) -> None:
        self._remove(key)

    def deliver(self) -> None:
        self.embed_all()
        self.commit_all()

    def take_away(self, chance: random.Random) -> None:
        """Delete a photo, known at once."""
        self._remove("a.png")
        self.deliver()

    def make_first_live(self, chance: random.Random) -> None:
        """Promote the first model."""
        self.make_live(0)

    def look(self, looks: list[Look]) -> None:
        self.embedding.run(looks)
        self.commit_all()

    def make_live(self, number: int) -> None:
        promote(self.artifacts, self.catalog, self.models[number], self.look, clock=self.now)

    @property
    def live(self) -> int:
        current = read_current(self.bare)
        assert current is not None
        return self.models.index(current.live)

    @property
    def searched(self) -> set[str]:
        pair = Searcher(self.bare).refresh()
        assert pair is not None
        self.read_cold(random.Random(0))
        return set(shown(pair.gallery))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_another_model_goes_live_with_the_whole_catalog(shop: Shop) -> None:
    shop.put_at("c.png", 2)
    shop.make_live(1)
    assert (shop.live, shop.searched) == (1, {"a.png", "b.png", "c.png"})


@pytest.mark.parametrize("at", range(1, 45, 2))
def test_a_promotion_cut_off_anywhere_leaves_a_whole_gallery_and_can_go_on(
    tmp_path: Path, at: int
) -> None:
    shop = Shop(tmp_path)
    with shop.artifacts.interrupted([Interruption(at, "crash after", Step("", 0))]):
        try:
            shop.make_live(1)
        except CrashError:
            assert shop.searched == {"a.png", "b.png"}
    shop.make_live(1)
    assert (shop.live, shop.searched) == (1, {"a.png", "b.png"})
    shop.settle()


@pytest.mark.parametrize("at", range(1, 45, 3))
def test_a_photo_deleted_during_a_promotion_is_gone_after_it(tmp_path: Path, at: int) -> None:
    shop = Shop(tmp_path)
    shop.deliver()
    with shop.artifacts.interrupted([Interruption(at, "meanwhile", Step("take_away", 0))]):
        shop.make_live(1)
    shop.deliver()
    assert (shop.live, shop.searched) in [(1, {"b.png"}), (1, {"a.png", "b.png"})]
    assert ("a.png" in shop.searched) == (shop.catalog.storage.head("a.png") is not None)


def test_who_was_live_is_remembered_and_who_is_live_is_not(shop: Shop) -> None:
    for number, previous in ((1, [0]), (0, [1]), (1, [0])):
        shop.make_live(number)
        current = read_current(shop.bare)
        assert current is not None
        assert current.previous == tuple(shop.models[each] for each in previous)


def test_a_nomination_advances_the_head_so_that_no_collector_empties_it(shop: Shop) -> None:
    shop.make_live(1)
    before = read_head(shop.bare, shop.models[0]).number
    nominate(shop.artifacts, shop.models[0])
    assert read_head(shop.bare, shop.models[0]).number == before + 1


def test_a_model_promoted_while_the_collector_clears_it_away_is_whole(shop: Shop) -> None:
    shop.make_live(1)
    assert [commit.number for commit in history(shop.bare, shop.models[0])] == [2, 1]
    swap_current(shop.bare, lambda c: c and c.model_copy(update={"previous": ()}))
    # The collector has read that nobody keeps the model; before it acts, the model goes live.
    plan = [Interruption(1, "meanwhile", Step("make_first_live", 0), of="write commits/")]
    with shop.artifacts.interrupted(plan):
        collect(shop.artifacts, shop.artifacts, shop._queue, now=shop.now())
    assert (shop.live, shop.searched) == (0, {"a.png", "b.png"})


def test_promotion_is_refused_while_searches_are_pinned(shop: Shop) -> None:
    shop.put_at("c.png", 2)
    shop.deliver()
    rollback(shop.artifacts, now=shop.now())
    with pytest.raises(PinnedError, match="lens release"):
        shop.make_live(1)
    release(shop.artifacts)
    shop.make_live(1)
    assert shop.live == 1


def test_a_switch_is_refused_once_searches_are_pinned(shop: Shop) -> None:
    shop.put_at("c.png", 2)
    shop.deliver()
    nominate(shop.artifacts, shop.models[1])
    rollback(shop.artifacts, now=shop.now())
    with pytest.raises(PinnedError, match="lens release"):
        switch(shop.artifacts, shop.models[1])
    assert shop.live == 0


def test_a_switch_is_refused_to_a_model_that_is_the_candidate_no_more(shop: Shop) -> None:
    nominate(shop.artifacts, shop.models[1])
    nominate(shop.artifacts, shop.models[2])
    with pytest.raises(LensError, match="became the candidate meanwhile"):
        switch(shop.artifacts, shop.models[1])
    assert shop.live == 0


@pytest.mark.parametrize("finish", [True, False])
def test_a_promotion_that_another_overtakes_ends_at_once_and_says_so(
    shop: Shop, finish: bool
) -> None:
    looked: list[Look] = []

    def look(looks: list[Look]) -> None:
        looked.extend(looks)
        if finish:
            shop.make_live(2)
        else:
            nominate(shop.artifacts, shop.models[2])

    with pytest.raises(LensError, match=f"^{shop.models[2]} became the candidate meanwhile"):
        promote(shop.artifacts, shop.catalog, shop.models[1], look, clock=shop.now)
    assert {each.key for each in looked} == {"a.png", "b.png"}
    assert len(looked) == 2
    assert shop.live == (2 if finish else 0)


def test_a_warm_searcher_takes_a_new_model_and_its_gallery_together(shop: Shop) -> None:
    searcher = Searcher(shop.bare)
    for number in (0, 1):
        shop.make_live(number)
        pair = searcher.refresh()
        assert pair is not None
        models = pair.embedder.model_id, pair.gallery.commit.model_id
        assert models == (shop.models[number],) * 2


def test_a_model_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFoundError, match="there is no model 'nobody'"):
        promote(shop.artifacts, shop.catalog, "nobody", shop.look)


def test_a_promotion_ends_though_a_photo_is_uploaded_during_every_listing(shop: Shop) -> None:
    listed = shop.catalog.photos
    late: list[str] = []

    def photos() -> Iterator[ObjectInfo]:
        late.append(f"late/{len(late)}.png")
        shop.put_at(late[-1], len(late) % len(PHOTOS))
        return listed()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.catalog, "photos", photos)
        shop.make_live(1)
    assert len(late) == 2  # what was there, and that it is embedded
    assert (shop.live, shop.searched) == (1, {"a.png", "b.png", *late})


def test_a_promotion_ends_though_a_photo_is_deleted_during_every_listing(shop: Shop) -> None:
    keys = [f"{n}.png" for n in range(30)]
    for key in keys:
        shop.put_at(key, 2)
    shop.deliver()
    listed = shop.catalog.photos

    def photos() -> Iterator[ObjectInfo]:
        shop.remove_at(keys.pop())
        return listed()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.catalog, "photos", photos)
        shop.make_live(1)
    assert (shop.live, shop.searched) == (1, {"a.png", "b.png", *keys})


def test_what_was_deleted_before_an_earlier_model_is_nominated_is_gone_at_the_switch(
    shop: Shop,
) -> None:
    shop.make_live(1)
    shop.remove_at("a.png")
    shop.deliver()
    shop.make_live(0)
    assert shop.searched == {"b.png"}


def test_what_never_comes_ends_a_promotion_and_is_named(shop: Shop) -> None:
    with pytest.raises(LensError, match=r"still lacks a\.png, b\.png after 20 rounds"):
        promote(shop.artifacts, shop.catalog, shop.models[1], lambda looks: None)
    assert shop.live == 0


def test_a_promotion_waits_neither_for_what_waits_nor_for_what_is_held(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.put_at("c.png", 2)
    read = shop.catalog.read

    def archived(key: str) -> tuple[bytes, ObjectInfo]:
        if key == "c.png":
            raise UnreadableError("c.png is archived")
        return read(key)

    monkeypatch.setattr(shop.catalog, "read", archived)
    shop.make_live(1)
    assert (shop.live, shop.searched) == (1, {"a.png", "b.png"})
    for key in ("a.png", "b.png"):
        shop.catalog.storage.delete(key)  # nobody tells: it looks like a drive that is not there
    shop.make_live(0)
    assert (shop.live, shop.searched) == (0, {"a.png", "b.png"})


def test_nobody_can_roll_back_into_a_promotion_or_to_before_it(shop: Shop) -> None:
    shop.make_live(1)
    shop.remove_at("a.png")
    shop.deliver()
    shop.put_at("a.png", 3)
    shop.deliver()
    shop.make_live(0)
    assert [commit.parent for commit in history(shop.bare, shop.models[0])] == [None]
    with pytest.raises(NotFoundError):
        rollback(shop.artifacts, now=shop.now())
    shop.put_at("c.png", 2)
    shop.deliver()
    rollback(shop.artifacts, now=shop.now())
    assert shop.searched == {"a.png", "b.png"}
    pair = Searcher(shop.bare).refresh()
    assert pair is not None
    row = pair.gallery.has_photo_at("a.png")
    assert row is not None
    live = read_head(shop.bare, shop.models[0])
    assert live is not None
    assert row == load_gallery(shop.bare, live).has_photo_at("a.png")


def test_a_model_that_was_live_until_now_can_be_gone_back_to_though_its_photos_are_old(
    shop: Shop,
) -> None:
    shop.time += 2 * retention.PIN
    shop.make_live(1)
    collect(shop.artifacts, shop.artifacts, shop._queue, now=shop.now())
    rollback(shop.artifacts, model_id=shop.models[0], now=shop.now())
    assert shop.searched == {"a.png", "b.png"}
