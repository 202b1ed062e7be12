"""The ONNX graph of the color statistics.

training.network.color is its twin in torch: it explains the steps and owns the constants. The test
that holds the two equal is tests/sagemaker_training/export/test_color_graph.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.numpy_helper
import onnx.parser
from numpy.typing import ArrayLike

from lens.models.manifest import Preprocessing
from training.network.color import (
    CHROMA_BINS,
    COLORS,
    CONES,
    DARKEST_WHITE,
    DISPLAY_GAMMA,
    LIGHTNESS_BINS,
    OPPONENTS,
    POOL,
    WHITE_MARGIN,
)

# A pooled pixel at the padding's edge is half padding, so those beside it cannot be the brightest.
# P is the pixels after pooling, K and C the bins of lightness and chroma. A bin is a triangle one
# bin wide on each side. The joint histogram of (a, b, L) is one product, (C * C, P) by (P, K). The
# last square root makes inner products Bhattacharyya coefficients, and lengths 1 (0 if all white).
_NODES = """{
  pooled = AveragePool <kernel_shape = [POOL, POOL], strides = [POOL, POOL]> (pixels)
  scaled = Mul (pooled, std)
  shifted = Add (scaled, mean)
  seen = Clip (shifted, zero, one)

  unlike_fill = Sub (seen, fill)
  unlikeness = Abs (unlike_fill)
  most_unlike = ReduceMax <keepdims = 1> (unlikeness, channels)
  is_padding = Less (most_unlike, rounding)
  padding = Cast <to = 1> (is_padding)
  near_padding = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (padding)
  inside = Sub (one, near_padding)
  candidates = Mul (seen, inside)
  brightest = ReduceMax <keepdims = 1> (candidates, rows_and_columns)
  white = Max (brightest, darkest_white)
  relative = Div (seen, white)
  relit = Min (relative, one)
  rgb = Reshape (relit, rgb_shape)

  darkest = ReduceMin <keepdims = 1> (rgb, channels)
  margin = Sub (one, darkest)
  margins = Mul (margin, per_white_margin)
  foreground = Min (margins, one)

  linear = Pow (rgb, gamma)
  responses = MatMul (cones, linear)
  roots = Pow (responses, third)
  lab = MatMul (opponents, roots)
  lightness, chroma = Split <axis = 1> (lab, one_and_two)

  lightness_position = Mul (lightness, last_lightness_bin)
  lightness_offset = Sub (lightness_position, lightness_bins)
  lightness_distance = Abs (lightness_offset)
  lightness_nearness = Sub (one, lightness_distance)
  lightness_share = Relu (lightness_nearness)
  lightness_weight = Mul (lightness_share, foreground)
  lightness_columns = Transpose <perm = [0, 2, 1]> (lightness_weight)

  chroma_size = Abs (chroma)
  chroma_root = Sqrt (chroma_size)
  chroma_sign = Sign (chroma)
  chroma_signed = Mul (chroma_root, chroma_sign)
  chroma_shifted = Add (chroma_signed, half)
  chroma_unit = Clip (chroma_shifted, zero, one)
  chroma_scaled = Mul (chroma_unit, last_chroma_bin)
  chroma_position = Unsqueeze (chroma_scaled, bin_axis)
  chroma_offset = Sub (chroma_position, chroma_bins)
  chroma_distance = Abs (chroma_offset)
  chroma_nearness = Sub (one, chroma_distance)
  chroma_share = Relu (chroma_nearness)
  a_share, b_share = Split <axis = 1, num_outputs = 2> (chroma_share)
  a_outer = Reshape (a_share, outer_shape)
  ab_grid = Mul (a_outer, b_share)
  ab_share = Reshape (ab_grid, grid_shape)

  bins = MatMul (ab_share, lightness_columns)
  counts = Reshape (bins, color_shape)
  total = ReduceSum <keepdims = 1> (counts, last)
  total_or_one = Max (total, tiny)
  histogram = Div (counts, total_or_one)
  color = Sqrt (histogram)
}"""


def color_graph(preprocessing: Preprocessing) -> Any:
    """Return the onnx.GraphProto from "pixels" (N, 3, S, S) to "color" (N, COLORS), both float32.

    Rows have unit length, or are zero where the whole photo is white. `preprocessing` says what the
    pixels' values mean, and S.
    """
    size = preprocessing.size
    points = (size // POOL) ** 2
    c = CHROMA_BINS
    values: dict[str, ArrayLike] = {
        "mean": np.reshape(preprocessing.mean, (3, 1, 1)) / 255,
        "std": np.reshape(preprocessing.std, (3, 1, 1)) / 255,
        "fill": np.reshape(preprocessing.fill, (3, 1, 1)) / 255,
        "rounding": 1e-5,  # one level of one pooled pixel is 2.5e-4
        "darkest_white": DARKEST_WHITE,
        "cones": CONES,
        "opponents": OPPONENTS,
        "lightness_bins": np.arange(LIGHTNESS_BINS)[:, None],
        "chroma_bins": np.arange(c)[:, None],
        "last_lightness_bin": LIGHTNESS_BINS - 1,
        "last_chroma_bin": c - 1,
        "per_white_margin": 255 / WHITE_MARGIN,
        "gamma": DISPLAY_GAMMA,
        "third": 1 / 3,
        "zero": 0,
        "half": 0.5,
        "one": 1,
        "tiny": 1e-6,
    }
    shapes = {
        "rgb_shape": [-1, 3, points],
        "outer_shape": [-1, c, 1, points],
        "grid_shape": [-1, c * c, points],
        "color_shape": [-1, COLORS],
        "one_and_two": [1, 2],
        "channels": [1],
        "rows_and_columns": [2, 3],
        "bin_axis": [2],
        "last": [-1],
    }
    text = f"color (float[N, 3, {size}, {size}] pixels) => (float[N, {COLORS}] color) {_NODES}"
    graph = onnx.parser.parse_graph(text.replace("POOL", str(POOL)))
    graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value, np.float32), name)
        for name, value in values.items()
    )
    graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(shape, np.int64), name)
        for name, shape in shapes.items()
    )
    return graph
