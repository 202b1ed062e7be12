"""EfficientNet-Lite0, its batch normalizations folded into its convolutions."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lens.models.manifest import Preprocessing
from training.network.lite0_weights import PREPROCESSING, fold_batch_norm, read_weights

WIDTH = 1280
# The five stride-2 convolutions pad correctly only if their input's side is even: 2**5.
MULTIPLE = 32

# (expansion, channels, repeats, stride, kernel): Tan & Le 2019, table 1.
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# Of the generalized mean over the last map: Radenovic et al. 2018, "Fine-tuning CNN image retrieval
# with no human annotation".
_POWER = 3.0


class Lite0(nn.Module):
    """Pixels (N, 3, S, S) to features (N, 1280) of unit length.

    Batch normalization is folded into the convolutions, with ImageNet's statistics. So a photo's
    features never depend on the rest of its batch, and several processes compute the same as one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, 32, 3, stride=2)
        blocks = []
        channels = 32
        for expansion, width, repeats, stride, kernel in _STAGES:
            for i in range(repeats):
                blocks.append(_Block(channels, width, expansion, kernel, stride if i == 0 else 1))
                channels = width
        self.stages = nn.ModuleList(blocks)
        self.top = _Convolution(channels, WIDTH, 1)

    @property
    def blocks(self) -> list[nn.Module]:
        """The parts that a recipe can choose to train, from the first to the last."""
        return [self.stem, *self.stages, self.top]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = functional.relu6(self.stem(pixels.contiguous(memory_format=torch.channels_last)))
        for block in self.stages:
            x = block(x)
        last_map = functional.relu6(self.top(x)).float()
        # A channel that is zero everywhere has mean 0, where a root's derivative is infinite.
        means = last_map.pow(_POWER).mean(dim=(2, 3)).clamp(min=1e-18)
        return functional.normalize(means.pow(1 / _POWER), dim=1, eps=1e-12)


class _Block(nn.Module):
    """An inverted residual block: expand, depthwise convolution, project, and a skip connection
    where input and output have the same shape."""

    def __init__(self, entered: int, width: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = entered * expansion
        self.expand = _Convolution(entered, inner, 1) if expansion > 1 else None
        self.depthwise = _Convolution(inner, inner, kernel, stride, groups=inner)
        self.project = _Convolution(inner, width, 1)
        self._residual = stride == 1 and entered == width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self._residual else y


class _Convolution(nn.Conv2d):
    """A convolution with TensorFlow's "SAME" padding for maps with even sides: where the padding
    cannot be equal on both sides, the bottom and the right get more."""

    def __init__(self, entered: int, width: int, side: int, stride: int = 1, groups: int = 1):
        before, after = (side - stride) // 2, (side - stride + 1) // 2
        self._uneven = (before, after, before, after) if before != after else None
        padding = 0 if self._uneven else before
        super().__init__(entered, width, side, stride, padding, groups=groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.pad(x, self._uneven) if self._uneven else x)


def lite0_preprocessing(size: int) -> Preprocessing:
    """Return the preprocessing that the weights were trained with, at another size."""
    return PREPROCESSING.model_copy(update={"size": size})


def load_lite0() -> Lite0:
    """Return the network with its ImageNet weights, from the installed package."""
    network = Lite0()
    weights = read_weights()

    def load(convolution: _Convolution, name: str, norm: str) -> None:
        kernel, bias = fold_batch_norm(weights[f"{name}.weight"], weights, norm)
        convolution.weight.copy_(kernel)
        convolution.bias.copy_(bias)

    with torch.no_grad():
        load(network.stem, "_conv_stem", "_bn0")
        load(network.top, "_conv_head", "_bn1")
        for i, block in enumerate(network.stages):
            name = f"_blocks.{i}."
            if block.expand is not None:
                load(block.expand, f"{name}_expand_conv", f"{name}_bn0")
            load(block.depthwise, f"{name}_depthwise_conv", f"{name}_bn1")
            load(block.project, f"{name}_project_conv", f"{name}_bn2")
    return network
