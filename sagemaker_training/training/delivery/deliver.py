"""Delivery: checks a trained model, writes it to the artifacts, reports on it and judges it."""

from __future__ import annotations

import io
import os
import platform
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from lens.evaluation.protocols import Split
from lens.models.embedder import Embedder, probe_of
from lens.models.manifest import FP32, FasterNetwork, HeadInfo, ModelManifest, Variant, write_model
from lens.pipeline.verdict import verdict_key
from lens.storage import Storage, open_storage
from training.data.dataset import Dataset
from training.delivery.gate import judge, score_live
from training.delivery.precision_gate import judge_precisions
from training.delivery.report import write_report
from training.delivery.runs import FILE, Job, Run
from training.export.onnx_export import check_parity, export_precisions, needs_of
from training.loop.progress import RunProgress
from training.loop.scoring import ProtocolScores, Vectors
from training.network.embedding_model import EmbeddingModel, backbone_name
from training.presets import Recipe

_PARITY_PHOTOS = 32


@dataclass(frozen=True)
class Outcome:
    """What the training loop gives to delivery."""

    model: EmbeddingModel
    history: list[dict[str, Any]]  # one entry for each epoch
    seconds: float
    dataset: Dataset
    splits: dict[str, Split]  # by protocol, of the test part or of the validation part
    vectors: Vectors  # of all photos in the splits
    scores: dict[str, ProtocolScores]  # by protocol


def deliver(
    job: Job, recipe: Recipe, outcome: Outcome, other: Run | None, progress: RunProgress
) -> None:
    """Write the model, the run, the report, the embeddings and the verdict.

    The model is written first, because the others name it. Raises ArtifactError if the exported
    model differs from the trained one.
    """
    part = "test" if outcome.splits == outcome.dataset.tested else "best validation"
    for scores in outcome.scores.values():
        progress.scores(part, scores, 0)
    artifacts = open_storage(job.artifacts)
    run = Run(
        model_id="",
        seed=job.seed,
        recipe=asdict(recipe),
        data=outcome.dataset.describe(),
        machine=_machine(outcome.model),
        history=outcome.history,
        seconds=outcome.seconds,
        scores=outcome.scores,
    )
    manifest, precisions = _write_model(artifacts, job, recipe, outcome, run, progress)
    run = replace(run, model_id=manifest.model_id, precisions=precisions)
    job.output.mkdir(parents=True, exist_ok=True)
    (job.output / FILE).write_text(run.to_json())
    photos = outcome.dataset.photos
    report = write_report(job.output / "report.html", run, job.data, photos, other)
    _write_records(artifacts, job, run, report.read_bytes(), outcome.vectors)
    if outcome.scores:
        _write_verdict(artifacts, job, manifest.model_id, outcome, progress)


def _write_model(
    artifacts: Storage,
    job: Job,
    recipe: Recipe,
    outcome: Outcome,
    run: Run,
    progress: RunProgress,
) -> tuple[ModelManifest, dict[str, Any]]:
    """Write the model; return its manifest, and the gate's verdicts on its faster precisions.

    Before anything is written, the fp32 graph is compared with torch on photos evenly spread over
    the dataset.
    """
    networks = export_precisions(outcome.model)
    described: dict[str, Any] = {
        "backbone": backbone_name(recipe),
        "embedding_dim": recipe.embedding_dim,
        "preprocessing": outcome.model.preprocessing,
        "head": HeadInfo(kind="trained", fit_on=len(outcome.dataset.train)),
    }
    variants = {name: Variant(file="", sha256="") for name in networks}
    unwritten = ModelManifest(model_id="as exported", variants=variants, **described)
    photos = outcome.dataset.photos
    sample = [photos[i] for i in np.linspace(0, len(photos) - 1, _PARITY_PHOTOS).astype(int)]
    files = [job.data / photo.key for photo in sample]
    cosine = check_parity(outcome.model, Embedder(unwritten, networks[FP32]), files)
    verdicts = judge_precisions(unwritten, networks, job.data, photos, outcome.splits)
    kept = [FP32, *(verdict.precision for verdict in verdicts if verdict.admitted)]
    manifest = write_model(
        artifacts,
        networks[FP32],
        **described,
        probe=probe_of(unwritten, {name: networks[name] for name in kept}),
        recipe={**run.recipe, "seed": job.seed, "fold": job.fold},
        data=run.data,
        metrics=run.metrics(),
        faster={
            verdict.precision: FasterNetwork(
                networks[verdict.precision], needs_of(verdict.precision), verdict.losses
            )
            for verdict in verdicts
            if verdict.admitted
        },
    )
    progress.say(f"exported {manifest.model_id}, cosine to torch at least {cosine:.6f}")
    for verdict in verdicts:
        progress.say(verdict.line())
    return manifest, {verdict.precision: verdict.figures() for verdict in verdicts}


def _write_records(artifacts: Storage, job: Job, run: Run, report: bytes, vectors: Vectors) -> None:
    """Write the run, the report and the embeddings to training/, which no gallery reads."""
    folder = f"training/{job.name}/"
    artifacts.write(folder + FILE, run.to_json().encode(), content_type="application/json")
    artifacts.write(folder + "report.html", report, content_type="text/html")
    if vectors:
        packed = io.BytesIO()
        np.savez(packed, keys=np.array(list(vectors)), vectors=np.stack(list(vectors.values())))
        artifacts.write(folder + "embeddings.npz", packed.getvalue())


def _write_verdict(
    artifacts: Storage, job: Job, model_id: str, outcome: Outcome, progress: RunProgress
) -> None:
    """Judge by the first protocol: the benchmark, if there is one."""
    protocol, scores = next(iter(outcome.scores.items()))
    photos, split = outcome.dataset.photos, outcome.splits[protocol]
    live_id, live = score_live(artifacts, job.data, photos, split, protocol)
    verdict = judge(model_id, scores, live_id, live, job.margin)
    artifacts.write(
        verdict_key(job.name),
        verdict.model_dump_json(indent=1).encode(),
        content_type="application/json",
    )
    progress.say(f"gate: {verdict.reason}")


def _machine(model: EmbeddingModel) -> dict[str, Any]:
    device = next(model.parameters()).device
    cuda = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"{os.cpu_count()} CPU cores",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
