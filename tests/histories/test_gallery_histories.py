"""Histories of a gallery: whatever happens, in whatever order, no photo is lost, none comes back,
and no reader ever sees a mix."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lens.storage import FileStorage, open_storage
from tests.histories.interrupting_storage import How, Interruption, Step
from tests.histories.seeded import act_out as act_out_seed
from tests.histories.seeded import small_bounds
from tests.histories.steps import (
    FEED,
    LAYOUT,
    LUCK,
    MEANWHILE,
    OPERATORS,
    READERS,
    RIVALS,
    SHOP,
    STAGES,
    TURNS,
    history,
)
from tests.histories.world import World
from tests.support.s3_bucket import BUCKET, s3_bucket

pytestmark = pytest.mark.slow

# How many histories to act out, each time others; without it few, and always the same.
HISTORIES = int(os.environ.get("HISTORIES", "0"))

choices = st.integers(0, 999)
steps = st.builds(Step, st.sampled_from(MEANWHILE), choices)
hows: st.SearchStrategy[How] = st.sampled_from(
    ["meanwhile", "meanwhile", "meanwhile", *get_args(How)]
)
interruptions = st.lists(
    st.builds(Interruption, at=st.integers(1, 30), how=hows, meanwhile=steps)
    | st.builds(
        Interruption, at=st.integers(1, 3), how=hows, meanwhile=steps, of=st.sampled_from(TURNS)
    ),
    max_size=3,
)


def machine(open_world: Callable[[], World]) -> type[RuleBasedStateMachine]:
    """A machine that acts out histories in worlds of this kind."""

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world = open_world()
            for name, choice in [("promote", 0), ("stock", 1), ("stock", 2)]:
                self.world.perform(Step(name, choice))

        @rule(name=st.sampled_from((*SHOP, *FEED, *LAYOUT)), choice=choices)
        def sell(self, name: str, choice: int) -> None:
            self.world.perform(Step(name, choice))

        @rule(name=st.sampled_from(LUCK), choice=choices)
        def happen(self, name: str, choice: int) -> None:
            self.world.perform(Step(name, choice))

        @rule(name=st.sampled_from(STAGES), choice=choices, plan=interruptions)
        def work(self, name: str, choice: int, plan: list[Interruption]) -> None:
            self.world.perform(Step(name, choice), plan)

        @rule(name=st.sampled_from(OPERATORS), choice=choices, plan=interruptions)
        def operate(self, name: str, choice: int, plan: list[Interruption]) -> None:
            self.world.perform(Step(name, choice), plan)

        @rule(
            name=st.sampled_from(RIVALS), choice=choices, turn=st.sampled_from(TURNS), other=steps
        )
        def race(self, name: str, choice: int, turn: str, other: Step) -> None:
            self.world.perform(Step("stock", choice))
            self.world.perform(Step(name, choice), [Interruption(1, "meanwhile", other, turn)])

        @rule(name=st.sampled_from(READERS), choice=choices, plan=interruptions)
        def read(self, name: str, choice: int, plan: list[Interruption]) -> None:
            self.world.perform(Step(name, choice), plan)

        @invariant()
        def a_new_reader_sees_one_whole_commit(self) -> None:
            self.world.perform(Step("read_cold", 0))

        def teardown(self) -> None:
            self.world.settle()

    return Histories


@pytest.fixture(autouse=True)
def much_to_do() -> Iterator[None]:
    """Compactors and the collector have much to do already in small galleries."""
    with small_bounds():
        yield


def act_out(open_world: Callable[[], World], histories: int) -> None:
    run_state_machine_as_test(
        machine(open_world),
        settings=settings(
            max_examples=HISTORIES or histories,
            stateful_step_count=40,
            derandomize=not HISTORIES,
            database=None,
            deadline=None,
            print_blob=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_history_in_folders_ends_with_the_catalog(tmp_path: Path) -> None:
    numbers = itertools.count(1)

    def open_world() -> World:
        number = next(numbers)
        shutil.rmtree(tmp_path / str(number - 1), ignore_errors=True)
        here = tmp_path / str(number)
        return World(FileStorage(here / "catalog"), FileStorage(here / "artifacts"))

    act_out(open_world, histories=8)


def test_every_history_in_s3_ends_with_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(1)

    def open_world() -> World:
        here = f"s3://{BUCKET}/{next(numbers)}"
        return World(open_storage(f"{here}/catalog"), open_storage(f"{here}/artifacts"))

    with s3_bucket(monkeypatch):
        act_out(open_world, histories=3)


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 200, 25)])
def test_every_history_of_a_seed_ends_with_the_catalog(seeds: range) -> None:
    for seed in seeds:
        act_out_seed(seed)


# A gallery whose deleted photos are forgotten, long after its oldest segments left the fold log; a
# promotion that another one overtook, and that went on with a gallery which nobody filled; a reader
# that loads a model in the middle of another one's loading, which waited for itself; a photo
# deleted a second time, by a clock that was hours behind, under a pin; a rollback that slept
# until its commit was removed, which a collector finds before the rollback does.
@pytest.mark.parametrize("seed", [100_052, 200_126, 200_196, 200_394, 202_563, 203_563])
def test_a_history_that_once_failed_ends_with_the_catalog(seed: int) -> None:
    act_out_seed(seed)


def test_a_seed_always_tells_the_same_history() -> None:
    assert history(4) == history(4) != history(5)
