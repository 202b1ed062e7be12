"""The backup: artifacts that are lost are begun anew with it, and the photos give the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import DamagedError, LensError, NotFoundError, UsageError
from lens.gallery.current import read_current
from lens.gallery.versions import Look
from lens.models.manifest import network_key, read_manifest
from lens.photos.catalog import Catalog
from lens.pipeline.backup import back_up, bring_back
from lens.pipeline.promote import promote
from lens.pipeline.reconcile import compare_newest
from lens.search.searcher import Searcher
from lens.storage import FileStorage
from tests.histories.ledger import Ledger
from tests.histories.world import PHOTOS, World
from tests.support.small_galleries import shown
from tests.support.tiny_model import write_tiny_model

FEED = b"id,title\na,A\n"


class Shop(World):
    """Two photos and a product file, under the second model; the first one was live before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FileStorage(folder / "catalog"), FileStorage(folder / "artifacts"))
        for number, key in enumerate(("a.png", "b.png")):
            self.catalog.storage.write(key, PHOTOS[number])
        self.catalog.storage.write("products.csv", FEED)
        self.live(self.models[0])
        self.live(self.models[1])
        self.backup = FileStorage(folder / "backup")

    def look(self, looks: list[Look]) -> None:
        self.embedding.run(looks)
        self.commit_all()

    def live(self, model_id: str) -> None:
        promote(self.artifacts, self.catalog, model_id, self.look, clock=self.now)

    def look_at_all(self) -> None:
        """What the next reconciliation does."""
        self.look(compare_newest(self.catalog, self.artifacts, self.models[1], self.now).looks)

    def save(self) -> list[str]:
        return list(back_up(self.bare, self.catalog, self.backup))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_lost_bucket_is_begun_anew_with_the_live_model_and_its_photos_are_found(
    shop: Shop,
) -> None:
    assert shop.save() == [
        f"{shop.models[1]} (live)",
        shop.models[0],
        "the product file products.csv",
    ]
    assert shop.backup.read("feed/products.csv")[0] == FEED
    for info in list(shop.bare.list()):
        shop.bare.delete(info.key)
    shop.ledger = Ledger()
    assert bring_back(shop.backup, shop.bare, now=shop.now()) == shop.models[1]
    current = read_current(shop.bare)
    assert current is not None and (current.live, current.previous) == (shop.models[1], ())
    shop.look_at_all()
    pair = Searcher(shop.bare).refresh()
    assert pair is not None and set(shown(pair.gallery)) == {"a.png", "b.png"}


def test_a_backup_may_be_made_every_day(shop: Shop) -> None:
    shop.save()
    before = {info.key: info.etag for info in shop.backup.list("models/")}
    shop.catalog.storage.write("products.csv", FEED + b"b,B\n")
    shop.save()
    assert {info.key: info.etag for info in shop.backup.list("models/")} == before
    assert shop.backup.read("feed/products.csv")[0] == FEED + b"b,B\n"


def test_an_earlier_model_that_is_damaged_costs_itself_and_the_live_one_is_an_error(
    shop: Shop,
) -> None:
    for number in (0, 1):
        key = network_key(read_manifest(shop.bare, shop.models[number]))
        shop.bare.write(key, b"nothing")
        if number == 0:
            assert any(f"{shop.models[0]} is left out: {key}" in line for line in shop.save())
    shop.backup = FileStorage(shop.backup.root.with_name("another"))
    with pytest.raises(DamagedError):
        shop.save()
    with pytest.raises(NotFoundError, match="no backup"):
        bring_back(shop.backup, shop.bare, now=shop.now())


def test_a_backup_never_takes_a_gallerys_place(shop: Shop) -> None:
    shop.save()
    with pytest.raises(UsageError, match="2 photos can be found already"):
        bring_back(shop.backup, shop.bare, now=shop.now())


def test_a_new_stacks_default_model_makes_way_for_the_one_that_was_live(
    shop: Shop, tmp_path: Path
) -> None:
    shop.save()
    new = FileStorage(tmp_path / "new")
    (tmp_path / "new-catalog").mkdir()
    default = write_tiny_model(new, seed=9).model_id
    promote(new, Catalog(FileStorage(tmp_path / "new-catalog")), default, lambda looks: None)
    assert bring_back(shop.backup, new, now=shop.now()) == shop.models[1]
    current = read_current(new)
    assert current is not None and current.live == shop.models[1]


def test_a_damaged_backup_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.save()
    key = network_key(read_manifest(shop.backup, shop.models[1]))
    file = shop.backup.root / key
    file.chmod(0o644)
    file.write_bytes(b"nothing")
    new = FileStorage(tmp_path / "new")
    with pytest.raises(DamagedError):
        bring_back(shop.backup, new, now=shop.now())
    assert read_current(new) is None


def test_nothing_is_backed_up_without_a_model_or_onto_itself(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(LensError, match="no model yet"):
        list(back_up(FileStorage(tmp_path / "none"), shop.catalog, shop.backup))
    with pytest.raises(UsageError, match="the artifacts themselves"):
        list(back_up(shop.bare, shop.catalog, shop.bare))
