"""The trainer: carries out a recipe epoch by epoch, and can be stopped and resumed at any step.

A run that was stopped and resumed gives the same model, bit for bit, as one that was not
(seeds.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from lens.errors import LensError, UsageError
from training.data.augmentation import crop, recolor
from training.loop.batches import Batches, TrainingPhotos
from training.loop.checkpoints import load_best, load_newest, save_best, save_checkpoint
from training.loop.distributed import Ranks
from training.loop.losses import Objective
from training.loop.optimizers import make_optimizer, make_scheduler
from training.loop.progress import RunProgress
from training.loop.seeds import mixed_seed
from training.loop.validation import Validate
from training.network.embedding_model import EmbeddingModel
from training.presets import Recipe

_PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}
_STEPS_A_LINE = 10
Centers = Mapping[str, NDArray[np.float32]]  # (classes, D) each, for "shape" and "color"
NO_CENTERS: Centers = {}


class InterruptedRunError(LensError):
    """The run was asked to stop; its checkpoint is written."""


class Trainer:
    """One run of a recipe."""

    def __init__(
        self,
        recipe: Recipe,
        model: EmbeddingModel,
        photos: TrainingPhotos,
        *,
        ranks: Ranks,
        folder: Path,
        progress: RunProgress,
        seed: int = 0,
        centers: Centers = NO_CENTERS,
        validate: Validate | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare the run, and resume it if `folder` has a checkpoint of it.

        `centers` are where the proxies of each part start. `validate` measures the model after
        each epoch, so that the best epoch is kept; without it the last one is. `stopping` is called
        after each step: when it returns True, the run writes a checkpoint and stops.
        """
        if recipe.batch % ranks.world:
            raise UsageError(f"{ranks.world} processes cannot share a batch of {recipe.batch}")
        self.recipe = recipe
        self.model = model.to(ranks.device)
        self._ranks = ranks
        self._folder = folder
        self._progress = progress
        self._seed = seed
        self._validate = validate
        self._stopping = stopping
        self._photo_count = len(photos.rows)
        self._batches = Batches(photos, recipe, ranks, seed)
        self._steps = self._batches.steps
        self.objectives = self._make_objectives(int(photos.labels.max()) + 1, centers)
        self._network: Any = model.shape
        if ranks.world > 1:
            self._network = DistributedDataParallel(model.shape, broadcast_buffers=False)
        self.optimizer = make_optimizer(recipe, model, self.objectives)
        self._scheduler = make_scheduler(recipe, self.optimizer, self._steps)
        self._scaler = torch.amp.GradScaler(ranks.device.type, enabled=recipe.precision == "fp16")
        # The field of the history by which epochs are compared.
        self._watched = "validation_loss" if recipe.watched == "loss" else "recall_at_1"
        # One entry for each finished epoch.
        self.history: list[dict[str, Any]] = []
        # Where the next step is.
        self._epoch = 0
        self._step = 0
        # Of the epoch so far.
        self._loss_sum = 0.0
        self._seconds = 0.0
        self._resume()

    def fit(self) -> None:
        """Train until the recipe's last epoch, or until patience ends; then load the best model.

        Raises InterruptedRunError when asked to stop, after writing a checkpoint.
        """
        while self._epoch < self.recipe.epochs and not self._exhausted():
            self._train_epoch()
            self._end_epoch()
        if self._validate is not None:
            self.model.load_state_dict(load_best(self._folder)["model"])

    @property
    def seconds(self) -> float:
        """The time spent on training and validation, before and after every interruption."""
        return math.fsum(epoch["seconds"] for epoch in self.history) + self._seconds

    def _make_objectives(self, classes: int, centers: Centers) -> torch.nn.ModuleDict:
        """Make one objective for each part of the embedding."""
        torch.manual_seed(self._seed)  # proxies are drawn when their loss is made
        parts = {"shape": Objective(self.recipe, classes, self.recipe.shape_dim)}
        if self.model.color is not None:
            parts["color"] = Objective(self.recipe, classes, self.recipe.color_dim)
        for name, start in centers.items():
            parts[name].start_from(torch.from_numpy(start))
        return torch.nn.ModuleDict(parts).to(self._ranks.device)

    def _train_epoch(self) -> None:
        began, before = time.monotonic(), self._seconds
        line_began, line_step = began, self._step
        self.model.train()
        for batch in self._batches.of_epoch(self._epoch, self._step):
            loss = self.step(*batch)
            if not math.isfinite(loss):
                raise LensError(f"the loss is {loss} in epoch {self._epoch + 1}: lower the lr")
            self._loss_sum += loss
            self._step += 1
            self._seconds = before + time.monotonic() - began
            if self._step % _STEPS_A_LINE == 0 or self._step == self._steps:
                now = time.monotonic()
                speed = (self._step - line_step) * self.recipe.batch / (now - line_began)
                line_began, line_step = now, self._step
                lr = self.optimizer.param_groups[0]["lr"]
                done = self._epoch * self._steps + self._step
                self._progress.step(done, self.recipe.epochs * self._steps, loss, lr, speed)
            if self._step < self._steps and self._ranks.any(self._stopping()):
                self._save()
                raise InterruptedRunError(
                    f"stopped in epoch {self._epoch + 1}; the same command resumes it"
                )

    def step(
        self,
        levels: torch.Tensor,
        labels: torch.Tensor,
        crops: torch.Tensor,
        orders: torch.Tensor,
    ) -> float:
        """Update the model once by this rank's share of a batch, as Batch describes it.

        Returns the loss over the photos of all ranks.
        """
        device, recipe = self._ranks.device, self.recipe
        self._reseed()
        cut = crop(levels.to(device, non_blocking=True), crops, recipe.size)
        labels = self._ranks.gather(labels.to(device, non_blocking=True))
        shown = recolor(cut, orders, self.model.preprocessing.fill) if recipe.recolored else cut
        precision = _PRECISIONS.get(recipe.precision)
        with torch.autocast(device.type, precision, enabled=precision is not None):
            shapes = self._network(self.model.normalized(shown))
        loss = self.objectives["shape"](self._ranks.gather(shapes), labels)
        # DistributedDataParallel averages the gradients of the shape part only.
        unwrapped: list[torch.nn.Module] = [self.objectives]
        if self.model.color is not None:
            colors = self.model.color(self.model.normalized(cut))
            loss = loss + self.objectives["color"](self._ranks.gather(colors), labels)
            unwrapped.append(self.model.color)
        self.optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        for module in unwrapped:
            self._ranks.average_gradients(module.parameters())
        self._scaler.step(self.optimizer)
        self._scaler.update()
        if isinstance(self._scheduler, LambdaLR):
            self._scheduler.step()
        return float(loss.detach())

    def _end_epoch(self) -> None:
        began = time.monotonic()
        loss, done = self._loss_sum / self._steps, (self._epoch + 1) * self._steps
        entry: dict[str, Any] = {"epoch": self._epoch + 1, "loss": loss}
        entry["lr"] = self.optimizer.param_groups[0]["lr"]
        if self._validate is not None:
            found = self._validate(self.objectives)
            every = found.scores.values()
            recall = float(np.mean([scores.recall_at_k["1"] for scores in every]))
            precision = float(np.mean([scores.map_at_r for scores in every]))
            entry |= {"recall_at_1": recall, "map_at_r": precision}
            if found.loss is not None:
                entry["validation_loss"] = found.loss
            for scores in every:
                entry[f"recall_at_1 {scores.protocol}"] = scores.recall_at_k["1"]
                self._progress.scores("validation", scores, done)
            self._progress.validation(done, recall, precision, found.loss)
            if isinstance(self._scheduler, ReduceLROnPlateau):
                self._scheduler.step(entry[self._watched])
        entry["seconds"] = self._seconds + time.monotonic() - began
        self.history.append(entry)
        if self._validate is not None and self._best_epoch() == entry["epoch"]:
            self._write(lambda: save_best(self._folder, {"model": self.model.state_dict()}))
        self._progress.epoch(done, entry["epoch"], self.recipe.epochs, loss, entry["seconds"])
        self._epoch += 1
        self._step = 0
        self._loss_sum = 0.0
        self._seconds = 0.0
        self._save()
        if self._ranks.any(self._stopping()) and self._epoch < self.recipe.epochs:
            raise InterruptedRunError(
                f"stopped after epoch {self._epoch}; the same command resumes it"
            )

    def _reseed(self) -> None:
        """Seed what each rank draws for itself: dropout and stochastic depth."""
        torch.manual_seed(mixed_seed(self._seed, self._epoch, self._step, self._ranks.rank + 1))

    def _best_epoch(self) -> int:
        """The epoch with the best watched figure; the first of them if several have it."""
        best_of = min if self.recipe.watched == "loss" else max
        best: int = best_of(self.history, key=lambda entry: entry[self._watched])["epoch"]
        return best

    def _exhausted(self) -> bool:
        """Whether the watched figure has not improved for `patience` epochs."""
        if not self.recipe.patience or not self.history or self._validate is None:
            return False
        return self._epoch - self._best_epoch() >= self.recipe.patience

    def _save(self) -> None:
        state = {
            **self._identity(),
            "model": self.model.state_dict(),
            "objectives": self.objectives.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self._scheduler.state_dict(),
            "scaler": self._scaler.state_dict(),
            "history": self.history,
            "epoch": self._epoch,
            "step": self._step,
            "loss_sum": self._loss_sum,
            "seconds": self._seconds,
        }
        self._write(lambda: save_checkpoint(self._folder, state, self._epoch, self._step))

    def _identity(self) -> dict[str, Any]:
        """What must be equal in a checkpoint for this run to resume from it."""
        return {"recipe": asdict(self.recipe), "seed": self._seed, "photos": self._photo_count}

    def _write(self, write: Callable[[], object]) -> None:
        """Call `write` on the first rank, while the others wait."""
        if self._ranks.first:
            write()
        self._ranks.wait()

    def _resume(self) -> None:
        state = load_newest(self._folder)
        if state is None:
            return
        changed = [name for name, value in self._identity().items() if state[name] != value]
        if changed:
            raise UsageError(
                f"{self._folder} holds a run with another {' and '.join(changed)}: name another "
                "--output, or repeat the command that started it"
            )
        self.model.load_state_dict(state["model"])
        self.objectives.load_state_dict(state["objectives"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._scheduler.load_state_dict(state["scheduler"])
        self._scaler.load_state_dict(state["scaler"])
        self.history = state["history"]
        self._epoch = state["epoch"]
        self._step = state["step"]
        self._loss_sum = state["loss_sum"]
        self._seconds = state["seconds"]
        self._progress.say(f"resuming after epoch {self._epoch}, step {self._step}")
