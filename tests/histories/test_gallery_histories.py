"""Histories of a gallery: whatever happens, in whatever order, no photo is lost, none comes back,
and no reader ever sees a mix."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lens.gallery import retention
from lens.pipeline import compact as compaction
from lens.storage import FileStorage, open_storage
from tests.histories.interrupting_storage import How, Interruption, Step
from tests.histories.world import KEPT_COMMITS, World
from tests.support.s3_bucket import BUCKET, s3_bucket

pytestmark = pytest.mark.slow

# How many histories to act out, each time others; without it few, and always the same.
HISTORIES = int(os.environ.get("HISTORIES", "0"))

SHOP = "put", "put_unusable", "remove", "replace_after_removal", "stock", "stock", "take_down"
FEED = "put_feed", "put_feed", "put_feed", "remove_feed"
LAYOUT = ("lay_out",)
LUCK = "lose", "duplicate", "wait", "settle"
STAGES = "embed", "embed_all", "commit", "commit_all", "compact", "fold", "fold", "merge"
OPERATORS = "pin", "pin", "unpin", "promote", "promote", "reconcile", "collect", "collect"
READERS = "read_cold", "read_warm", "read_warm"
MEANWHILE = (
    *("stock", "take_down", "replace_after_removal", "commit_all", "commit_all", "embed"),
    *("fold", "merge", "pin", "unpin", "promote", "collect", "collect", "reconcile"),
    *("read_cold", "read_warm", "put_feed", "lay_out"),
)
RIVALS = "commit_all", "fold", "merge", "promote", "collect", "pin"
# Where an action can be overtaken, and where it is over.
TURNS = "write heads/", "write heads/", "write current", "write commits/", "write snapshots/"

choices = st.integers(0, 999)
steps = st.builds(Step, st.sampled_from(MEANWHILE), choices)
hows: st.SearchStrategy[How] = st.sampled_from(
    ["meanwhile", "meanwhile", "meanwhile", "lost answer", "crash before", "crash after", "failure"]
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
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compactors and the collector have much to do already in small galleries."""
    monkeypatch.setattr(compaction, "TAIL_SEGMENTS", 2)
    monkeypatch.setattr(compaction, "SMALL_SEGMENT_ROWS", 2)
    monkeypatch.setattr(compaction, "TAIL_ROWS", 5)
    monkeypatch.setattr(retention, "COMMITS", KEPT_COMMITS)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


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

    act_out(open_world, histories=120)


def test_every_history_in_s3_ends_with_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(1)

    def open_world() -> World:
        here = f"s3://{BUCKET}/{next(numbers)}"
        return World(open_storage(f"{here}/catalog"), open_storage(f"{here}/artifacts"))

    with s3_bucket(monkeypatch):
        act_out(open_world, histories=12)
