"""The pictures' state: what earlier runs of fetching found out that the pictures do not say."""

from __future__ import annotations

import logging

from pydantic import BaseModel, ConfigDict, ValidationError

from lens.errors import DamagedError, NotFoundError
from lens.fetching.polite import Rest
from lens.storage import Storage

log = logging.getLogger(__name__)

# Among the artifacts: the pictures' own place can be read by everybody.
_KEY = "fetching.json"


class Failure(BaseModel):
    """A picture that was asked for in vain; `at` is in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    product: str
    address: str
    why: str
    at: float


class PicturesState(BaseModel):
    """Failures by picture, hosts that are left alone, since when many pictures are named no more,
    and since when all of the shop's own photos are gone. Losing it costs a request for each
    failure."""

    model_config = ConfigDict(frozen=True)

    failures: dict[str, Failure] = {}
    hosts: dict[str, Rest] = {}
    leaving_since: float | None = None
    absent_since: float | None = None


def read_state(artifacts: Storage) -> PicturesState:
    """What was written last; an empty one where it is missing or damaged."""
    try:
        return PicturesState.model_validate_json(artifacts.read(_KEY)[0])
    except NotFoundError:
        return PicturesState()
    except ValidationError as error:
        log.warning("%s is damaged and begins anew: %s", _KEY, " ".join(str(error).split()))
        return PicturesState()


def check_state(artifacts: Storage) -> None:
    """DamagedError when what was written is damaged."""
    try:
        PicturesState.model_validate_json(artifacts.read(_KEY)[0])
    except ValidationError as error:
        raise DamagedError(_KEY, " ".join(str(error).split())) from error


def write_state(artifacts: Storage, state: PicturesState) -> None:
    """Write it down for later runs, and for `lens status`."""
    data = state.model_dump_json(indent=1).encode()
    artifacts.write(_KEY, data, content_type="application/json")
