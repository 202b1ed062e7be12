"""The rules of the gallery, under random histories with crashes and several workers at once."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from lens import compaction
from lens.storage import Storage, open_storage
from tests.histories.interrupting import Interruption, Way
from tests.histories.world import Action, World
from tests.s3_bucket import BUCKET

KEYS = st.sampled_from(["a.png", "shop/b.png", "shop/dress/c.png", "d.png"])
PHOTOS = st.sampled_from([1, 2, 3, 1, 2, 3, 0])  # 0: cannot be used
DELIVERIES = st.sampled_from([1, 1, 1, 0, 2])
SEEDS = st.integers(0, 30)
BOOLS = st.booleans()


def action(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Action]:
    return st.tuples(st.just(name), st.tuples(*arguments))


ACTIONS = st.one_of(
    action("embed", SEEDS, BOOLS),
    action("build", SEEDS, BOOLS),
    action("embed", SEEDS, BOOLS),
    action("build", SEEDS, BOOLS),
    action("lose", SEEDS),
    action("compacts", st.sampled_from(["compact", "fold", "merge"]), BOOLS),
    action("collects"),
    action("reconciles"),
    action("pins", st.integers(0, 5), BOOLS),
    action("releases"),
    action("promotes"),
    action("put", KEYS, PHOTOS, DELIVERIES),
    action("delete", KEYS, DELIVERIES),
    action("waits", st.sampled_from([1.0, 13.0, 25.0, 24.0 * 31])),
    action("reads"),
)
WAYS: st.SearchStrategy[Way] = st.sampled_from(
    ["crash before", "crash after", "lost answer", "another acts"]
)


class Histories(RuleBasedStateMachine):
    """One catalog, four keys, any order of events."""

    places: ClassVar[Iterator[tuple[Storage, Storage]]]

    @initialize()
    def start(self) -> None:
        self.world = World(*next(self.places))

    @rule(key=KEYS, number=PHOTOS, deliveries=DELIVERIES)
    def put(self, key: str, number: int, deliveries: int) -> None:
        self.world.put(key, number, deliveries)

    @rule(key=KEYS, deliveries=DELIVERIES)
    def delete(self, key: str, deliveries: int) -> None:
        self.world.delete(key, deliveries)

    @rule(action=ACTIONS)
    def act(self, action: Action) -> None:
        self.world.perform(action)

    @rule(action=ACTIONS, at=st.integers(0, 14), way=WAYS, others=st.lists(ACTIONS, max_size=4))
    def act_interrupted(self, action: Action, at: int, way: Way, others: list[Action]) -> None:
        def act() -> None:
            for other in others:
                self.world.perform(other)

        self.world.perform(action, Interruption(at, way, act))

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @invariant()
    def readers_see_whole_commits(self) -> None:
        if hasattr(self, "world"):
            self.world.reads()
            self.world.check_parts()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four keys must be enough to fold and to merge."""
    monkeypatch.setattr(compaction, "TAIL_ROWS", 5)
    monkeypatch.setattr(compaction, "TAIL_SEGMENTS", 2)


def run(places: Iterator[tuple[Storage, Storage]], examples: int, steps: int) -> None:
    """Play this many histories; LENS_HISTORIES multiplies them and draws new ones."""
    factor = int(os.environ.get("LENS_HISTORIES", "0"))
    machine = type("Histories", (Histories,), {"places": places})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * (factor or 1),
            stateful_step_count=steps,
            deadline=None,
            derandomize=factor == 0,
            print_blob=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_files_the_gallery_follows_the_catalog_through_any_history(tmp_path: Path) -> None:
    def places() -> Iterator[tuple[Storage, Storage]]:
        for number in itertools.count():
            shutil.rmtree(tmp_path / str(number - 1), ignore_errors=True)
            folder = tmp_path / str(number)
            (folder / "catalog").mkdir(parents=True)
            yield open_storage(folder / "catalog"), open_storage(folder / "artifacts")

    run(places(), examples=150, steps=30)


@pytest.mark.usefixtures("s3")
def test_on_s3_the_gallery_follows_the_catalog_through_any_history() -> None:
    def places() -> Iterator[tuple[Storage, Storage]]:
        for number in itertools.count():
            shop = f"s3://{BUCKET}/{number}"
            yield open_storage(f"{shop}/catalog"), open_storage(f"{shop}/artifacts")

    run(places(), examples=10, steps=25)
