"""Steps: what may happen in a history, how often, and where it may be interrupted."""

from __future__ import annotations

from random import Random
from typing import get_args

from tests.histories.interrupting_storage import How, Interruption, Step

SHOP = "put", "put_unusable", "remove", "replace_after_removal", "stock", "stock", "take_down"
FEED = "put_feed", "put_feed", "put_feed", "remove_feed"
LAYOUT = ("lay_out",)
LUCK = "lose", "duplicate", "wait", "settle", "set_clock", "set_clock"
STAGES = "embed", "embed_all", "commit", "commit_all", "compact", "fold", "fold", "merge"
OPERATORS = "pin", "pin", "unpin", "promote", "promote", "reconcile", "collect", "collect"
READERS = "read_cold", "read_warm", "read_warm"
MEANWHILE = (
    *("stock", "take_down", "replace_after_removal", "commit_all", "commit_all", "embed"),
    *("fold", "merge", "pin", "unpin", "promote", "collect", "collect", "reconcile"),
    *("read_cold", "read_warm", "put_feed", "lay_out", "sleep", "sleep", "sleep"),
)
RIVALS = "commit_all", "fold", "merge", "promote", "collect", "pin"
# Where an action can be overtaken, and where it is over.
TURNS = "write heads/", "write heads/", "write current", "write commits/", "write snapshots/"
OTHER_TURNS = "write segments/", "write collected", "write condemned", "delete ", "catalog "
CHOICES = 1_000
KINDS = "sell", "happen", "work", "work", "operate", "operate", "race", "race", "read"
LENGTH = 40


def history(seed: int) -> list[tuple[Step, list[Interruption]]]:
    """The steps of a history, each with what interrupts it; always the same for a seed."""
    chance = Random(seed)
    return [_step(chance) for _ in range(chance.randint(10, LENGTH))]


def _step(chance: Random) -> tuple[Step, list[Interruption]]:
    kind = chance.choice(
        ["sell", "happen", "work", "work", "operate", "operate", "race", "race", "read"]
    )
    if kind == "sell":
        return _named(chance, (*SHOP, *FEED, *LAYOUT)), []
    if kind == "happen":
        return _named(chance, LUCK), []
    if kind == "race":
        at = Interruption(1, "meanwhile", _named(chance, MEANWHILE), chance.choice(TURNS))
        return _named(chance, RIVALS), [at]
    names = {"work": STAGES, "operate": OPERATORS, "read": READERS}[kind]
    plan = [_interruption(chance) for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))]
    return _named(chance, names), plan


def _named(chance: Random, names: tuple[str, ...]) -> Step:
    return Step(chance.choice(names), chance.randrange(CHOICES))


def _interruption(chance: Random) -> Interruption:
    hows: tuple[How, ...] = ("meanwhile", "meanwhile", *get_args(How))
    how, meanwhile = chance.choice(hows), _named(chance, MEANWHILE)
    if chance.random() < 0.4:
        return Interruption(chance.randint(1, 40), how, meanwhile)
    of = chance.choice((*TURNS, *OTHER_TURNS))
    return Interruption(chance.randint(1, 3), how, meanwhile, of)
