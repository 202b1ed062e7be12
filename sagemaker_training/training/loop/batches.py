"""Batches: the photos of each step of an epoch for this process, with their random crops."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.augmentation import draw_crops, draw_orders
from training.data.decoded import DecodedPhotos
from training.loop.distributed import Ranks
from training.loop.losses import plan_epoch
from training.loop.seeds import mixed_seed
from training.presets import Recipe


@dataclass(frozen=True)
class TrainingPhotos:
    """The photos trained on: each one's position among the decoded photos, and its class."""

    decoded: DecodedPhotos
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]


class Batch(NamedTuple):
    """One rank's share of the photos of one step, on the CPU."""

    levels: torch.Tensor  # (N, 3, S, S) uint8
    labels: torch.Tensor  # (N,) int64
    crops: torch.Tensor  # as draw_crops gives them
    orders: torch.Tensor  # as draw_orders gives them


class Batches:
    """The batches of a run, for one rank."""

    def __init__(self, photos: TrainingPhotos, recipe: Recipe, ranks: Ranks, seed: int) -> None:
        self._photos = photos
        self._recipe = recipe
        self._ranks = ranks
        self._seed = seed
        self.steps = len(self._plan(0))  # of every epoch

    def of_epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from step `start` on; each is read one step ahead."""
        plan = self._plan(epoch)
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, plan[start], epoch, start)
            for step in range(start, len(plan)):
                batch = ahead.result()
                if step + 1 < len(plan):
                    ahead = reader.submit(self._read, plan[step + 1], epoch, step + 1)
                yield batch

    def _plan(self, epoch: int) -> NDArray[np.int64]:
        return plan_epoch(self._photos.labels, self._recipe, self._seed, epoch)

    def _read(self, chosen: NDArray[np.int64], epoch: int, step: int) -> Batch:
        """Read this rank's share of the photos chosen for a step.

        Crops and orders are drawn for the whole batch, the same on every rank, and then shared.
        """
        size = self._recipe.batch
        share = self._ranks.share(size)
        generator = torch.Generator().manual_seed(mixed_seed(self._seed, epoch, step))
        mine = chosen[share]
        levels = torch.from_numpy(self._photos.decoded.levels[self._photos.rows[mine]])
        batch = Batch(
            levels=levels.permute(0, 3, 1, 2),
            labels=torch.from_numpy(self._photos.labels[mine]),
            crops=draw_crops(size, self._recipe.crop, generator)[share],
            orders=draw_orders(size, generator)[share],
        )
        if self._ranks.device.type != "cuda":
            return batch
        # Only from pinned memory can a copy to the GPU run beside the GPU's work.
        return Batch(*(tensor.pin_memory() for tensor in batch))
