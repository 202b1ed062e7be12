"""LoRA: low-rank updates to frozen linear layers (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import torch
from torch import nn

from lens.errors import UsageError

# The paper adapts queries and values; these are their names in transformers.
_ADAPTED = ("q_proj", "v_proj", "query", "value")


class LowRankLinear(nn.Module):
    """A frozen linear layer plus a trained low-rank update, which starts at zero."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + (x @ self.down.T) @ self.up.T

    def merged(self) -> nn.Linear:
        """Return one linear layer that computes the same."""
        with torch.no_grad():
            self.linear.weight += self.up @ self.down
        return self.linear


def add_lora(network: nn.Module, rank: int) -> None:
    """Freeze the network and add an update to the queries and values of every attention.

    Raises UsageError if it has no attention.
    """
    network.requires_grad_(False)
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if name in _ADAPTED and isinstance(child, nn.Linear)
    ]
    if not found:
        raise UsageError("LoRA adapts attention, and this backbone has none: choose another tuning")
    for parent, name, child in found:
        setattr(parent, name, LowRankLinear(child, rank))


def merge_lora(network: nn.Module) -> None:
    """Merge the updates into the layers that they update, for export."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LowRankLinear):
                setattr(parent, name, child.merged())
