"""The trainer: carries out a plan phase by phase, and can be stopped and resumed at any step.

What a step draws depends on the run's seed, the phase and the step alone, so a run that was stopped
and resumed gives the same network, bit for bit, as one that was not. A phase counts as an epoch in
the names of its checkpoints.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lens.errors import LensError, UsageError
from training.data.augmentation import draw_orders
from training.garment.batch_process import made_ahead
from training.garment.batches import Batch, Batches, as_batch
from training.garment.material import Material
from training.garment.neighbors import seen_before
from training.garment.network import GarmentNetwork
from training.garment.objectives import Objectives
from training.garment.plan import Phase, Plan
from training.garment.start import start_heads, start_proxies, start_rows
from training.loop.checkpoints import load_newest, save_checkpoint
from training.loop.progress import RunProgress
from training.loop.seeds import mixed_seed
from training.loop.trainer import InterruptedRunError

_STEPS_A_LINE = 25
_LONGEST_GRADIENT = 5.0
# The weights' average follows faster at first: after n steps it spans about a tenth of them.
_SETTLED = 10
# Seeds of what is drawn apart from the batches.
_START, _PROXIES, _ORDERS = 0, 1, 2

_Weights = dict[str, torch.Tensor]


class GarmentTrainer:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        network: GarmentNetwork,
        material: Material,
        *,
        folder: Path,
        progress: RunProgress,
        seed: int = 0,
        stopping: Callable[[], bool] = lambda: False,
        save_every: int = 100,
    ) -> None:
        """Prepare the run, and resume it if `folder` has a checkpoint of it.

        `network` is trained in place. `stopping` is called after each step: when it returns True,
        the run writes a checkpoint and stops. Another is written every `save_every` steps.
        """
        self._plan = plan
        self._network = network
        self._material = material
        self._folder = folder
        self._progress = progress
        self._seed = seed
        self._stopping = stopping
        self._save_every = save_every
        # Where the next step is.
        self._phase, self._step = 0, 0
        # The weights that branches start from, and those of the branches that are done.
        self._fork = copy.deepcopy(network.state_dict())
        self._branches: list[_Weights] = []
        self.seconds = 0.0  # of training, before and after every interruption
        self.average = copy.deepcopy(network)
        self._before = seen_before(network, material, plan.size)
        if not self._resume():
            with self._made(_START, range(1000)) as batches:
                start_heads(network, batches)
            self._begin_phase()

    def fit(self) -> GarmentNetwork:
        """Train until the end of the last phase; return the network, its weights averaged.

        Raises InterruptedRunError when asked to stop, after writing a checkpoint.
        """
        while self._phase < len(self._plan.phases):
            self._train_phase()
            self._end_phase()
            self._phase, self._step = self._phase + 1, 0
            if self._phase < len(self._plan.phases):
                self._begin_phase()
            self._save()
        return self._network.eval()

    def _end_phase(self) -> None:
        """Leave the network as the next phase starts, or as it is finished."""
        done = {name: weight.clone() for name, weight in self.average.state_dict().items()}
        first = len(self._plan.phases) - self._plan.branches
        if self._phase < first:
            self._fork, self._branches = done, []
            self._network.load_state_dict(done)
            return
        self._branches.append(done)
        last = self._phase == len(self._plan.phases) - 1
        self._network.load_state_dict(_mean(self._branches) if last else self._fork)

    @property
    def _current(self) -> Phase:
        return self._plan.phases[min(self._phase, len(self._plan.phases) - 1)]

    def _begin_phase(self) -> None:
        """Make what a phase has of its own, and start it from the network as it is."""
        self._make_phase()
        size = self._current.size
        start_rows(self._network, self._objectives, self._material, size)
        if self._phase:
            start_proxies(self._objectives, self._material.catalog)

    def _make_phase(self) -> None:
        """Make a phase's objectives, optimizer and average."""
        phase, network = self._current, self._network
        network.requires_grad_(True)
        for block in network.trunk.blocks[: 1 + phase.frozen]:  # the stem is the first
            block.requires_grad_(False)
        # Proxies are drawn when their loss is made.
        torch.manual_seed(mixed_seed(self._seed, self._phase + 1, 0, _PROXIES))
        self._objectives = Objectives(network, phase, self._material, self._before)
        self._optimizer = _optimizer(network, self._objectives, phase)
        self.average = copy.deepcopy(network)

    def _train_phase(self) -> None:
        phase, before = self._current, self.seconds
        began, first = time.monotonic(), self._step
        self._network.train()
        losses: list[dict[str, float]] = []  # of the steps since the last line
        with self._made(self._phase + 1, range(first, phase.steps)) as batches:
            for batch in batches:
                losses.append(self._train_step(batch))
                self._step += 1
                self.seconds = before + time.monotonic() - began
                if self._step % _STEPS_A_LINE == 0 or self._step == phase.steps:
                    speed = len(batch.pixels) * (self._step - first) / (self.seconds - before)
                    self._tell(losses, speed)
                    losses.clear()
                if self._step < phase.steps:
                    self._pause()

    def _train_step(self, batch: Batch) -> dict[str, float]:
        """Update the network once; return each objective's loss."""
        phase = self._current
        pace = _pace(self._step, phase)
        for group in self._optimizer.param_groups:
            group["lr"] = pace * group["highest_lr"]
        orders = _orders(len(batch.pixels), batch.crops, phase.recolored, self._mixed(_ORDERS))
        parts = self._objectives(self._network, batch, orders)
        loss = torch.stack(list(parts.values())).sum()
        if not math.isfinite(value := float(loss.detach())):
            raise LensError(f"the loss is {value} in step {self._step + 1}: lower the lr")
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()
        done = self._step + 1
        keep = min(phase.averaging, (1 + done) / (_SETTLED + done))
        with torch.no_grad():
            for mean, weight in zip(
                self.average.parameters(), self._network.parameters(), strict=True
            ):
                mean.lerp_(weight, 1 - keep)
        return {name: float(part.detach()) for name, part in parts.items()}

    @contextmanager
    def _made(self, number: int, steps: range) -> Iterator[Iterator[Batch]]:
        """The batches of these steps of phase `number`, from 1 on, made in a process beside."""
        source = Batches(self._material, self._current, self._seed, number)
        with made_ahead(source.arrays, steps) as made:
            yield map(as_batch, made)

    def _mixed(self, use: int) -> int:
        """A seed for what is drawn in this step apart from its batch."""
        return mixed_seed(self._seed, self._phase + 1, self._step, use)

    def _tell(self, losses: list[dict[str, float]], speed: float) -> None:
        """Print the means of some steps' losses."""
        means = {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}
        before = sum(phase.steps for phase in self._plan.phases[: self._phase])
        steps = sum(phase.steps for phase in self._plan.phases)
        rate = self._optimizer.param_groups[0]["lr"]
        self._progress.step(before + self._step, steps, sum(means.values()), rate, speed)
        self._progress.say(" ".join(f"{name} {mean:.3f}" for name, mean in means.items()))

    def _pause(self) -> None:
        """Write a checkpoint when it is time to, and stop when asked to."""
        stopping = self._stopping()
        if stopping or self._step % self._save_every == 0:
            self._save()
        if stopping:
            raise InterruptedRunError(
                f"stopped after step {self._step} of phase {self._phase + 1}; the same command "
                "resumes it"
            )

    def _save(self) -> None:
        state = {
            **self._identity(),
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "objectives": self._objectives.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "fork": self._fork,
            "branches": self._branches,
            "phase": self._phase,
            "step": self._step,
            "seconds": self.seconds,
        }
        save_checkpoint(self._folder, state, self._phase, self._step)

    def _identity(self) -> dict[str, Any]:
        """What must be equal in a checkpoint for this run to resume from it."""
        return {
            "plan": asdict(self._plan),
            "seed": self._seed,
            "photos": self._material.describe(),
        }

    def _resume(self) -> bool:
        """Go on from the newest checkpoint; False if there is none."""
        state = load_newest(self._folder)
        if state is None:
            return False
        changed = [name for name, value in self._identity().items() if state[name] != value]
        if changed:
            raise UsageError(
                f"{self._folder} holds a run with another {' and '.join(changed)}: name another "
                "--output, or repeat the command that started it"
            )
        self._phase, self._step = state["phase"], state["step"]
        self.seconds = state["seconds"]
        self._make_phase()
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._objectives.load_state_dict(state["objectives"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._fork, self._branches = state["fork"], state["branches"]
        self._progress.say(f"resuming after step {self._step} of phase {self._phase + 1}")
        return True


def _optimizer(network: GarmentNetwork, objectives: Objectives, phase: Phase) -> Any:
    """AdamW; the trunk, what is built on it and the proxies have learning rates of their own."""
    of_trunk = {id(parameter) for parameter in network.trunk.parameters()}
    trunk = [p for p in network.trunk.parameters() if p.requires_grad]
    rest = [p for p in network.parameters() if id(p) not in of_trunk]
    rates = ((trunk, phase.trunk_lr), (rest, phase.lr), (objectives.parameters(), phase.proxy_lr))
    groups = [{"params": list(of), "highest_lr": rate} for of, rate in rates]
    groups[2]["weight_decay"] = 0.0  # proxies may be as long as they like
    return torch.optim.AdamW(groups, weight_decay=phase.weight_decay)


def _mean(branches: list[_Weights]) -> _Weights:
    """The mean of each weight; what only counts, like a batch norm's batches, is the first's."""
    return {
        name: torch.stack([each[name] for each in branches]).mean(dim=0)
        if weight.is_floating_point()
        else weight
        for name, weight in branches[0].items()
    }


def _pace(step: int, phase: Phase) -> float:
    """The share of the highest learning rate in a step: up in a line, then down in a cosine."""
    if step < phase.warmup:
        return (step + 1) / phase.warmup
    done = (step - phase.warmup) / max(1, phase.steps - phase.warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done))) * 0.98 + 0.02


def _orders(views: int, crops: int, share: float, seed: int) -> torch.Tensor:
    """An order of the three channels for each view, (views, 3): for a share of the crops a random
    one, else the one that they have."""
    generator = torch.Generator().manual_seed(seed)
    drawn = draw_orders(views, generator)
    kept = torch.rand(views, generator=generator) >= share
    kept[crops:] = True  # scenes stay as they are
    return torch.where(kept[:, None], torch.arange(3), drawn)
