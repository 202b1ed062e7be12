"""The workload: one model, photos and gallery, as the project's artifacts and as the baselines'.

    python -m tests.benchmarks.workload FOLDER [--quick]

The weights are random, from a seed (`weights.py`). The gallery is the photos' embeddings and unit
vectors near them, up to as many rows as DeepFashion In-Shop's gallery has; each side's are its own
model's. Every photo is there once more without anything blank, `filled`: as shoppers' photos are,
whose backdrop is no shop's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.machine import ROOT

FOLDER = ROOT / "build" / "bench"
STOREFRONT = ROOT.parent / "shared" / "data" / "storefront"
PHOTOS = "LENS_BENCH_PHOTOS"  # a folder of photos to take instead

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


def filled_photos_of(folder: Path) -> list[bytes]:
    """The same photos without anything blank, in order."""
    return [file.read_bytes() for file in sorted((folder / "filled").iterdir())]


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
    from tests.benchmarks.weights import write_models

    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    shutil.rmtree(folder, ignore_errors=True)
    _copy_photos(photos or photo_folder(), folder / "catalog", scale.photos)
    _fill(folder / "catalog", folder / "filled")
    embed = write_models(folder, scale, photos_of(folder), filled_photos_of(folder))
    vectors = [np.stack([each(photo) for photo in photos_of(folder)]) for each in embed]
    project, baselines = (_near(each, scale) for each in vectors)
    _write_gallery(folder, project, scale.photos)
    _write_baselines_gallery(folder, baselines, scale.photos)
    (folder / "scale.json").write_text(json.dumps(asdict(scale)))


def _copy_photos(source: Path, target: Path, count: int) -> None:
    """An even choice, renamed in order; each is an item of its own."""
    files = sorted(file for file in source.rglob("*.jpg") if file.is_file())
    if len(files) < count:
        raise SystemExit(f"{source} has {len(files)} JPEG photos; {count} are needed")
    target.mkdir(parents=True)
    for number, i in enumerate(np.linspace(0, len(files) - 1, count).astype(int)):
        shutil.copyfile(files[i], target / f"{number:05}.jpg")


def _fill(source: Path, target: Path) -> None:
    """The photos as the precisions' gate asks for them once more."""
    from PIL import Image

    from training.delivery.precision_gate import without_backdrop

    target.mkdir()
    for file in sorted(source.iterdir()):
        without_backdrop(Image.open(file).convert("RGB")).save(target / file.name, quality=95)


def _near(vectors: Vectors, scale: Scale) -> Vectors:
    """A model's vectors of the photos to (rows, D) unit vectors: those, and as many near them, in
    turns."""
    rng = np.random.default_rng(scale.seed)
    rows = vectors[np.arange(scale.rows) % len(vectors)]
    noise = rng.standard_normal(rows.shape).astype(np.float32)
    noise *= _NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    noise[: len(vectors)] = 0
    rows = rows + noise
    near: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return near


def _items(rows: int, photos: int) -> list[str]:
    """A row's item is its photo."""
    return [f"photo-{row % photos:05}" for row in range(rows)]


def _write_baselines_gallery(folder: Path, vectors: Vectors, photos: int) -> None:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "gallery.index"))
    (folder / "items.json").write_text(json.dumps(_items(len(vectors), photos)))


def _write_gallery(folder: Path, vectors: Vectors, photos: int) -> None:
    """As a snapshot of the project."""
    from lens.gallery.commits import read_head
    from lens.gallery.current import read_current
    from lens.gallery.rows import Kind, Row, Rows
    from lens.gallery.segments import Segment, write_segment
    from lens.gallery.versions import Version
    from lens.pipeline.commit import commit_segments
    from lens.pipeline.compact import fold
    from lens.storage import FileStorage

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
        for row, item in enumerate(_items(len(vectors), photos))
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
