"""Progress: the lines that a run prints, and the same figures for TensorBoard.

On SageMaker, CloudWatch reads its metrics from these lines by the regular expressions of
metric_definitions.json. Change the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lens.evaluation.score import KS
from training.loop.distributed import Ranks
from training.loop.scoring import ProtocolScores


class RunProgress:
    """Reports a run; only the first rank prints and writes."""

    def __init__(self, ranks: Ranks, tensorboard: Path | None = None) -> None:
        self._prints = ranks.first
        self._tensorboard = tensorboard
        self._writer: Any = None

    def say(self, text: str) -> None:
        """Print one line, flushed at once because SageMaker's log is a pipe."""
        if self._prints:
            print(text, flush=True)

    def step(self, step: int, steps: int, loss: float, lr: float, speed: float) -> None:
        """Report a step; speed is in images a second, of all ranks together."""
        self.say(f"step {step}/{steps} loss {loss:.4f} lr {lr:.2e} images/s {speed:.1f}")
        self._chart(step, {"train/loss": loss, "train/lr": lr})

    def epoch(self, step: int, epoch: int, epochs: int, loss: float, seconds: float) -> None:
        """Report the end of an epoch."""
        self.say(f"epoch {epoch}/{epochs} done: loss {loss:.4f} in {seconds:.1f} s")
        self._chart(step, {"train/epoch_loss": loss})

    def scores(self, part: str, scores: ProtocolScores, step: int) -> None:
        """Report one protocol's figures on the validation or the test part."""
        self.say(f"{part} {scores.protocol}: {figures_line(scores)}")
        name = f"{part}/{scores.protocol}"
        self._chart(
            step,
            {f"{name}/recall_at_1": scores.recall_at_k["1"], f"{name}/map_at_r": scores.map_at_r},
        )

    def validation(
        self, step: int, recall_at_1: float, map_at_r: float, loss: float | None
    ) -> None:
        """Report what epochs are compared by: the means over the validation's protocols, and the
        validation loss if it was measured."""
        line = f"validation: R@1 {recall_at_1:.4f} MAP@R {map_at_r:.4f}"
        figures = {"validation/recall_at_1": recall_at_1, "validation/map_at_r": map_at_r}
        if loss is not None:
            line += f" loss {loss:.6f}"
            figures["validation/loss"] = loss
        self.say(line)
        self._chart(step, figures)

    def close(self) -> None:
        """Flush the TensorBoard file."""
        if self._writer is not None:
            self._writer.close()

    def _chart(self, step: int, values: dict[str, float]) -> None:
        if self._tensorboard is None or not self._prints:
            return
        if self._writer is None:  # made only now, so that a refused command leaves no folder
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._tensorboard))
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)


def figures_line(scores: ProtocolScores) -> str:
    """Return every figure of a protocol as one line; all are fractions."""
    recalls = " ".join(f"R@{k} {scores.recall_at_k[str(k)]:.4f}" for k in KS)
    sizes = f"{len(scores.answers)} queries in {scores.gallery}"
    return f"{sizes} {recalls} MAP@R {scores.map_at_r:.4f}"
