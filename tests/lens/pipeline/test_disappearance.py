"""Disappearance: what a listing lacks is held where it is too much, over a day, once for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import UsageError
from lens.gallery.current import Current, swap_current
from lens.gallery.holds import allow_deletions, read_held
from lens.gallery.rows import Cause, Kind, Row
from lens.gallery.versions import Version
from lens.photos.catalog import Catalog
from lens.photos.origin import claim_origin
from lens.pipeline.disappearance import is_mass, many_gone
from lens.pipeline.reconcile import Comparison, compare_newest
from lens.storage import FileStorage
from tests.support.small_galleries import DAY, MODEL, NOW, add, gallery, photo


class Shop:
    """A catalog in a folder, and galleries that know all of it; looks are done at once."""

    def __init__(self, folder: Path, photos: int) -> None:
        self.storage = FileStorage(folder / "catalog")
        self.artifacts = FileStorage(folder / "artifacts")
        self.catalog = Catalog(self.storage)
        self.now = NOW
        swap_current(self.artifacts, lambda _: Current(live=MODEL))
        self.keys = [f"{number:03}.jpg" for number in range(photos)]
        self.etags = {key: self.storage.write(key, key.encode()).etag for key in self.keys}
        self.know(self.keys)

    def know(self, keys: list[str], model: str = MODEL) -> None:
        rows = [photo(key, "5", at=self.now)._replace(etag=self.etags[key]) for key in keys]
        add(self.artifacts, *rows, model_id=model, now=self.now)

    def remove(self, *keys: str) -> None:
        for key in keys:
            self.storage.delete(key)
        self.storage.root.mkdir(exist_ok=True)

    def compared(self, model: str = MODEL) -> Comparison:
        return compare_newest(self.catalog, self.artifacts, model, lambda: self.now)

    def reconcile(self, model: str = MODEL) -> tuple[int, int]:
        """How many were looked at, and found to be gone, and how many are held."""
        found = self.compared(model)
        rows = [
            Row(each.key, each.version, Kind.TOMBSTONE, self.now, reason=each.cause)
            for each in found.looks
        ]
        if rows:
            add(self.artifacts, *rows, model_id=model, now=self.now)
        return len(rows), found.held


@pytest.mark.parametrize(
    ("gone", "of", "mass"),
    [
        (1, 1, True),
        (5, 5, True),
        (4, 5, False),
        (1, 5, False),
        (10, 20, False),
        (11, 20, True),
        (10, 19, False),
        (99, 900, False),
        (100, 1_000, True),
        (100, 1_001, False),
        (0, 0, False),
        (0, 7, False),
    ],
)
def test_a_mass_is_all_or_half_of_twenty_or_a_tenth_and_a_hundred(
    gone: int, of: int, mass: bool
) -> None:
    assert is_mass(gone, of) == mass


def test_one_of_five_goes_at_once_and_all_of_five_are_held_until_they_are_allowed(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(shop.keys[0])
    assert shop.reconcile() == (1, 0)
    shop.remove(*shop.keys[1:])
    assert shop.reconcile() == (0, 4)
    assert shop.reconcile() == (0, 4)
    (hold,) = read_held(shop.artifacts)
    assert (hold.photos, hold.of, hold.examples) == (4, 5, tuple(shop.keys[1:]))
    assert gallery(shop.artifacts).photo_count == 4
    allow_deletions(shop.artifacts, hold.id)
    assert shop.reconcile() == (4, 0)
    assert gallery(shop.artifacts).known.reason.tolist() == [b"listing", *[b"allowed"] * 4]
    assert shop.reconcile() == (0, 0)
    assert read_held(shop.artifacts) == ()


def test_a_drive_that_comes_back_ends_the_hold_and_nothing_is_looked_at(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    away = tmp_path / "drive"
    shop.storage.root.rename(away)
    shop.storage.root.mkdir()
    assert shop.reconcile() == (0, 5)
    shop.storage.root.rmdir()
    away.rename(shop.storage.root)
    assert shop.reconcile() == (0, 0)
    assert read_held(shop.artifacts) == ()


def test_a_trickle_counts_together_over_a_day(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 40)
    for hour in range(4):
        shop.remove(*shop.keys[5 * hour : 5 * hour + 5])
        assert shop.reconcile() == (5, 0), hour
        shop.now += 3_600
    shop.remove(shop.keys[20])
    assert shop.reconcile() == (0, 1), "21 of 40"
    shop.now += DAY
    (hold,) = read_held(shop.artifacts)
    shop.remove(shop.keys[21])
    assert shop.reconcile() == (1, 1), "what is held stays so, and what is new begins anew"
    assert read_held(shop.artifacts) == (hold,)


def test_what_was_allowed_does_not_count_against_the_next(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 40)
    shop.remove(*shop.keys[:30])
    assert shop.reconcile() == (0, 30)
    allow_deletions(shop.artifacts, read_held(shop.artifacts)[0].id)
    assert shop.reconcile() == (30, 0)
    shop.remove(shop.keys[30])
    assert shop.reconcile() == (1, 0)


def test_to_allow_one_hold_says_nothing_of_another(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 60)
    shop.remove(*shop.keys[:31])
    assert shop.reconcile() == (0, 31)
    shop.remove(*shop.keys[31:50])
    assert shop.reconcile() == (0, 50)
    first, second = read_held(shop.artifacts)
    assert (first.photos, second.photos) == (31, 19)
    allow_deletions(shop.artifacts, first.id)
    assert shop.reconcile() == (31, 19)
    assert read_held(shop.artifacts) == (second,)
    with pytest.raises(UsageError, match="no hold"):
        allow_deletions(shop.artifacts, "another")


def test_a_hold_that_comes_back_in_part_is_about_the_rest(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(*shop.keys)
    shop.reconcile()
    (hold,) = read_held(shop.artifacts)
    shop.etags[shop.keys[0]] = shop.storage.write(shop.keys[0], b"again").etag
    assert shop.compared().held == 4
    (rest,) = read_held(shop.artifacts)
    assert (rest.id, rest.keys) == (hold.id, frozenset(shop.keys[1:]))


def test_what_moves_to_other_keys_is_not_held(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    folder = shop.storage.root / "moved"
    folder.mkdir()
    for key in shop.keys:
        (shop.storage.root / key).rename(folder / key)
    found = shop.compared()
    assert (len(found.looks), found.held) == (10, 0)


def test_what_was_copied_elsewhere_goes_once_it_was_found_there(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(*shop.keys)
    copies = [f"copies/{key}" for key in shop.keys]
    shop.etags |= {key: shop.storage.write(key, b"x").etag for key in copies}
    assert shop.compared().held == 5
    shop.now += 10
    add(
        shop.artifacts,
        *(
            photo(key, "6", photo_id=f"{key.removeprefix('copies/')} 5", at=shop.now)._replace(
                etag=shop.etags[key]
            )
            for key in copies
        ),
        now=shop.now,
    )
    assert shop.reconcile() == (5, 0)
    assert read_held(shop.artifacts) == ()


def test_what_a_rule_of_ours_leaves_out_is_not_held(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    shop.storage.write(".lensignore", b"*.jpg\n")
    found = shop.compared()
    assert (len(found.looks), found.held) == (5, 0)


def test_photos_that_cannot_be_used_are_held_with_the_others(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 3)
    bad = Row("bad.jpg", Version("5"), Kind.REJECTION, NOW, "etag", reason="broken")
    add(shop.artifacts, bad)
    shop.remove(*shop.keys)
    found = shop.compared()
    assert (found.looks, found.held) == ([], 3)


def test_what_is_held_blocks_no_candidate_and_is_held_for_it_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    swap_current(shop.artifacts, lambda _: Current(live=MODEL, candidate="candidate"))
    shop.know(shop.keys[:2], "candidate")
    shop.remove(*shop.keys)
    assert shop.compared().held == 5
    assert shop.compared("candidate").looks == []
    (hold,) = read_held(shop.artifacts)
    assert hold.photos == 5, "the candidate, which has two of them, takes none from it"
    allow_deletions(shop.artifacts, hold.id)
    assert len(shop.compared().looks) == 5
    assert shop.reconcile("candidate") == (2, 0)


def test_another_catalog_is_not_even_compared(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    claim_origin(shop.artifacts, Catalog(FileStorage(tmp_path / "another")))
    with pytest.raises(UsageError, match="belong to"):
        shop.compared()
    assert read_held(shop.artifacts) == ()


def test_a_burst_of_a_folders_events_is_left_to_a_listing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(*shop.keys[:4])
    known = gallery(shop.artifacts)
    assert not many_gone(shop.catalog, known, shop.keys[:4], NOW)
    shop.remove(shop.keys[4])
    assert many_gone(shop.catalog, known, shop.keys, NOW)
    assert not many_gone(shop.catalog, known, ["new.jpg"], NOW)


def test_a_folders_single_removals_count_together(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(*shop.keys)
    gone = [
        Row(key, Version("6"), Kind.TOMBSTONE, NOW, reason=Cause.EVENT) for key in shop.keys[:4]
    ]
    add(shop.artifacts, *gone)
    assert many_gone(shop.catalog, gallery(shop.artifacts), [shop.keys[4]], NOW)


def test_what_listings_removed_counts_for_a_day(tmp_path: Path) -> None:
    for later, held in ((DAY, 1), (DAY + 0.5, 0)):
        shop = Shop(tmp_path / f"{held}", 40)
        shop.remove(*shop.keys[:20])
        assert shop.reconcile() == (20, 0)
        shop.now += later
        shop.remove(shop.keys[20])
        assert shop.reconcile() == (1 - held, held)


def _copies(shop: Shop, of: dict[str, int], *, at: float) -> list[str]:
    """Let so many copies of these keys be found elsewhere at this time."""
    rows = []
    for key, count in of.items():
        for number in range(count):
            copy = f"copies/{number}/{key}.jpg"
            shop.etags[copy] = shop.storage.write(copy, b"x").etag
            row = photo(copy, "6", photo_id=f"{key} 5", at=at)
            rows.append(row._replace(etag=shop.etags[copy]))
    add(shop.artifacts, *rows, now=at)
    return [row.key for row in rows]


def test_what_was_found_elsewhere_before_it_was_missed_is_not_held(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 22)
    shop.now += 10
    _copies(shop, dict.fromkeys(shop.keys, 1), at=shop.now)
    shop.remove(*shop.keys)
    assert shop.reconcile() == (22, 0)


def test_where_most_was_moved_the_few_that_are_gone_are_no_mass(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 30)
    shop.now += 10
    _copies(shop, dict.fromkeys(shop.keys[:25], 1), at=shop.now)
    shop.remove(*shop.keys)
    assert shop.reconcile() == (30, 0)


def test_what_lay_elsewhere_from_the_first_was_not_moved_there(tmp_path: Path) -> None:
    """Two products with one photo; those of one of them are gone."""
    shop = Shop(tmp_path, 30)
    _copies(shop, dict.fromkeys(shop.keys[:20], 1), at=NOW)
    shop.remove(*shop.keys)
    assert shop.reconcile() == (0, 30)


def test_what_was_found_elsewhere_longer_ago_than_a_day_was_not_moved_there(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, 30)
    _copies(shop, dict.fromkeys(shop.keys[:25], 1), at=NOW + 10)
    shop.remove(*shop.keys)
    shop.now = NOW + 10 + DAY
    assert shop.reconcile() == (0, 30)


def test_as_many_were_moved_as_were_found_elsewhere(tmp_path: Path) -> None:
    """Eight photos of a product are the same; two of them were moved, six are gone."""
    shop = Shop(tmp_path, 0)
    keys = [f"{item}/{number}.jpg" for item in range(5) for number in range(8)]
    rows = []
    for key in keys:
        shop.etags[key] = shop.storage.write(key, b"x").etag
        row = photo(key, "5", photo_id=f"{key[0]} 5")
        rows.append(row._replace(etag=shop.etags[key]))
    add(shop.artifacts, *rows)
    shop.now += 10
    _copies(shop, {str(item): 2 for item in range(5)}, at=shop.now)
    shop.remove(*keys)
    assert shop.reconcile() == (10, 30)


def test_a_copy_that_is_gone_too_moves_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 30)
    shop.now += 10
    copies = _copies(shop, dict.fromkeys(shop.keys, 1), at=shop.now)
    shop.storage.write("left.jpg", b"x")
    shop.remove(*shop.keys, *copies)
    found = shop.compared()
    assert found.held == 60


def test_a_hold_of_a_model_that_nobody_follows_is_looked_after_by_the_others(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, 5)
    shop.remove(*shop.keys)
    assert shop.compared().held == 5
    swap_current(shop.artifacts, lambda _: Current(live="other"))
    shop.know(shop.keys[:2], "other")
    assert shop.compared("other").held == 2
    (rest,) = read_held(shop.artifacts)
    assert rest.keys == set(shop.keys[:2])


def test_a_hold_says_what_is_gone_of_what_and_the_log_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(tmp_path, 40)
    shop.remove(*shop.keys[:15])
    assert shop.reconcile() == (15, 0)
    shop.remove(*shop.keys[15:25])
    assert shop.reconcile() == (0, 10)
    (hold,) = read_held(shop.artifacts)
    assert (hold.photos, hold.of, hold.since, hold.model_id) == (10, 40, NOW, MODEL)
    assert hold.keys == set(shop.keys[15:25])
    assert f"10 of 40 photos are gone from {shop.storage.location}" in caplog.text
    before = shop.artifacts.head("holds.json")
    assert shop.reconcile() == (0, 10)
    assert shop.artifacts.head("holds.json") == before


def test_the_one_photo_of_a_shop_is_a_mass(tmp_path: Path) -> None:
    shop = Shop(tmp_path, 1)
    known = gallery(shop.artifacts)
    assert not many_gone(shop.catalog, known, [], NOW)
    assert not many_gone(shop.catalog, known, shop.keys, NOW)
    shop.remove(*shop.keys)
    assert many_gone(shop.catalog, known, shop.keys, NOW) is True
    assert shop.reconcile() == (0, 1)
    nothing = Shop(tmp_path / "empty", 0)
    assert not many_gone(nothing.catalog, gallery(nothing.artifacts), ["a.jpg"], NOW)


def test_a_folders_removals_of_the_last_day_count_with_those_that_there_were(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, 10)
    shop.remove(*shop.keys)
    gone = [
        Row(key, Version("6"), Kind.TOMBSTONE, NOW, reason=Cause.EVENT) for key in shop.keys[:4]
    ]
    add(shop.artifacts, *gone)
    known = gallery(shop.artifacts)
    assert not many_gone(shop.catalog, known, shop.keys[4:5], NOW), "five of ten"
    assert many_gone(shop.catalog, known, shop.keys[4:], NOW), "ten of ten"
    assert many_gone(shop.catalog, known, shop.keys[4:], NOW + 9 * DAY), "six of six"
