"""Plans: how the garment network is trained, in phases, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

from lens.errors import UsageError

# The trunk halves the sides five times, and its last map is doubled again.
MULTIPLE = 32


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one size, from weights that an earlier phase averaged."""

    size: int  # pixels a side
    steps: int
    items: int  # items of the catalog in a batch
    photos_each: int  # photos of each item
    shoppers: int  # photos of shoppers in a batch
    scenes: int  # views for the places alone
    trunk_lr: float = 4e-4
    lr: float = 1.5e-3  # of all that is not the trunk
    proxy_lr: float = 1e-2  # of the objectives' own weights
    weight_decay: float = 2e-2
    warmup: int = 60  # steps
    frozen: int = 5  # the trunk's first blocks are left as they are
    recolored: float = 0.6  # share of crops whose channels the trunk sees in another order
    kind_weight: float = 6.0
    across_weight: float = 0.0
    color_weight: float = 0.5
    neighbor_weight: float = 0.0  # of whom the photos were like before training, in shape
    tint_weight: float = 0.0  # and in color
    place_weight: float = 1.0
    box_weight: float = 2.0
    garment_weight: float = 2.0
    averaging: float = 0.995  # of the weights, over steps


@dataclass(frozen=True)
class Plan:
    """Phases, one after the other, of which the last ones may be branches.

    Branches all start from the phase before the first of them. The finished network's weights are
    the mean of theirs (Wortsman et al. 2022, "Model soups"): what each is for, it keeps.
    """

    name: str
    phases: tuple[Phase, ...]
    branches: int = 1  # how many of the last phases
    # Length of the embedding's color part; the shape part has length 1. Nothing is trained by it.
    color_weight: float = 0.7

    @property
    def size(self) -> int:
        """Pixels a side of the finished network's input."""
        return self.phases[-1].size


# Of the size that is served. What finds a shopper's kind in a catalog forgets how a catalog's
# garments differ, and what keeps that finds the kind less often: two branches, one for each.
_ACROSS = Phase(
    size=224,
    steps=1050,
    items=10,
    photos_each=3,
    shoppers=22,
    scenes=13,
    trunk_lr=3e-4,
    lr=1e-3,
    proxy_lr=5e-3,
    recolored=0.85,
    kind_weight=4.0,
    across_weight=3.0,
)
_NEIGHBORS = replace(_ACROSS, neighbor_weight=3.0, tint_weight=1.5)

# Most is learned on small views, three times as many in the same time.
GARMENT = Plan(
    "garment",
    (
        Phase(size=160, steps=1000, items=8, photos_each=3, shoppers=26, scenes=18),
        _ACROSS,
        _NEIGHBORS,
    ),
    branches=2,
)

PLANS = {plan.name: plan for plan in (GARMENT,)}


def plan_of(preset: str, changes: Sequence[str] = ()) -> Plan:
    """Return a preset with some fields changed, each given as FIELD=VALUE: one value for all
    phases, or one for each, as in size=160,224.

    Raises UsageError for a field that there is not, or a value that it cannot take.
    """
    if preset not in PLANS:
        raise UsageError(f"there is no preset {preset!r}; there are: {', '.join(PLANS)}")
    plan = PLANS[preset]
    for change in changes:
        name, equals, text = change.partition("=")
        kinds = get_type_hints(Phase)
        if not equals or name not in kinds:
            raise UsageError(f"{change!r} is not FIELD=VALUE; fields: {', '.join(kinds)}")
        values = [_number(name, kinds[name], word) for word in text.split(",")]
        if len(values) == 1:
            values *= len(plan.phases)
        if len(values) != len(plan.phases):
            raise UsageError(
                f"{name} has {len(values)} values and the plan {len(plan.phases)} phases: give one "
                "value for all, or one for each"
            )
        phases = zip(plan.phases, values, strict=True)
        plan = replace(plan, phases=tuple(replace(phase, **{name: v}) for phase, v in phases))
    for phase in plan.phases:
        _check(phase)
    return plan


def _number(name: str, kind: Any, word: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        raise UsageError(f"{name} is {word!r}; it is a number, as in {name}=2") from None


def _check(phase: Phase) -> None:
    for field in fields(phase):
        value = getattr(phase, field.name)
        if not value >= 0:
            raise UsageError(f"{field.name} is {value}; it cannot be negative")
    for name in ("size", "steps", "items", "photos_each", "shoppers"):
        if getattr(phase, name) == 0:
            raise UsageError(f"{name} cannot be 0")
    if phase.size % MULTIPLE:
        raise UsageError(f"size is {phase.size}; it must be a multiple of {MULTIPLE}")
    if phase.recolored > 1 or phase.averaging >= 1:
        raise UsageError("recolored is at most 1, and averaging less than 1: both are shares")
