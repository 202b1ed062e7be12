"""What the proof runs on both machines: each model of some artifacts embeds the timed photos.

python embed.py ARTIFACTS VECTORS.npz
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np

from lens.models.choice import timed_photos
from lens.models.cpu import cpu_kind
from lens.models.embedder import RUNTIME, load_embedder
from lens.models.manifest import list_models, read_manifest
from lens.storage import FileStorage


def main(artifacts: str, vectors: str) -> None:
    """Every precision of every model, by their names."""
    print(f"{platform.machine()}: {RUNTIME} on {cpu_kind()} is imported", flush=True)
    storage = FileStorage(Path(artifacts).resolve())
    found = {}
    for model_id in list_models(storage):
        for precision in read_manifest(storage, model_id).variants:
            embedder = load_embedder(storage, model_id, precision)
            rows = [embedder.embed(photo) for photo in timed_photos()]
            found[f"{model_id} {precision}"] = np.stack(rows)
    np.savez(vectors, **found)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
