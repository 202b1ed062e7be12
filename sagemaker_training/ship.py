"""Make a finished run's model the default model of the next release.

    python sagemaker_training/ship.py runs/garment-0/artifacts/models/MODEL

It writes the networks, byte for byte, and their manifest into lens/default_model/ in place of the
model that was there. The same model gives the same files. Galleries of an earlier default model are
then promoted to this one, so its number is one above that of the model it replaces (--number).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lens.default_model.shipped import FOLDER, MANIFEST, shipped_manifest
from lens.errors import ArtifactError, LensError, UsageError
from lens.models.beside import beside_key
from lens.models.calibration import FILES
from lens.models.embedder import probe_of
from lens.models.manifest import (
    DEFAULT_NUMBER,
    HeadInfo,
    ModelManifest,
    read_manifest,
    read_network,
)
from lens.storage import FileStorage

# 1 is that of the default models that were made without labels.
_FIRST_NUMBER = 2


def ship(model: Path, target: Path = FOLDER, *, number: int | None = None) -> ModelManifest:
    """Write a model, models/{model_id}/ of some artifacts, into `target`; its manifest there.

    Raises UsageError when it is no trained model, or its manifest names a place on this machine;
    ArtifactError when it is damaged.
    """
    model = model.resolve()
    artifacts = FileStorage(model.parents[1])
    manifest = read_manifest(artifacts, model.name)
    if manifest.head.kind != "trained":
        raise UsageError(
            f"{model.name} has a head of kind {manifest.head.kind!r}, not a trained one"
        )
    if number is None:
        number = _next_number(target, manifest.model_id)
    shipped = manifest.model_copy(
        update={
            # Of no catalog that it will serve: `data` tells what it was trained on.
            "head": HeadInfo(kind="trained"),
            "recipe": {**manifest.recipe, DEFAULT_NUMBER: number},
        }
    )
    for text in _texts([shipped.recipe, shipped.data, shipped.metrics]):
        if Path(text).is_absolute():
            raise UsageError(
                f"the manifest names a place on this machine, {text}: train without it"
            )
    networks = {
        variant.file: read_network(artifacts, manifest, precision)
        for precision, variant in manifest.variants.items()
    }
    whole = {precision: networks[variant.file] for precision, variant in manifest.variants.items()}
    shipped = shipped.model_copy(update={"probe": probe_of(manifest, whole)})
    target.mkdir(parents=True, exist_ok=True)
    for file in (target / MANIFEST, *(target / name for name in FILES), *target.glob("*.onnx")):
        file.unlink(missing_ok=True)
    for name, network in networks.items():
        (target / name).write_bytes(network)
    for name in FILES:
        if artifacts.head(beside_key(model.name, name)) is not None:
            (target / name).write_bytes(artifacts.read(beside_key(model.name, name))[0])
    fields = json.dumps(shipped.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (target / MANIFEST).write_text(fields + "\n")
    return shipped_manifest(target)


def _next_number(target: Path, model_id: str) -> int:
    """The number of the model that is there if it is this one, else the number after it."""
    try:
        there = shipped_manifest(target)
    except ArtifactError:
        return _FIRST_NUMBER
    return there.default_number + (there.model_id != model_id)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def main(arguments: Sequence[str] | None = None) -> int:
    """Ship the model that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, metavar="artifacts/models/MODEL")
    parser.add_argument("--number", type=int, help="which default model it is (the next)")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder to write")
    options = parser.parse_args(arguments)
    try:
        shipped = ship(options.model, options.into, number=options.number)
    except (LensError, OSError) as error:
        print(f"ship: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in options.into.glob("*.onnx"))
    print(f"{shipped.model_id}, default model {shipped.default_number}, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
