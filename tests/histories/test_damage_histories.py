"""Damage: whatever small gallery is damaged wherever, a repair brings every photo of the catalog
back and none that was deleted, and embeds only what was lost.

DAMAGES=10000 plays so many; without it a hundred, and always the same.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lens.errors import LensError
from lens.gallery.commits import Commit, history, read_head
from lens.gallery.current import read_current
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import is_manifest_key
from lens.gallery.rows import Kind
from lens.gallery.versions import Look
from lens.photos.catalog import is_photo
from lens.pipeline.repair import repair
from lens.pipeline.verify import inspect
from lens.storage import FileStorage
from tests.histories.interrupting_storage import CrashError, Interruption, Step
from tests.histories.seeded import small_bounds
from tests.histories.world import KEPT_COMMITS, PHOTOS, World

pytestmark = pytest.mark.slow

DAMAGES = int(os.environ.get("DAMAGES", "0"))
SEEDS = range(DAMAGES or 100)


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    with small_bounds():
        yield


STEPS = (
    *("put", "put", "remove", "replace_after_removal", "stock", "stock", "stock", "take_down"),
    *("embed", "embed_all", "commit_all", "fold", "merge", "collect", "reconcile", "put_feed"),
    *("lay_out", "wait", "pin", "unpin", "lose", "promote"),
)
STAYS = "stays.png"  # a catalog that has lost all its photos is rather one that cannot be seen
ROUNDS = 3
# Among lost keys: all may be, for who knows what was live; a head; a commit of the history. With
# both, nobody knows which segments were committed.
ANY, HEAD, COMMIT = "", "heads/", "commits/"


class DamagedWorld(World):
    """A world whose ledger is not kept: what is damaged is not what was written."""

    def _written(self, key: str, data: bytes) -> None:
        if key.startswith("segments/") or is_manifest_key(key):
            self.part_events.append(key)

    def check_parts(self) -> None:
        """Nothing to compare with."""

    def kept(self, model_id: str) -> list[Commit]:
        """As the artifacts have it."""
        return list(islice(history(self.bare, model_id), KEPT_COMMITS))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_repair_brings_back_what_the_catalog_has(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    world = DamagedWorld(FileStorage(tmp_path / "catalog"), FileStorage(tmp_path / "artifacts"))
    world.perform(Step("promote", 0))
    world._put(STAYS, PHOTOS[0])
    for _ in range(ROUNDS):
        if read_current(world.bare) is None:  # its artifacts are all gone: it begins anew
            world.perform(Step("promote", 0))
        for _ in range(chance.randint(1, 8)):
            world.perform(Step(chance.choice(STEPS), chance.randrange(1000)))
        settled = chance.random() < 0.5 and settle(world)
        lost: set[str] = set()
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            lost |= damage(chance, tmp_path / "artifacts")
        known = (tmp_path / "artifacts/current.json").exists()
        looks = heal(world, chance)
        if settled and known and not lost & {ANY} and not {HEAD, COMMIT} <= lost:
            assert {look.key for look in looks if is_photo(look.key)} <= lost
        check(world)


def settle(world: World) -> bool:
    """Do all that is queued, until the gallery equals the catalog."""
    for _ in range(6):
        world.embed_all()
        world.commit_all()
        if not world.reconcile():
            return True
    raise AssertionError("the gallery never comes to equal the catalog")


def damage(chance: random.Random, root: Path) -> set[str]:
    """Damage a file of the artifacts, in one of the ways that disks and people have; the keys of
    the rows in it, ANY for one that says what is live."""
    if not files(root):
        return {ANY}
    kinds = sorted({path.relative_to(root).parts[0] for path in files(root)})
    kind = chance.choice(kinds)
    path = chance.choice([each for each in files(root) if each.relative_to(root).parts[0] == kind])
    lost = {ANY} if path.name == "current.json" else keys_in(path)
    data = path.read_bytes()
    how = chance.choice(("empty", "half", "gone", "bit", "other"))
    if how == "gone":
        path.unlink()
    elif how == "bit" and data:
        at = chance.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
    elif how == "other":  # another file of its kind, whole by itself
        # An earlier commit in a head's place is a whole head, which nothing can tell from it.
        others = [
            each
            for each in files(root)
            if each.suffix == path.suffix and not (kind == "heads" and "commits" in each.parts)
        ]
        path.write_bytes(chance.choice(others).read_bytes())
    else:
        path.write_bytes(data[: len(data) // 2] if how == "half" else b"")
    return lost


def keys_in(path: Path) -> set[str]:
    """The catalog keys of the rows in a segment, or in the snapshot that a file is part of."""
    if path.parts[-4] == "snapshots":
        path = path.parent / "rows.npz"
    elif path.parts[-3] != "segments":
        return {each for each in (HEAD, COMMIT) if each.rstrip("/") in path.parts[-3:]}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {key.decode() for key in arrays["key"].tolist()}
    except Exception:  # it is damaged already, or it is gone
        return {ANY}


def files(root: Path) -> list[Path]:
    """All that may be damaged: the pictures are made anew, and models have tests of their own."""
    left_out = ("thumbs", "models", "damaged")
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file()
        and not path.name.startswith(".")
        and path.relative_to(root).parts[0] not in left_out
    )


def heal(world: World, chance: random.Random) -> list[Look]:
    """Repair, stopped anywhere first; what it asks for is done, or lost and left to reconcile."""
    for _ in range(chance.choice((0, 0, 1, 2))):
        stop = Interruption(
            chance.randint(1, 80),
            chance.choice(("crash before", "crash after")),
            Step("wait", 0),
            chance.choice(("", "write", "write", "write heads/", "delete")),
        )
        with world.artifacts.interrupted([stop]), suppress(CrashError):
            mend(world)
    lost = chance.random() < 0.3
    repaired = mend(world)
    if not lost:
        world._queue(repaired)
    return repaired


def mend(world: World) -> list[Look]:
    """Repair; where two models may have been live, the first is chosen."""
    try:
        return repair(world.artifacts, world.catalog, clock=world.now).looks
    except LensError as error:
        if "may have been live" not in str(error):
            raise
        return repair(
            world.artifacts, world.catalog, clock=world.now, model_id=world.models[0]
        ).looks


def check(world: World) -> None:
    """Nothing is damaged, no deleted photo is shown at any time, and all of the catalog is found
    once what is queued is done."""
    assert inspect(world.bare).damages == []
    assert repair(world.bare, world.catalog, clock=world.now).done == []
    current = read_current(world.bare)
    if current is None:
        return
    there, unusable = world._photos()
    for model_id in current.followed:
        gallery = load_gallery(world.bare, read_head(world.bare, model_id))
        pending = "".join([*world.messages, *world.part_events])
        shown = {row.key for row in gallery.photos()}
        if not pending:
            assert shown <= there.keys() | unusable
    settle(world)
    for model_id in current.followed:
        gallery = load_gallery(world.bare, read_head(world.bare, model_id))
        assert {row.key: row.photo_id for row in gallery.photos()} == there
        rejected = gallery.known.key[gallery.known.kind == Kind.REJECTION].tolist()
        assert {key.decode() for key in rejected} == unusable
