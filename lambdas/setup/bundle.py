"""The first model as a folder for setup's zip: `python -m lambdas.setup.bundle FOLDER`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lens.default_model import write_projection
from lens.storage import open_storage


def main(folder: Path) -> None:
    """Write the default model with a seeded projection, and nothing else, into the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    write_projection(open_storage(folder))
    (folder / ".lock").unlink(missing_ok=True)  # a folder's writers keep it; nobody writes here


if __name__ == "__main__":
    main(Path(sys.argv[1]))
