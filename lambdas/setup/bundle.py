"""The bundle: a folder with the default model, which a deployment packs beside the function.

    python -m lambdas.setup.bundle FOLDER

An unchanged model gives the same bytes, and so no new deployment.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from lens.default_model.shipped import write_shipped
from lens.errors import LensError
from lens.models.manifest import PREFIX
from lens.storage import FileStorage


def write_bundle(folder: Path) -> str:
    """Write the default model, in place of any that was there; its id."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as temporary:
        manifest = write_shipped(FileStorage(Path(temporary)))
        models = folder / PREFIX
        shutil.rmtree(models, ignore_errors=True)
        (Path(temporary) / PREFIX).rename(models)
    return manifest.model_id


def main() -> int:
    """Run it; a failure is one line."""
    if len(sys.argv) != 2:
        print("usage: python -m lambdas.setup.bundle FOLDER", file=sys.stderr)
        return 2
    try:
        print(f"{sys.argv[1]}: {write_bundle(Path(sys.argv[1]))}")
    except (LensError, OSError) as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
