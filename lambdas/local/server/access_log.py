"""The access log: a line of JSON for each request, without address, path or query of anybody."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lambdas.local.server.observation import Answered
from lens.errors import UsageError

log = logging.getLogger(__name__)

STANDARD_OUTPUT = "json"


def access_log(target: str) -> Callable[[Answered], None]:
    """Writes a line for what it is called with, to standard output or to a file's end.

    The file is opened for each line, so it may be moved away at any time (logrotate).

    Raises UsageError when the file cannot be written.
    """
    if target == STANDARD_OUTPUT:
        return lambda answered: print(_line(answered), flush=True)
    path = Path(target)
    try:
        path.open("a").close()
    except OSError as error:
        raise UsageError(f"LENS_ACCESS_LOG={target!r}: {error.strerror}") from error

    def write(answered: Answered) -> None:
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(_line(answered) + "\n")
        except OSError as error:  # a full disk must not end a request that is answered already
            log.error("the access log lacks a line: %s", error)

    return write


def _line(answered: Answered) -> str:
    return json.dumps(
        {
            "time": datetime.fromtimestamp(answered.at, UTC).isoformat(timespec="milliseconds"),
            "method": answered.method,
            "route": answered.route,
            "status": answered.status,
            "ms": round(answered.seconds * 1000, 1),
            "bytes": answered.sent_bytes,
            "request_id": answered.request_id,
        }
    )
