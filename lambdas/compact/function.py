"""The compact function: events of advanced heads become shorter tails, out of the commits' way."""

from __future__ import annotations

import os
import time
from typing import Any

from lens.commits import parse_head_key
from lens.compaction import compact
from lens.config import settings_from
from lens.current import read_current
from lens.events import answer_batch, keys_in
from lens.storage import key_prefix, open_storage

_artifacts = open_storage(settings_from(os.environ).artifacts)


def handler(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    """Lambda's calling convention; the reply names the messages that failed."""
    prefix = key_prefix(_artifacts)
    return answer_batch(event, lambda body: keys_in(body, prefix), _compact)


def _compact(keys: list[str]) -> None:
    current = read_current(_artifacts)
    kept_up = current.kept_up if current else ()
    for model_id in dict.fromkeys(map(parse_head_key, keys)):
        while model_id in kept_up and compact(_artifacts, model_id, now=time.time()):
            pass
