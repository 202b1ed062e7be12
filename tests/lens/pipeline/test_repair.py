"""Repair: what is whole goes on, what was lost is looked at again, what was deleted stays so.

Covers: repair, repair_work, lost_current, lost_models, restored_head, greatest_versions.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lens.errors import LensError, UsageError
from lens.gallery import retention
from lens.gallery.commits import commit_key, head_key, history, read_head
from lens.gallery.condemned import condemn
from lens.gallery.current import Pin, read_current, swap_current
from lens.gallery.segments import segment_key
from lens.gallery.versions import Version
from lens.photos.catalog import Catalog
from lens.photos.origin import claim_origin
from lens.pipeline.commit import commit_segments
from lens.pipeline.compact import fold, merge
from lens.pipeline.repair import repair
from lens.pipeline.repair_work import Repaired
from lens.pipeline.rollback import rollback
from lens.pipeline.verify import inspect
from lens.storage import FileStorage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import (
    NOW,
    add,
    gallery,
    gone,
    head,
    photo,
    shown,
    write,
)
from tests.support.small_galleries import make_live as name_live
from tests.support.tiny_model import png, write_tiny_model


class Shop:
    """A catalog and its artifacts; each photo's etag is that of its file."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "made"
        self.storage = FileStorage(self.root)
        self.files = FileStorage(folder / "photos")
        self.files.root.mkdir(parents=True)
        self.catalog = Catalog(self.files)
        announce_format(self.storage, 0.0)
        self.model = write_tiny_model(self.storage).model_id
        name_live(self.storage, self.model)

    def put(self, key: str, version: str) -> str:
        """Add a photo, and commit its row; the segment's id."""
        info = self.files.write(key, png(len(key)))
        row = photo(key, version)._replace(etag=info.etag, item_id="", category="")
        return add(self.storage, row, model_id=self.model).segments[-1].id

    def take_down(self, key: str, version: str) -> str:
        """Delete a photo, and commit its tombstone; the segment's id."""
        self.files.delete(key)
        return add(self.storage, gone(key, version), model_id=self.model).segments[-1].id

    def damage(self, key: str) -> None:
        """Spoil an artifact."""
        (self.root / key).write_bytes(b"spoiled")

    def lose(self, segment_id: str) -> None:
        """Spoil a segment."""
        self.damage(segment_key(self.model, segment_id))

    def repair(self, now: float = NOW) -> Repaired:
        """Repair, and see that nothing is left to repair."""
        repaired = repair(self.storage, self.catalog, clock=lambda: now)
        assert inspect(self.storage).damages == []
        assert repair(self.storage, self.catalog, clock=lambda: now) == Repaired()
        return repaired

    @property
    def shown(self) -> set[str]:
        """The keys that a new searcher shows."""
        return set(shown(gallery(self.storage, self.model)))

    def head_key(self) -> str:
        return head_key(self.model)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def looks(repaired: Repaired) -> dict[str, Version]:
    return {look.key: look.version for look in repaired.looks}


def test_the_keys_of_a_lost_segment_are_looked_at_again(shop: Shop) -> None:
    shop.put("a.png", "1")
    lost = shop.put("b.png", "2")
    shop.put("c.png", "3")
    shop.lose(lost)
    repaired = shop.repair()
    assert looks(repaired) == {"b.png": Version("", 1)}
    assert shop.shown == {"a.png", "c.png"}


def test_nothing_that_a_collector_is_about_to_remove_is_named_again(shop: Shop) -> None:
    shop.put("a.png", "1")
    going = shop.put("b.png", "2")
    lost = shop.put("c.png", "3")
    condemn(shop.storage, [segment_key(shop.model, going)])
    shop.lose(lost)
    repaired = repair(shop.storage, shop.catalog, clock=lambda: NOW)
    assert looks(repaired).keys() == {"b.png", "c.png"}
    assert shop.shown == {"a.png"}


def test_another_catalog_is_not_what_is_repaired_with(shop: Shop, tmp_path: Path) -> None:
    claim_origin(shop.storage, shop.catalog)
    shop.lose(shop.put("a.png", "1"))
    before = shop.storage.read(shop.head_key())[0]
    other = FileStorage(tmp_path / "elsewhere")
    other.root.mkdir()
    with pytest.raises(UsageError, match="belong to"):
        repair(shop.storage, Catalog(other), clock=lambda: NOW)
    assert shop.storage.read(shop.head_key())[0] == before


def test_a_photo_whose_tombstone_was_lost_is_not_shown_for_a_moment(shop: Shop) -> None:
    shop.put("a.png", "1")
    shop.put("b.png", "2")
    assert fold(shop.storage, head(shop.storage, shop.model), now=NOW)
    lost = shop.take_down("a.png", "3")
    shop.lose(lost)
    seen: list[set[str]] = []
    watched = InterruptingStorage(
        shop.storage, lambda step: None, lambda key, data: seen.append(visible(shop))
    )
    repaired = repair(watched, shop.catalog, clock=lambda: NOW)
    assert repaired.looks == []
    assert {frozenset(each) for each in seen} == {frozenset({"b.png"}), frozenset()}
    assert shop.shown == {"b.png"}


def visible(shop: Shop) -> set[str]:
    """What a search shows; nothing while the head cannot be loaded."""
    try:
        return shop.shown
    except LensError:
        return set()


def test_looks_stand_above_whatever_can_be_read_and_loose_segments_are_not_adopted(
    shop: Shop,
) -> None:
    shop.put("a.png", "1")
    lost = shop.put("b.png", "5")
    loose = write(shop.storage, photo("b.png", "4", photo_id="older"), model_id=shop.model)
    beside = write(shop.storage, photo("deleted.png", "7"), model_id=shop.model)
    shop.lose(lost)
    repaired = shop.repair()
    assert looks(repaired) == {"b.png": Version("4", 1)}
    named = head(shop.storage, shop.model).tail_ids
    assert not {loose, beside} & named
    # Committed late by whoever wrote it, one shows nothing that the catalog has no more.
    commit_segments(shop.storage, shop.model, [beside], now=NOW)
    assert "deleted.png" not in shop.shown


def test_a_damaged_snapshot_is_made_of_what_was_folded_into_it(shop: Shop) -> None:
    for number in range(4):
        shop.put(f"{number}.png", f"{number + 1}")
    assert fold(shop.storage, head(shop.storage, shop.model), now=NOW)
    shop.put("after.png", "9")
    snapshot = head(shop.storage, shop.model).snapshot
    assert snapshot is not None
    shop.damage(f"snapshots/{shop.model}/{snapshot.id}/vectors.npy")
    assert shop.repair().looks == []
    assert len(shop.shown) == 5


def test_a_damaged_snapshot_falls_back_on_the_one_before(shop: Shop) -> None:
    for number in range(4):
        shop.put(f"{number}.png", f"{number + 1}")
        assert fold(shop.storage, head(shop.storage, shop.model), now=NOW)
    lost = next(c.segments[0].id for c in history(shop.storage, shop.model) if c.segments)
    (shop.root / segment_key(shop.model, lost)).unlink()
    snapshot = head(shop.storage, shop.model).snapshot
    assert snapshot is not None
    shop.damage(f"snapshots/{shop.model}/{snapshot.id}/rows.npz")
    assert set(looks(shop.repair())) == {"3.png"}
    now = head(shop.storage, shop.model).snapshot
    assert now is not None
    assert now.id == snapshot.parent


def test_a_damaged_merge_is_made_of_its_parts(shop: Shop) -> None:
    for number in range(3):
        shop.put(f"{number}.png", f"{number + 1}")
    assert merge(shop.storage, head(shop.storage, shop.model), now=NOW)
    shop.lose(head(shop.storage, shop.model).segments[0].id)
    assert shop.repair().looks == []
    assert len(shop.shown) == 3


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_head_begins_above_every_commit(shop: Shop, how: str) -> None:
    shop.put("a.png", "1")
    shop.put("b.png", "2")
    before = head(shop.storage, shop.model)
    (shop.root / commit_key(shop.model, before.name)).write_bytes(b"spoiled")
    if how == "gone":
        (shop.root / shop.head_key()).unlink()
    else:
        shop.damage(shop.head_key())
    repaired = shop.repair()
    assert head(shop.storage, shop.model).number == before.number + 1
    assert set(looks(repaired)) == {"b.png"}


def test_a_head_that_its_history_contradicts_is_damaged(shop: Shop) -> None:
    shop.put("a.png", "1")
    shop.put("b.png", "2")
    path = shop.root / shop.head_key()
    fields = json.loads(path.read_text())
    fields.pop("sum", None)
    fields["segments"] = fields["segments"][:1]
    path.write_text(json.dumps(fields))
    assert [damage.key for damage in inspect(shop.storage).damages] == [shop.head_key()]
    assert shop.repair().looks == []
    assert shop.shown == {"a.png", "b.png"}


def test_a_head_that_advances_meanwhile_keeps_what_it_got(shop: Shop) -> None:
    lost = shop.put("a.png", "1")
    shop.put("b.png", "2")
    shop.lose(lost)
    storage = InterruptingStorage(shop.storage, lambda step: shop.put("c.png", "3"))
    meanwhile = Interruption(1, "meanwhile", Step("put", 0), "write heads/")
    with storage.interrupted([meanwhile]):
        repaired = repair(storage, shop.catalog, clock=lambda: NOW)
    assert set(looks(repaired)) == {"a.png"}
    assert shop.shown == {"b.png", "c.png"}


def test_a_pin_at_a_damaged_commit_moves_to_an_earlier_one_or_ends(shop: Shop) -> None:
    first, second = shop.put("a.png", "1"), shop.put("b.png", "2")
    shop.put("c.png", "3")
    pin = rollback(shop.storage, now=NOW)
    shop.lose(second)
    assert any("pinned" in line for line in shop.repair().done)
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin is not None
    assert current.pin.commit == pin.commit - 1
    shop.lose(first)
    shop.repair()
    current = read_current(shop.storage)
    assert current is not None
    assert current.pin is None


def test_a_rollback_goes_past_damaged_commits_no_more(shop: Shop) -> None:
    shop.put("a.png", "1")
    shop.lose(shop.put("b.png", "2"))
    shop.put("c.png", "3")
    shop.repair()
    numbers = [commit.number for commit in history(shop.storage, shop.model)]
    assert numbers == [4, 1]
    assert rollback(shop.storage, now=NOW).commit == 1


def test_a_mass_of_photos_that_the_catalog_lacks_is_not_taken_for_deleted(shop: Shop) -> None:
    for number in range(30):
        shop.put(f"{number:02}.png", f"{number + 1:02}")
    shop.lose(head(shop.storage, shop.model).segments[0].id)
    for number in range(30):
        shop.files.delete(f"{number:02}.png")
    shop.files.write("other.png", png(1))
    repaired = repair(shop.storage, shop.catalog, clock=lambda: NOW)
    assert any("29 photos that the catalog does not list" in line for line in repaired.done)
    assert len(shop.shown) == 29


def test_an_empty_retired_model_needs_no_head(shop: Shop) -> None:
    shop.put("a.png", "1")
    add(shop.storage, photo("a.png", "1"), model_id="retired")  # is not followed: no commit
    assert read_head(shop.storage, "retired").number == 0
    assert shop.repair() == Repaired()


@pytest.fixture
def retired(shop: Shop) -> str:
    """An earlier model that nothing brings back."""
    shop.put("a.png", "1")
    earlier = write_tiny_model(shop.storage, 7).model_id
    swap_current(shop.storage, lambda c: c and c.model_copy(update={"previous": (earlier,)}))
    shop.damage(f"models/{earlier}/model.onnx")
    return earlier


def test_a_model_that_nothing_brings_back_stays_damaged_until_it_is_let_go(
    shop: Shop, retired: str
) -> None:
    (line,) = repair(shop.storage, shop.catalog, clock=lambda: NOW).done
    assert line.endswith(
        f"`lens repair --from LOCATION`, or let the model go with `lens repair --forget {retired}`"
    )
    assert set(inspect(shop.storage).keys) == {f"models/{retired}/model.onnx"}
    let_go = repair(shop.storage, shop.catalog, forget=retired, clock=lambda: NOW)
    assert let_go.done == [f"{retired} is let go: it cannot be searched or promoted any more"]
    assert inspect(shop.storage).whole
    current = read_current(shop.storage)
    assert current is not None
    assert (current.live, current.previous) == (shop.model, ())
    kept = {info.key.rpartition("/")[2] for info in shop.storage.list("damaged/")}
    assert kept == {"model.onnx", "manifest.json"}
    assert shop.shown == {"a.png"}


def test_a_model_that_comes_back_is_not_let_go(shop: Shop, retired: str, tmp_path: Path) -> None:
    copy = FileStorage(tmp_path / "copy")
    write_tiny_model(copy, 7)
    sources = [lambda key: [copy.read(key)[0]]]
    repair(shop.storage, shop.catalog, sources=sources, forget=retired, clock=lambda: NOW)
    current = read_current(shop.storage)
    assert current is not None
    assert current.previous == (retired,)
    assert inspect(shop.storage).whole


def test_only_a_damaged_model_is_let_go_that_nothing_is_searched_with(
    shop: Shop, retired: str
) -> None:
    def refused(model_id: str) -> str:
        before = {info.key: info.etag for info in shop.storage.list()}
        with pytest.raises(UsageError) as raised:
            repair(shop.storage, shop.catalog, forget=model_id, clock=lambda: NOW)
        assert {info.key: info.etag for info in shop.storage.list()} == before
        return str(raised.value)

    assert f"damaged are: {retired}" in refused(shop.model)
    shop.damage(f"models/{shop.model}/model.onnx")
    assert "`lens repair --model ID`" in refused(shop.model)
    pin = Pin(model_id=retired, commit=1, commit_id="c", since=NOW)
    swap_current(shop.storage, lambda c: c and c.model_copy(update={"pin": pin}))
    assert "`lens release`" in refused(retired)


def test_a_whole_model_is_not_let_go(shop: Shop) -> None:
    with pytest.raises(UsageError, match="damaged are: none"):
        repair(shop.storage, shop.catalog, forget=shop.model, clock=lambda: NOW)


def test_what_is_set_aside_has_a_folder_of_its_time(shop: Shop) -> None:
    shop.lose(shop.put("a.png", "1"))
    shop.repair(now=0.0 + retention.GRACE)
    (kept,) = shop.storage.list("damaged/19700102T000000Z/segments/")
    assert shop.storage.read(kept.key)[0] == b"spoiled"


def test_a_lost_entry_of_the_head_is_written_again(shop: Shop) -> None:
    shop.put("a.png", "1")
    newest = head(shop.storage, shop.model)
    (shop.root / commit_key(shop.model, newest.name)).unlink()
    assert shop.repair().looks == []
    assert head(shop.storage, shop.model) == newest
    (shop.root / shop.head_key()).unlink()
    assert shop.repair().looks == []
    assert shop.shown == {"a.png"}
