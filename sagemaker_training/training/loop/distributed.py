"""Ranks: the processes of one training, and how they see each other's embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed as dist


@dataclass(frozen=True)
class Ranks:
    """This process among all; one alone needs no process group."""

    rank: int
    world: int
    local: int  # this process among those of this machine
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This rank's part of `count` things; in the order of the ranks they are all of them."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def gather(self, values: torch.Tensor) -> torch.Tensor:
        """Every rank's rows in the order of the ranks, with gradients to each rank's own.

        All ranks must give equally many rows.
        """
        if self.world == 1:
            return values
        gathered: torch.Tensor = _Gather.apply(values)
        return gathered

    def gather_objects(self, value: Any) -> list[Any]:
        """Every rank's object, on every rank."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value)
        return found

    def average_gradients(self, parameters: Iterator[torch.nn.Parameter]) -> None:
        """For parameters outside DistributedDataParallel: the loss's own."""
        if self.world == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.world

    def any(self, flag: bool) -> bool:
        """Whether any rank says so."""
        if self.world == 1:
            return flag
        flags = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(flags, dist.ReduceOp.MAX)
        return bool(flags)

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.world > 1:
            dist.barrier()


class _Gather(torch.autograd.Function):
    """All rows forward; backward, the sum over the ranks of the gradients of this rank's rows.

    Every rank computes the same loss of all rows, so the sum is `world` times the gradient, which
    DistributedDataParallel's mean then makes exactly the gradient of one process.
    """

    @staticmethod
    def forward(context: Any, values: torch.Tensor) -> torch.Tensor:
        rows = [torch.empty_like(values) for _ in range(dist.get_world_size())]
        dist.all_gather(rows, values.contiguous())
        context.count = len(values)
        return torch.cat(rows)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        summed = gradients[0].contiguous()
        dist.all_reduce(summed)
        return summed.narrow(0, dist.get_rank() * context.count, context.count)


@contextmanager
def joined_ranks(environment: Mapping[str, str], device: str | None = None) -> Iterator[Ranks]:
    """Join the processes that torchrun started, or be one alone; leave them at the end.

    Each process takes the GPU of its number where there are GPUs, and the CPU otherwise.
    """
    world = int(environment.get("WORLD_SIZE", "1"))
    rank, local = int(environment.get("RANK", "0")), int(environment.get("LOCAL_RANK", "0"))
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    place = torch.device(f"cuda:{local}" if kind == "cuda" else kind)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    ranks = Ranks(rank, world, local, place)
    if world == 1:
        yield ranks
        return
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield ranks
    finally:
        dist.destroy_process_group()
