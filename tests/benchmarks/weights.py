"""The workload's model: random weights, as the project's artifacts and as the baselines' files.

The project's leaves blank patches out, as the preset `inshop` has it trained; the baselines' sees
every patch, as the seed's design does. The head's bias takes each one's mean embedding away, or
random weights would place all photos in one spot.
"""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lens.gallery.current import Current, swap_current
from lens.models.embedder import load_embedder
from lens.models.manifest import FP32, FasterNetwork, HeadInfo, write_model
from lens.models.preprocessing import to_pixels
from lens.photos.decoding import decode
from lens.settings import Limits
from lens.storage import FileStorage

if TYPE_CHECKING:
    from tests.benchmarks.workload import Scale

_CENTERED_ON = 16  # photos whose mean embedding is taken away
_PATCHES = "patches.json"
Embed = Callable[[bytes], NDArray[np.float32]]  # of a photo's file


def write_models(
    folder: Path, scale: Scale, photos: Sequence[bytes], filled: Sequence[bytes]
) -> tuple[Embed, Embed]:
    """Write both sides' model; what the project makes of a photo, and what the baselines do.

    sagemaker_training's modules are found already.
    """
    import torch

    from training.network.embedding_model import build_model
    from training.presets import INSHOP, Recipe

    recipe = Recipe(
        name="bench",
        backbone=scale.backbone,
        size=scale.size,
        blank_from=INSHOP.blank_from,
        embedding_dim=scale.embedding_dim,
    )
    torch.manual_seed(scale.seed)
    model = build_model(recipe, pretrained=False).eval()
    seeing_all = copy.deepcopy(model)
    seeing_all.shape.backbone.blank = None
    for each in (model, seeing_all):
        _center(each, _pixels(each, photos[:_CENTERED_ON]))
    seen = {
        name: _patches_seen(model, some) for name, some in (("catalog", photos), ("filled", filled))
    }
    (folder / _PATCHES).write_text(json.dumps(seen))
    return _write_project_model(folder, model), _write_baselines(folder, seeing_all, scale)


def patches_seen(folder: Path) -> dict[str, list[int]]:
    """How many patches the project's model looks at, of each photo of "catalog" and of "filled"."""
    seen: dict[str, list[int]] = json.loads((folder / _PATCHES).read_text())
    return seen


def _pixels(model: Any, photos: Sequence[bytes]) -> Any:
    import torch

    images = [decode(photo, Limits()) for photo in photos]
    pixels = np.stack([to_pixels(image, model.preprocessing) for image in images])
    return torch.from_numpy(pixels)


def _center(model: Any, pixels: Any) -> None:
    import torch

    head = model.shape.head
    with torch.no_grad():
        head.bias -= head(model.shape.backbone(pixels)).mean(0)


def _patches_seen(model: Any, photos: Sequence[bytes]) -> list[int]:
    pixels, backbone = _pixels(model, photos), model.shape.backbone
    if backbone.blank is None:
        every = (model.preprocessing.size // backbone.model.config.patch_size) ** 2
        return [every] * len(photos)
    seen: list[int] = (~backbone.blank(pixels)).sum(dim=1).tolist()
    return seen


def _write_project_model(folder: Path, model: Any) -> Embed:
    """In every precision, as a training delivers a model whose gate admits them all: there is no
    recall to judge random weights by."""
    from training.export.onnx_export import export_precisions, needs_of

    artifacts = FileStorage(folder / "artifacts")
    networks = export_precisions(model)
    fp32 = networks.pop(FP32)
    manifest = write_model(
        artifacts,
        fp32,
        backbone="random-vit",
        embedding_dim=model.shape.head.out_features,
        preprocessing=model.preprocessing,
        head=HeadInfo(kind="trained"),
        faster={
            precision: FasterNetwork(network, needs_of(precision), {})
            for precision, network in networks.items()
        },
    )
    swap_current(artifacts, lambda _: Current(live=manifest.model_id))
    embedder = load_embedder(artifacts, manifest.model_id)
    return lambda photo: embedder.embed(decode(photo, Limits()))


def _write_baselines(folder: Path, model: Any, scale: Scale) -> Embed:
    """The plain model's weights, its export by torch, and its preprocessing."""
    import torch

    from tests.benchmarks.baselines.app import Preprocess
    from tests.benchmarks.baselines.torch_eager import load_encoder

    backbone, head = model.shape.backbone.model, model.shape.head
    state = {f"backbone.{name}": value for name, value in backbone.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    config = json.loads(json.dumps(backbone.config.to_diff_dict()))
    saved = {"config": config, "dim": scale.embedding_dim, "state": state}
    torch.save(saved, folder / "weights.pt")
    (folder / "preprocessing.json").write_text(model.preprocessing.model_dump_json())
    encoder = load_encoder(folder)
    # The exporter tells its own developers much on the way.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            encoder,
            (torch.zeros(2, 3, scale.size, scale.size),),
            dynamo=True,
            input_names=["pixels"],
            output_names=["embedding"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    (folder / "baseline.onnx").write_bytes(program.model_proto.SerializeToString())
    preprocess = Preprocess(model.preprocessing.model_dump())

    def embed(photo: bytes) -> NDArray[np.float32]:
        with torch.inference_mode():
            pixels = torch.from_numpy(preprocess(BytesIO(photo)))[None]
            vector: NDArray[np.float32] = encoder(pixels)[0].numpy()
        return vector

    return embed
