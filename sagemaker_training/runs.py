"""Runs: what a training is told, and what it leaves behind, `run.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evaluate import Answer, Scores
from lens.errors import UsageError

FILE = "run.json"


@dataclass(frozen=True)
class Job:
    """Which run it is, and where its things are."""

    data: Path
    output: Path
    checkpoints: Path
    cache: Path
    artifacts: str  # location of the models; training/{name}/ lies there too
    name: str
    seed: int = 0
    fold: int = 0
    device: str | None = None
    pretrained: bool = True
    compare: str | None = None  # an earlier run's folder
    margin: float = 0.0  # of the gate
    test: bool = True  # False: only the validation part is scored, as for choosing a recipe


@dataclass(frozen=True)
class Run:
    """One training, from its recipe to its figures."""

    model_id: str
    seed: int
    recipe: dict[str, Any]
    data: dict[str, Any]
    machine: dict[str, Any]
    history: list[dict[str, Any]]
    seconds: float  # training and validation, in all sittings
    scores: dict[str, Scores]  # by protocol, of the test part; of the validation without one
    precisions: dict[str, Any] = field(default_factory=dict)  # by name, what the gate said of each

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.recipe['name']}, seed {self.seed}"

    def metrics(self) -> dict[str, Any]:
        """The figures for the manifest."""
        return {name: scores.figures() for name, scores in self.scores.items()}

    def to_json(self) -> str:
        """The whole file."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_run(place: str | Path) -> Run:
    """A run's folder, or the file in it; UsageError where there is none."""
    file = Path(place) / FILE if Path(place).is_dir() else Path(place)
    try:
        found = json.loads(file.read_text())
        scores = {name: _scores(value) for name, value in found.pop("scores").items()}
        return Run(**found, scores=scores)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{file} is not a training run's {FILE} ({error})") from error


def _scores(value: dict[str, Any]) -> Scores:
    answers = tuple(
        Answer(each["key"], each["first_right"], tuple(each["hits"]), tuple(each["similarities"]))
        for each in value.pop("answers")
    )
    return Scores(**value, answers=answers)
