"""Ranks: the processes of one training run, and how they exchange embeddings and gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed as dist


@dataclass(frozen=True)
class Ranks:
    """This process among all of them; a single process needs no process group."""

    rank: int
    world: int  # number of processes
    local: int  # rank among the processes of this machine
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that prints and writes files."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return this rank's part of `count` things; all parts in the order of ranks give all."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def gather(self, values: torch.Tensor) -> torch.Tensor:
        """Return the rows of all ranks, in the order of ranks; gradients reach each rank's own.

        All ranks must give the same number of rows.
        """
        if self.world == 1:
            return values
        gathered: torch.Tensor = _Gather.apply(values)
        return gathered

    def gather_objects(self, value: Any) -> list[Any]:
        """Return the objects of all ranks, on every rank."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value)
        return found

    def average_gradients(self, parameters: Iterator[torch.nn.Parameter]) -> None:
        """Average the gradients of parameters that DistributedDataParallel does not manage."""
        if self.world == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= self.world

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set on any rank."""
        if self.world == 1:
            return flag
        flags = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(flags, dist.ReduceOp.MAX)
        return bool(flags)

    def wait(self) -> None:
        """Wait until all ranks have come here."""
        if self.world > 1:
            dist.barrier()


class _Gather(torch.autograd.Function):
    """Forward: the rows of all ranks. Backward: the gradients of this rank's rows, summed over the
    ranks.

    Every rank computes the same loss over all rows, so the sum is `world` times the gradient.
    DistributedDataParallel then divides it by `world`, which gives the gradient of one process.
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
    """Join the process group that torchrun started, and leave it at the end.

    Without torchrun this is the only process. Each process uses the GPU of its local rank, or the
    CPU if there is no GPU.
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
