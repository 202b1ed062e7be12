"""The job: one training run, from a folder of photos to a delivered model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lens.models.manifest import Preprocessing
from lens.photos.shards import unpack
from training.data.dataset import Dataset, problems_report, read_dataset, without_broken
from training.data.decoded import DecodedPhotos, build_decoded, open_decoded
from training.delivery.deliver import Outcome, deliver
from training.delivery.runs import Job, read_run
from training.loop.batches import TrainingPhotos
from training.loop.checkpoints import has_begun
from training.loop.cpu import keep_memory, use_cores
from training.loop.distributed import Ranks, joined_ranks
from training.loop.progress import RunProgress
from training.loop.scoring import embed, embed_splits, score_splits
from training.loop.trainer import Centers, Trainer
from training.loop.validation import make_validation
from training.network.embedding_model import (
    ColorPart,
    EmbeddingModel,
    ShapePart,
    build_model,
    start_from,
)
from training.network.projections import Projection, fit_projection, orthogonal_projection
from training.presets import Recipe, Start

# Training photos are decoded a little larger than the model's input, so that crops stay sharp.
_CROP_MARGIN = 8 / 7


def run_job(
    job: Job, recipe: Recipe, environment: Mapping[str, str], stopping: Callable[[], bool]
) -> None:
    """Train, score and deliver a model. Raises InterruptedRunError when asked to stop."""
    other = read_run(job.compare) if job.compare else None
    keep_memory()
    use_cores(environment)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    with joined_ranks(environment, job.device) as ranks:
        progress = RunProgress(ranks, job.output / "tensorboard")
        recipe = _for_device(recipe, ranks, progress)
        job = replace(job, data=_unpacked(job, ranks))
        torch.manual_seed(job.seed)
        model = build_model(recipe, pretrained=job.pretrained).to(ranks.device)
        dataset, decoded, large = _load_photos(job, recipe, model.preprocessing, ranks, progress)
        photos = _training_photos(dataset, large)
        validate = make_validation(recipe, model, decoded, dataset, ranks)
        centers: Centers = {}
        if not has_begun(job.checkpoints):
            centers = _fit_heads(model, recipe, decoded, photos, dataset, ranks)
        trainer = Trainer(
            recipe,
            model,
            photos,
            ranks=ranks,
            folder=job.checkpoints,
            progress=progress,
            seed=job.seed,
            centers=centers,
            validate=validate,
            stopping=stopping,
        )
        trainer.fit()
        splits = (job.test and dataset.tested) or dataset.validated
        vectors = embed_splits(model, decoded, splits, ranks)
        if ranks.first:
            scores = score_splits(vectors, dataset.photos, splits)
            outcome = Outcome(
                model, trainer.history, trainer.seconds, dataset, splits, vectors, scores
            )
            deliver(job, recipe, outcome, other, progress)
        ranks.wait()
        progress.close()


def _unpacked(job: Job, ranks: Ranks) -> Path:
    """The folder of the photos, where they travelled as shards too."""
    if ranks.local == 0:
        unpack(job.data, job.cache)
    ranks.wait()
    return unpack(job.data, job.cache)


def _load_photos(
    job: Job, recipe: Recipe, preprocessing: Preprocessing, ranks: Ranks, progress: RunProgress
) -> tuple[Dataset, DecodedPhotos, DecodedPhotos]:
    """Return the usable photos, decoded twice.

    First all of them at the model's input size, then the training photos at a larger size.
    """
    dataset = read_dataset(
        job.data, held_out=recipe.held_out, share=recipe.validation, fold=job.fold, seed=job.seed
    )

    def decode(keys: list[str], pixels: Preprocessing) -> DecodedPhotos:
        # One process of each machine decodes; the others open the file that it wrote.
        if ranks.local == 0:
            build_decoded(job.cache, dataset.root, keys, pixels)
        ranks.wait()
        return open_decoded(job.cache, dataset.root, keys, pixels)

    decoded = decode([photo.key for photo in dataset.photos], preprocessing)
    dataset = without_broken(dataset, decoded.broken)
    problems = problems_report(dataset, decoded.broken)
    if problems and ranks.first:
        progress.say(f"training goes on without some photos: {problems}")
        job.output.mkdir(parents=True, exist_ok=True)
        lines = [f"{key}\tmissing\n" for key in dataset.missing]
        lines += [f"{key}\t{decoded.broken[key]}\n" for key in dataset.broken]
        (job.output / "problems.txt").write_text("".join(lines))
    larger = preprocessing.model_copy(update={"size": round(preprocessing.size * _CROP_MARGIN)})
    return dataset, decoded, decode([photo.key for photo in dataset.train], larger)


def _training_photos(dataset: Dataset, decoded: DecodedPhotos) -> TrainingPhotos:
    classes = dataset.classes
    labels = np.array([classes[photo.item_id] for photo in dataset.train], np.int64)
    return TrainingPhotos(decoded, decoded.rows([photo.key for photo in dataset.train]), labels)


def _fit_heads(
    model: EmbeddingModel,
    recipe: Recipe,
    decoded: DecodedPhotos,
    photos: TrainingPhotos,
    dataset: Dataset,
    ranks: Ranks,
) -> Centers:
    """Fit the heads without labels, as the recipe says, and return each class's mean embedding."""
    keys = [photo.key for photo in dataset.train]
    centers = {}

    def fit(name: str, part: ShapePart | ColorPart, features: nn.Module, start: Start) -> None:
        found = embed(model, decoded, keys, ranks, part=features)
        projection = _projection(start, found, part.head.out_features)
        start_from(part, projection)
        centers[name] = _class_means(projection.embed(found), photos.labels)

    if recipe.start != "random":
        fit("shape", model.shape, model.shape.backbone, recipe.start)
    if model.color is not None:
        # A PCA needs more photos than dimensions.
        enough = len(keys) > recipe.color_dim
        fit("color", model.color, model.color.statistics, "pca" if enough else "orthogonal")
    return centers


def _class_means(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean vector of each class, (classes, D)."""
    sums = np.zeros((labels.max() + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    means: NDArray[np.float32] = (sums / np.bincount(labels)[:, None]).astype(np.float32)
    return means


def _projection(start: Start, features: NDArray[np.float32], dim: int) -> Projection:
    if start == "pca":
        return fit_projection(features, dim)
    return orthogonal_projection(features.shape[1], dim)


def _for_device(recipe: Recipe, ranks: Ranks, progress: RunProgress) -> Recipe:
    """Return the recipe with a precision that this machine can train in."""
    if recipe.precision == "fp16" and ranks.device.type == "cpu":
        progress.say("fp16 is for GPUs: this CPU trains in fp32")
        return replace(recipe, precision="fp32")
    return recipe
