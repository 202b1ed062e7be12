"""The garment job: one training run, from labels to a model that can be served."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lens.models.manifest import HeadInfo, ModelManifest, write_model
from lens.models.preprocessing import to_pixels
from lens.storage import open_storage
from training.export.shares_graph import write_shares
from training.garment.export import check_parity, export_garment
from training.garment.labels import PLACES
from training.garment.material import Material, read_material
from training.garment.network import GarmentNetwork
from training.garment.plan import Plan
from training.garment.trainer import GarmentTrainer
from training.loop.cpu import keep_memory, use_cores
from training.loop.distributed import Ranks
from training.loop.progress import RunProgress
from training.loop.seeds import mixed_seed
from training.network.embedding_model import LITE0
from training.network.lite0 import Lite0, lite0_preprocessing, load_lite0

_PARITY_PHOTOS = 32
FILE = "run.json"


@dataclass(frozen=True)
class GarmentJob:
    """The options of one run that are not its plan."""

    labels: Path
    data: Path
    shopper: Path
    output: Path
    scenes: Path | None = None
    things: Path | None = None
    seed: int = 0
    pretrained: bool = True
    save_every: int = 100  # steps


def run_garment(
    job: GarmentJob, plan: Plan, environment: Mapping[str, str], stopping: Callable[[], bool]
) -> ModelManifest:
    """Train a network, write its model into the output's artifacts and return the manifest.

    Raises InterruptedRunError when asked to stop, UsageError for folders that hold no material, and
    ArtifactError if the exported network differs from the trained one.
    """
    keep_memory()
    use_cores(environment)
    torch.use_deterministic_algorithms(True, warn_only=True)
    progress = RunProgress(Ranks(0, 1, 0, torch.device("cpu")), job.output / "tensorboard")
    material = read_material(job.labels, job.data, job.shopper, job.scenes, job.things)
    progress.say(f"training on {json.dumps(material.describe())}")
    torch.manual_seed(mixed_seed(job.seed))
    trunk = load_lite0() if job.pretrained else Lite0()
    network = GarmentNetwork(
        trunk.to(memory_format=torch.channels_last),
        kinds=len(PLACES),
        color_weight=plan.color_weight,
    )
    trainer = GarmentTrainer(
        plan,
        network,
        material,
        folder=job.output / "checkpoints",
        progress=progress,
        seed=job.seed,
        stopping=stopping,
        save_every=job.save_every,
    )
    manifest = _deliver(job, plan, trainer.fit(), material, trainer.seconds, progress)
    progress.close()
    return manifest


def _deliver(
    job: GarmentJob,
    plan: Plan,
    network: GarmentNetwork,
    material: Material,
    seconds: float,
    progress: RunProgress,
) -> ModelManifest:
    """Write the model, after it was compared with torch, and run.json."""
    preprocessing = lite0_preprocessing(plan.size)
    graph = export_garment(network, plan.size)
    photos = [*material.catalog, *material.shoppers]
    sample = [photos[i] for i in np.linspace(0, len(photos) - 1, _PARITY_PHOTOS).astype(int)]
    pixels = [to_pixels(Image.fromarray(photo.image), preprocessing) for photo in sample]
    cosine = check_parity(network, graph, np.stack(pixels))
    recipe = {**asdict(plan), "seed": job.seed}
    artifacts = open_storage(job.output / "artifacts")
    manifest = write_model(
        artifacts,
        graph,
        backbone=LITE0,
        embedding_dim=network.shape.out_features + network.color.out_features,
        preprocessing=preprocessing,
        head=HeadInfo(kind="trained", fit_on=len(photos)),
        recipe=recipe,
        data=material.describe(),
    )
    write_shares(artifacts, manifest)
    run: dict[str, Any] = {
        "model_id": manifest.model_id,
        "recipe": recipe,
        "data": material.describe(),
        "machine": {
            "device": f"{os.cpu_count()} CPU cores",
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "seconds": seconds,
    }
    (job.output / FILE).write_text(json.dumps(run, indent=1) + "\n")
    progress.say(f"exported {manifest.model_id}, cosine to torch at least {cosine:.6f}")
    return manifest
