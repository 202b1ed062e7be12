"""Plans: presets, and how their fields are changed."""

from __future__ import annotations

import pytest

from lens.errors import UsageError
from training.garment.plan import GARMENT, PLANS, plan_of


def test_every_preset_is_one_that_its_own_checks_let_through() -> None:
    for name, plan in PLANS.items():
        assert plan_of(name) == plan and plan.name == name
        assert plan.size == plan.phases[-1].size


def test_a_field_takes_one_value_for_all_phases_or_one_for_each() -> None:
    plan = plan_of("garment", ["lr=1e-3", "size=64,96,96", "steps=7"])
    found = [(p.lr, p.size, p.steps) for p in plan.phases]
    assert found == [(1e-3, 64, 7), (1e-3, 96, 7), (1e-3, 96, 7)]
    assert [p.items for p in plan.phases] == [p.items for p in GARMENT.phases]
    assert plan.size == 96


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("lr", r"'lr' is not FIELD=VALUE; fields: size, steps"),
        ("rate=1", r"'rate=1' is not FIELD=VALUE"),
        ("steps=many", "steps is 'many'; it is a number"),
        ("steps=1.5", "steps is '1.5'; it is a number"),
        ("size=32,64", "size has 2 values and the plan 3 phases"),
        ("size=100", "size is 100; it must be a multiple of 32"),
        ("items=0", "items cannot be 0"),
        ("lr=-1", "lr is -1.0; it cannot be negative"),
        ("lr=nan", "lr is nan; it cannot be negative"),
        ("averaging=1", "averaging less than 1"),
    ],
)
def test_a_value_that_cannot_be_is_told(change: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_of("garment", [change])


def test_a_preset_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="there is no preset 'best'; there are: garment"):
        plan_of("best")
