"""The shipped model: the files of the trained default model, which come with this package.

`manifest.json` and the networks lie beside this module, as `sagemaker_training/ship.py` wrote them
from a finished run. Nothing of it is fit to a catalog.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from lens.errors import ArtifactError
from lens.models.beside import name_beside, replace_beside
from lens.models.calibration import FILES
from lens.models.manifest import FP32, FasterNetwork, ModelManifest, manifest_key, write_model
from lens.storage import Storage

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"
_AGAIN = "check this release out, or install it, again"


def shipped_manifest(folder: Path = FOLDER) -> ModelManifest:
    """What the default model is; its networks are not read. ArtifactError when it is missing or
    damaged."""
    try:
        return ModelManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(f"this installation has no default model: {_AGAIN}") from error
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ArtifactError(f"the default model cannot be read ({reason}): {_AGAIN}") from error


def write_shipped(artifacts: Storage, folder: Path = FOLDER) -> ModelManifest:
    """Write the default model to the artifacts, unless it is there, and its newest calibration;
    its manifest. ArtifactError, and nothing is written, when a file is missing or damaged."""
    shipped = shipped_manifest(folder)
    there = artifacts.head(manifest_key(shipped.model_id)) is not None
    wanted = () if there else shipped.variants
    networks = {precision: _network(folder, shipped, precision) for precision in wanted}
    beside = {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}
    for name, data in beside.items():
        replace_beside(artifacts, shipped.model_id, name, data)
    if there:
        return shipped
    written = write_model(
        artifacts,
        networks[FP32],
        backbone=shipped.backbone,
        embedding_dim=shipped.embedding_dim,
        preprocessing=shipped.preprocessing,
        head=shipped.head,
        recipe=shipped.recipe,
        data=shipped.data,
        metrics=shipped.metrics,
        probe=shipped.probe,
        faster={
            precision: FasterNetwork(networks[precision], variant.needs, variant.losses)
            for precision, variant in shipped.variants.items()
            if precision != FP32
        },
    )
    if written.model_id != shipped.model_id:
        raise ArtifactError(f"the default model is not {shipped.model_id}: {_AGAIN}")
    for name, data in beside.items():  # now that there is a manifest
        name_beside(artifacts, shipped.model_id, name, data)
    return written


def _network(folder: Path, shipped: ModelManifest, precision: str) -> bytes:
    variant = shipped.variants[precision]
    try:
        network = (folder / variant.file).read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(f"{variant.file} of the default model is missing: {_AGAIN}") from error
    if hashlib.sha256(network).hexdigest() != variant.sha256:
        raise ArtifactError(f"{variant.file} of the default model is damaged: {_AGAIN}")
    return network
