"""The setup function: gives a new deployment its first model and an empty gallery, once."""

from __future__ import annotations

import os
import time
from pathlib import Path

from lens.commits import advance_head
from lens.config import settings_from
from lens.current import Current, read_current, swap_current
from lens.storage import FileStorage, open_storage, write_once

_artifacts = open_storage(settings_from(os.environ).artifacts)
# Relative to the function's own code.
_folder = Path(os.environ.get("LAMBDA_TASK_ROOT", ""), os.environ["LENS_MODEL_FOLDER"])


def handler(event: object, context: object = None) -> dict[str, str]:
    """The live model. Where there is one already, nothing is touched; two at once do no harm."""
    current = read_current(_artifacts)
    if current is None:
        bundle = FileStorage(_folder.absolute())
        keys = [info.key for info in bundle.list("models/")]
        (model_id,) = {key.split("/")[1] for key in keys}
        for key in keys:
            write_once(_artifacts, key, bundle.read(key)[0])
        advance_head(
            _artifacts, model_id, lambda head: None if head.number else head, now=time.time()
        )
        first = Current(live=model_id)
        current = swap_current(_artifacts, lambda other: None if other else first) or first
    return {"live": current.live}
