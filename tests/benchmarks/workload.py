"""The workload: one model, photos and gallery, as the project's artifacts and as the baselines'.

    python -m tests.benchmarks.workload FOLDER [--quick]

The weights are random, from a seed; the gallery is the photos' embeddings and unit vectors near
them, up to as many rows as DeepFashion In-Shop's gallery has. The head's bias takes the mean
embedding away, or random weights would place all photos in one spot.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.machine import ROOT

FOLDER = ROOT / "build" / "bench"
STOREFRONT = ROOT.parent / "shared" / "data" / "storefront"
PHOTOS = "LENS_BENCH_PHOTOS"  # a folder of photos to take instead

_CENTERED_ON = 16  # photos whose mean embedding is taken away
_NOISE = 0.3  # length of what is added to a unit vector: cosine 0.96 to the photo's own
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Scale:
    """How much there is to measure."""

    photos: int
    rows: int = 12_612  # In-Shop's gallery
    backbone: str = "facebook/dinov2-base"  # or a folder with a configuration of transformers
    size: int = 224  # pixels a side
    embedding_dim: int = 128
    seed: int = 0


FULL = Scale(photos=64)
QUICK = replace(FULL, photos=16)


def prepared(quick: bool) -> Path:
    """The folder of the whole or the quick workload, made now unless it is there."""
    folder = FOLDER / ("quick" if quick else "full")
    if not (folder / "scale.json").exists():
        command = [sys.executable, "-m", "tests.benchmarks.workload", str(folder)]
        subprocess.run([*command, *["--quick"] * quick], check=True, cwd=ROOT)
    return folder


def photos_of(folder: Path) -> list[bytes]:
    """The workload's photos, in order."""
    return [file.read_bytes() for file in sorted((folder / "catalog").iterdir())]


def photo_folder() -> Path:
    """Where photos are taken from: LENS_BENCH_PHOTOS, storefront beside the checkout, or a drawn
    catalog."""
    if given := os.environ.get(PHOTOS):
        return Path(given)
    if STOREFRONT.is_dir():
        return STOREFRONT
    from lambdas.local.sample.catalog import draw_catalog

    draw_catalog(FOLDER / "sample-catalog")
    return FOLDER / "sample-catalog"


def prepare(folder: Path, scale: Scale, photos: Path | None = None) -> None:
    """Write the workload. `scale.json` comes last: where it is, the workload is whole."""
    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    shutil.rmtree(folder, ignore_errors=True)
    _copy_photos(photos or photo_folder(), folder / "catalog", scale.photos)
    model = _random_model(folder, scale)
    _write_baselines(folder, model, scale)
    embed = _write_project_model(folder, model, scale)
    vectors = np.stack([embed(photo) for photo in photos_of(folder)])
    _write_galleries(folder, _near(vectors, scale), len(vectors))
    (folder / "scale.json").write_text(json.dumps(asdict(scale)))


def _copy_photos(source: Path, target: Path, count: int) -> None:
    """An even choice, renamed in order; each is an item of its own."""
    files = sorted(file for file in source.rglob("*.jpg") if file.is_file())
    if len(files) < count:
        raise SystemExit(f"{source} has {len(files)} JPEG photos; {count} are needed")
    target.mkdir(parents=True)
    for number, i in enumerate(np.linspace(0, len(files) - 1, count).astype(int)):
        shutil.copyfile(files[i], target / f"{number:05}.jpg")


def _random_model(folder: Path, scale: Scale) -> Any:
    import torch

    from lens.images import decode
    from lens.limits import Limits
    from lens.preprocessing import to_pixels
    from models import build_model
    from presets import Recipe

    torch.manual_seed(scale.seed)
    recipe = Recipe(
        name="bench", backbone=scale.backbone, size=scale.size, embedding_dim=scale.embedding_dim
    )
    model = build_model(recipe, pretrained=False).eval()
    images = [decode(photo, Limits()) for photo in photos_of(folder)[:_CENTERED_ON]]
    pixels = np.stack([to_pixels(image, model.preprocessing) for image in images])
    head = model.shape.head
    with torch.inference_mode():
        mean = head(model.shape.backbone(torch.from_numpy(pixels))).mean(0)
    with torch.no_grad():
        head.bias -= mean
    return model


def _write_baselines(folder: Path, model: Any, scale: Scale) -> None:
    """The plain model's weights, its export by torch, and its preprocessing."""
    import torch

    from tests.benchmarks.baselines.torch_eager import load_encoder

    backbone, head = model.shape.backbone.model, model.shape.head
    state = {f"backbone.{name}": value for name, value in backbone.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    config = json.loads(json.dumps(backbone.config.to_diff_dict()))
    saved = {"config": config, "dim": scale.embedding_dim, "state": state}
    torch.save(saved, folder / "weights.pt")
    (folder / "preprocessing.json").write_text(model.preprocessing.model_dump_json())
    # The exporter tells its own developers much on the way.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            load_encoder(folder),
            (torch.zeros(2, 3, scale.size, scale.size),),
            dynamo=True,
            input_names=["pixels"],
            output_names=["embedding"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            verbose=False,
        )
    (folder / "baseline.onnx").write_bytes(program.model_proto.SerializeToString())


def _write_project_model(folder: Path, model: Any, scale: Scale) -> Callable[[bytes], Vectors]:
    """In every precision, as a training delivers a model whose gate admits them all (there is no
    recall to judge random weights by); what serving makes of a photo."""
    from export import export_precisions
    from lens.cpu import INT8_DOT_PRODUCTS
    from lens.current import Current, swap_current
    from lens.embedder import load_embedder
    from lens.images import decode
    from lens.limits import Limits
    from lens.models import FP32, FasterNetwork, Head, write_model
    from lens.storage import FileStorage

    artifacts = FileStorage(folder / "artifacts")
    networks = export_precisions(model)
    fp32 = networks.pop(FP32)
    manifest = write_model(
        artifacts,
        fp32,
        backbone="random-vit",
        embedding_dim=scale.embedding_dim,
        preprocessing=model.preprocessing,
        head=Head(kind="trained"),
        faster={
            precision: FasterNetwork(network, INT8_DOT_PRODUCTS, {})
            for precision, network in networks.items()
        },
    )
    swap_current(artifacts, lambda _: Current(live=manifest.model_id))
    embedder = load_embedder(artifacts, manifest.model_id)
    return lambda photo: embedder.embed(decode(photo, Limits()))


def _near(vectors: Vectors, scale: Scale) -> Vectors:
    """(rows, D) unit vectors: the photos' own, then as many near them, in turns."""
    rng = np.random.default_rng(scale.seed)
    rows = vectors[np.arange(scale.rows) % len(vectors)]
    noise = rng.standard_normal(rows.shape).astype(np.float32)
    noise *= _NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    noise[: len(vectors)] = 0
    rows = rows + noise
    near: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return near


def _write_galleries(folder: Path, vectors: Vectors, photos: int) -> None:
    """As a snapshot of the project, and as the baselines' index. A row's item is its photo."""
    import faiss

    from lens.commits import read_head
    from lens.compaction import fold
    from lens.current import read_current
    from lens.indexing import commit_segments
    from lens.rows import Kind, Row, Rows
    from lens.segments import Segment, write_segment
    from lens.storage import FileStorage
    from lens.versions import Version

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "gallery.index"))
    items = [f"photo-{row % photos:05}" for row in range(len(vectors))]
    (folder / "items.json").write_text(json.dumps(items))

    now = time.time()
    rows = [
        Row(
            key=f"img/WOMEN/Tops/{item}/{row:05}.jpg",
            version=Version.of_event(f"{row:016X}"),
            kind=Kind.PHOTO,
            looked_at=now,
            etag=f"{row}",
            photo_id=hashlib.sha256(f"{row}".encode()).hexdigest()[:32],
            item_id=item,
            category="WOMEN/Tops",
        )
        for row, item in enumerate(items)
    ]
    artifacts = FileStorage(folder / "artifacts")
    current = read_current(artifacts)
    assert current is not None
    segment = write_segment(artifacts, current.live, Segment(Rows.of(rows), vectors))
    commit_segments(artifacts, current.live, [segment], now=now)
    head = read_head(artifacts, current.live)
    assert head is not None and fold(artifacts, head, now=now)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the workload to a folder."""
    parser = argparse.ArgumentParser(description="Write a workload for the benchmarks.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    prepare(options.folder, QUICK if options.quick else FULL)


if __name__ == "__main__":
    main()
