"""Seeded: acts out the history of a number, which is always the same."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from lens.gallery import retention
from lens.models import choice
from lens.pipeline import compact as compaction
from tests.histories.interrupting_storage import Interruption, Step
from tests.histories.memory_storage import MemoryStorage
from tests.histories.quick import quick
from tests.histories.steps import history
from tests.histories.world import KEPT_COMMITS, START, World

Tell = Callable[[Step, list[Interruption]], None]

# A shop that has a gallery before anything happens.
_BEGINNING = Step("promote", 0), Step("stock", 1), Step("stock", 2)


@contextmanager
def small_bounds() -> Iterator[None]:
    """Compactors and the collector have much to do already in small galleries."""
    with (
        patch.object(compaction, "TAIL_SEGMENTS", 2),
        patch.object(compaction, "SMALL_SEGMENT_ROWS", 2),
        patch.object(compaction, "TAIL_ROWS", 5),
        patch.object(compaction, "LOADING_SHARE", 1),
        patch.object(retention, "COMMITS", KEPT_COMMITS),
        # Whoever acts meanwhile is another process, with a lock of its own.
        patch.object(choice, "_one_at_a_time", nullcontext()),
    ):
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def say_nothing(step: Step, plan: list[Interruption]) -> None:
    """Tells nothing."""


def act_out(seed: int, tell: Tell = say_nothing) -> None:
    """Act out a history, in memory, to the end at which the gallery must equal the catalog; `tell`
    is called before each step."""
    worlds: list[World] = []

    def clock() -> float:
        return worlds[0].now() if worlds else START

    artifacts = MemoryStorage("memory:///", clock)
    read_at = None
    with quick():
        world = World(MemoryStorage("memory:///catalog/", clock), artifacts)
        worlds.append(world)
        for step, plan in [*((step, []) for step in _BEGINNING), *history(seed)]:
            tell(step, plan)
            world.perform(step, plan)
            if artifacts.changes != read_at:  # else a new reader has seen these very bytes
                world.perform(Step("read_cold", 0))
                read_at = artifacts.changes
        tell(Step("settle", 0), [])
        world.settle()


def trouble_of(seed: int, tell: Tell = say_nothing) -> tuple[int, str]:
    """A history's number, and the traceback of what failed in it; empty where nothing did."""
    with small_bounds():
        try:
            act_out(seed, tell)
        except Exception:
            return seed, traceback.format_exc()
    return seed, ""
