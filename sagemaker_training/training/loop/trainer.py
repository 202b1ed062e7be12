"""The trainer: a recipe carried out, epoch by epoch, to the same end however often it is stopped.

Whatever is random in a step is drawn from generators seeded by the run's seed and the step's
number. So a checkpoint needs no generator's state, and processes together do what one would.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from lens.errors import LensError, UsageError
from training.data.augmentation import crop, draw_crops, draw_orders, recolor
from training.data.decoded import Squares
from training.loop.checkpoints import load_best, load_newest, save_best, save_checkpoint
from training.loop.distributed import Ranks
from training.loop.losses import Objective, plan_epoch
from training.loop.progress import Progress
from training.loop.scoring import Scores
from training.network.embedding_model import EmbeddingModel
from training.presets import Recipe

_PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}
_STEPS_A_LINE = 10
Centers = Mapping[str, NDArray[np.float32]]  # of "shape" and "color": (classes, dimensions)
NOWHERE: Centers = {}
Validate = Callable[[], dict[str, Scores]]


class InterruptedRunError(LensError):
    """The run was asked to stop; its checkpoint is written."""


@dataclass(frozen=True)
class Photos:
    """What is trained on: squares, and each photo's position in them and class."""

    squares: Squares
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


class Trainer:
    """One run of a recipe."""

    def __init__(
        self,
        recipe: Recipe,
        model: EmbeddingModel,
        photos: Photos,
        *,
        ranks: Ranks,
        folder: Path,
        progress: Progress,
        seed: int = 0,
        centers: Centers = NOWHERE,
        validate: Validate | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`folder` keeps the checkpoints; `centers` is where the proxies of each part start.

        `validate` scores the model after each epoch; without it the last epoch counts. `stopping`
        is asked after each step.
        """
        if recipe.batch % ranks.world:
            raise UsageError(f"{ranks.world} processes cannot share a batch of {recipe.batch}")
        self.recipe, self.model, self._photos = recipe, model.to(ranks.device), photos
        self._ranks, self._folder, self._progress = ranks, folder, progress
        self._seed, self._validate, self._stopping = seed, validate, stopping
        torch.manual_seed(seed)  # the proxies are drawn now
        classes = int(photos.labels.max()) + 1
        parts = {"shape": Objective(recipe, classes, recipe.shape_dim)}
        if model.color is not None:
            parts["color"] = Objective(recipe, classes, recipe.color_dim)
        for name, start in centers.items():
            parts[name].start_from(torch.from_numpy(start))
        self.objectives = torch.nn.ModuleDict(parts).to(ranks.device)
        self._network: Any = model.shape
        if ranks.world > 1:
            self._network = DistributedDataParallel(model.shape, broadcast_buffers=False)
        self._steps = len(self._plan(0))
        self.optimizer = _optimizer(recipe, model, self.objectives)
        self._scheduler = _scheduler(recipe, self.optimizer, self._steps)
        self._scaler = torch.amp.GradScaler(ranks.device.type, enabled=recipe.precision == "fp16")
        self.history: list[dict[str, Any]] = []
        self._epoch = self._step = 0  # where the next step stands
        self._loss_sum = self._seconds = 0.0  # of the epoch so far
        self._resume()

    def fit(self) -> None:
        """Train to the end, from the newest checkpoint if there is one; the model is then the best.

        Raises InterruptedRunError when asked to stop, after writing a checkpoint.
        """
        while self._epoch < self.recipe.epochs and not self._exhausted():
            self._train_epoch()
            self._end_epoch()
        if self._validate is not None:
            self.model.load_state_dict(load_best(self._folder)["model"])

    @property
    def seconds(self) -> float:
        """Spent on training and validation in all sittings."""
        return math.fsum(epoch["seconds"] for epoch in self.history) + self._seconds

    def _train_epoch(self) -> None:
        began, before = time.monotonic(), self._seconds
        line_began, line_step = began, self._step
        self.model.train()
        for batch in self._batches():
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
                    f"stopped in epoch {self._epoch + 1}; the same command goes on from here"
                )

    def step(
        self,
        levels: torch.Tensor,
        labels: torch.Tensor,
        crops: torch.Tensor,
        orders: torch.Tensor,
    ) -> float:
        """One update by this rank's squares (N, 3, S, S) uint8; the loss of all ranks' photos."""
        device, recipe = self._ranks.device, self.recipe
        self._reseed()
        cut = crop(levels.to(device, non_blocking=True), crops, recipe.size)
        labels = self._ranks.gather(labels.to(device, non_blocking=True))
        shown = recolor(cut, orders, self.model.preprocessing.fill) if recipe.recolored else cut
        precision = _PRECISIONS.get(recipe.precision)
        with torch.autocast(device.type, precision, enabled=precision is not None):
            shapes = self._network(self.model.normalized(shown))
        loss = self.objectives["shape"](self._ranks.gather(shapes), labels)
        alone: list[torch.nn.Module] = [self.objectives]
        if self.model.color is not None:
            colors = self.model.color(self.model.normalized(cut))
            loss = loss + self.objectives["color"](self._ranks.gather(colors), labels)
            alone.append(self.model.color)
        self.optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        for module in alone:
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
            found = self._validate()
            recall = float(np.mean([scores.recall_at_k["1"] for scores in found.values()]))
            precision = float(np.mean([scores.map_at_r for scores in found.values()]))
            entry |= {"recall_at_1": recall, "map_at_r": precision}
            for scores in found.values():
                entry[f"recall_at_1 {scores.protocol}"] = scores.recall_at_k["1"]
                self._progress.scores("validation", scores, done)
            self._progress.validation(done, recall, precision)
            if isinstance(self._scheduler, ReduceLROnPlateau):
                self._scheduler.step(recall)
        entry["seconds"] = self._seconds + time.monotonic() - began
        self.history.append(entry)
        if self._validate is not None and self._best_epoch() == entry["epoch"]:
            self._write(lambda: save_best(self._folder, {"model": self.model.state_dict()}))
        self._progress.epoch(done, entry["epoch"], self.recipe.epochs, loss, entry["seconds"])
        self._epoch, self._step, self._loss_sum, self._seconds = self._epoch + 1, 0, 0.0, 0.0
        self._save()
        if self._ranks.any(self._stopping()) and self._epoch < self.recipe.epochs:
            raise InterruptedRunError(
                f"stopped after epoch {self._epoch}; the same command goes on from here"
            )

    def _batches(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """This rank's share of the steps that are left of the epoch, read one step ahead."""
        plan = self._plan(self._epoch)
        size, photos = self.recipe.batch, self._photos
        share = self._ranks.share(size)

        def read(step: int) -> tuple[torch.Tensor, ...]:
            chosen, generator = plan[step][share], self._generator(step)
            levels = torch.from_numpy(photos.squares.levels[photos.rows[chosen]])
            labels = torch.from_numpy(photos.labels[chosen])
            crops = draw_crops(size, self.recipe.crop, generator)[share]
            orders = draw_orders(size, generator)[share]
            batch = levels.permute(0, 3, 1, 2), labels, crops, orders
            if self._ranks.device.type != "cuda":
                return batch
            return tuple(tensor.pin_memory() for tensor in batch)

        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(read, self._step)
            for step in range(self._step, len(plan)):
                batch = ahead.result()
                if step + 1 < len(plan):
                    ahead = reader.submit(read, step + 1)
                yield batch

    def _plan(self, epoch: int) -> NDArray[np.int64]:
        return plan_epoch(self._photos.labels, self.recipe, self._seed, epoch)

    def _generator(self, step: int) -> torch.Generator:
        """For what the ranks draw together: crops and orders of the whole batch."""
        return torch.Generator().manual_seed(_mixed(self._seed, self._epoch, step))

    def _reseed(self) -> None:
        """For what each rank draws alone: dropout and stochastic depth."""
        torch.manual_seed(_mixed(self._seed, self._epoch, self._step, self._ranks.rank + 1))

    def _best_epoch(self) -> int:
        """The first of the epochs with the highest validation."""
        best: int = max(self.history, key=lambda entry: entry["recall_at_1"])["epoch"]
        return best

    def _exhausted(self) -> bool:
        """Whether the validation has not improved for too long."""
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
        """What a checkpoint must agree on to be gone on from."""
        photos = len(self._photos.rows)
        return {"recipe": asdict(self.recipe), "seed": self._seed, "photos": photos}

    def _write(self, write: Callable[[], object]) -> None:
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
                "--output, or repeat the command it was begun with"
            )
        self.model.load_state_dict(state["model"])
        self.objectives.load_state_dict(state["objectives"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._scheduler.load_state_dict(state["scheduler"])
        self._scaler.load_state_dict(state["scaler"])
        self.history = state["history"]
        self._epoch, self._step = state["epoch"], state["step"]
        self._loss_sum, self._seconds = state["loss_sum"], state["seconds"]
        self._progress.say(f"going on after epoch {self._epoch}, step {self._step}")


def _optimizer(recipe: Recipe, model: EmbeddingModel, objectives: torch.nn.Module) -> Any:
    """Backbone, heads and proxies at their own rates; only matrices and kernels decay."""
    groups = []
    modules = [
        (model.shape.backbone, recipe.lr),
        (model.shape.head, recipe.head_lr),
        (objectives, recipe.proxy_lr),
    ]
    if model.color is not None:
        modules.append((model.color, recipe.color_lr))
    for module, lr in modules:
        trained = [p for p in module.parameters() if p.requires_grad]
        decays = recipe.weight_decay if module is not objectives else 0.0
        for parameters, decay in (
            ([p for p in trained if p.ndim > 1], decays),
            ([p for p in trained if p.ndim <= 1], 0.0),
        ):
            if parameters:
                groups.append({"params": parameters, "lr": lr, "weight_decay": decay})
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups)


def _scheduler(recipe: Recipe, optimizer: Any, steps: int) -> Any:
    if recipe.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=3)
    warm, last = recipe.warmup * steps, recipe.epochs * steps

    def share(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, last - warm)))

    return LambdaLR(optimizer, share)


def _mixed(*numbers: int) -> int:
    """One seed of several numbers, far from its neighbors'."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
