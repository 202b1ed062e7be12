"""Progress: what a run prints, and the same as TensorBoard files.

CloudWatch reads the printed lines by metric_definitions.json, which is SageMaker's own format; the
deployment reads that file too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lens.evaluation.score import KS
from training.loop.distributed import Ranks
from training.loop.scoring import Scores


class Progress:
    """The first rank's voice; the other ranks are silent."""

    def __init__(self, ranks: Ranks, tensorboard: Path | None = None) -> None:
        self._speaks = ranks.first
        self._tensorboard = tensorboard
        self._writer: Any = None

    def say(self, text: str) -> None:
        """One line, at once: SageMaker's log is a pipe."""
        if self._speaks:
            print(text, flush=True)

    def step(self, step: int, steps: int, loss: float, lr: float, speed: float) -> None:
        """A step of all ranks together; speed in images a second."""
        self.say(f"step {step}/{steps} loss {loss:.4f} lr {lr:.2e} images/s {speed:.1f}")
        self._chart(step, {"train/loss": loss, "train/lr": lr})

    def epoch(self, step: int, epoch: int, epochs: int, loss: float, seconds: float) -> None:
        """An epoch that ended."""
        self.say(f"epoch {epoch}/{epochs} done: loss {loss:.4f} in {seconds:.1f} s")
        self._chart(step, {"train/epoch_loss": loss})

    def scores(self, part: str, scores: Scores, step: int) -> None:
        """One protocol's figures on the validation or the test part."""
        self.say(f"{part} {scores.protocol}: {figures_line(scores)}")
        name = f"{part}/{scores.protocol}"
        self._chart(
            step,
            {f"{name}/recall_at_1": scores.recall_at_k["1"], f"{name}/map_at_r": scores.map_at_r},
        )

    def validation(self, step: int, recall_at_1: float, map_at_r: float) -> None:
        """The means over the validation's protocols, by which epochs are compared."""
        self.say(f"validation: R@1 {recall_at_1:.4f} MAP@R {map_at_r:.4f}")
        self._chart(step, {"validation/recall_at_1": recall_at_1, "validation/map_at_r": map_at_r})

    def close(self) -> None:
        """Flush the TensorBoard file."""
        if self._writer is not None:
            self._writer.close()

    def _chart(self, step: int, values: dict[str, float]) -> None:
        if self._tensorboard is None or not self._speaks:
            return
        if self._writer is None:  # only now: a command that is refused leaves no folder behind
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._tensorboard))
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)


def figures_line(scores: Scores) -> str:
    """Every figure of a protocol, as fractions."""
    recalls = " ".join(f"R@{k} {scores.recall_at_k[str(k)]:.4f}" for k in KS)
    sizes = f"{len(scores.answers)} queries in {scores.gallery}"
    return f"{sizes} {recalls} MAP@R {scores.map_at_r:.4f}"
