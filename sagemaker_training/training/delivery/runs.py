"""Runs: the options of a training run, its results (`run.json`), and records of several runs.

A record is small enough for the repository. It stores everything of a run except the photos that
each query found: an answer is only query key -> rank of the first right hit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lens.errors import UsageError
from training.loop.scoring import Answer, ProtocolScores

FILE = "run.json"
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True)
class Job:
    """The options of one training run that are not its recipe."""

    data: Path
    output: Path
    checkpoints: Path
    cache: Path
    artifacts: str  # storage location of the models and of training/{name}/
    name: str
    seed: int = 0
    fold: int = 0
    device: str | None = None
    pretrained: bool = True
    compare: str | None = None  # an earlier run's folder
    margin: float = 0.0  # of the gate, see gate.judge
    test: bool = True  # False: score the validation part only, as when choosing a recipe


@dataclass(frozen=True)
class Run:
    """The results of one training run, with its recipe."""

    model_id: str
    seed: int
    recipe: dict[str, Any]
    data: dict[str, Any]
    machine: dict[str, Any]
    history: list[dict[str, Any]]
    seconds: float  # of training and validation, before and after every interruption
    # By protocol, of the test part; of the validation part if the test part was not scored.
    scores: dict[str, ProtocolScores]
    # By name, what the precision gate measured and decided.
    precisions: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that reports and messages show."""
        return f"{self.recipe['name']}, seed {self.seed}"

    def metrics(self) -> dict[str, Any]:
        """Return the figures that the model's manifest stores."""
        return {name: scores.figures() for name, scores in self.scores.items()}

    def to_json(self) -> str:
        """Return the content of `run.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def compact(self) -> dict[str, Any]:
        """Return the run as a record stores it."""
        found = asdict(self)
        for scores in found["scores"].values():
            scores["answers"] = {each["key"]: each["first_right"] for each in scores["answers"]}
        return found


def read_run(place: str | Path) -> Run:
    """Read a run from its folder or its `run.json`; UsageError if there is none."""
    file = Path(place) / FILE if Path(place).is_dir() else Path(place)
    try:
        return _run(json.loads(file.read_text()))
    except _UNREADABLE as error:
        raise UsageError(f"{file} is not a training run's {FILE} ({error})") from error


def write_record(file: Path, groups: Mapping[str, Sequence[Run]]) -> None:
    """Write groups of runs to one compact file."""
    found = {name: [run.compact() for run in runs] for name, runs in groups.items()}
    file.write_text(json.dumps(found, separators=(",", ":")) + "\n")


def read_record(file: Path) -> dict[str, list[Run]]:
    """Read the groups that `write_record` wrote; UsageError if the file is not a record."""
    try:
        found = json.loads(file.read_text())
        return {name: [_run(each) for each in runs] for name, runs in found.items()}
    except _UNREADABLE as error:
        raise UsageError(f"{file} is not a record of training runs ({error})") from error


def _run(value: dict[str, Any]) -> Run:
    scores = {name: _scores(each) for name, each in value.pop("scores").items()}
    return Run(**value, scores=scores)


def _scores(value: dict[str, Any]) -> ProtocolScores:
    found = value.pop("answers")
    if isinstance(found, dict):  # as a record stores them
        answers = [Answer(key, rank, (), ()) for key, rank in found.items()]
    else:
        answers = [
            Answer(
                each["key"],
                each["first_right"],
                tuple(each["hits"]),
                tuple(each["similarities"]),
            )
            for each in found
        ]
    return ProtocolScores(**value, answers=tuple(answers))
