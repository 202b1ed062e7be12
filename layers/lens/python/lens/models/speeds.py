"""Speeds: what each form of a model takes on one kind of CPU, as it was measured there.

A form is one of a model's networks, by its precision's name: in which numbers it multiplies, and
whether it merges patches. The figures lie in the artifacts, a file for each model, kind of CPU and
version of the runtime, so that every machine of a kind knows what one has measured.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator

from lens.errors import ArtifactError, ConflictError, NotFoundError, StorageError
from lens.models.cpu import cpu_kind
from lens.storage import Storage
from lens.storage.documents import Document, read_document, replace_document

log = logging.getLogger(__name__)

PREFIX = "speeds/"


class Speeds(Document):
    """Milliseconds of CPU time a photo, by form."""

    model_id: str
    cpu: str
    runtime: str
    milliseconds: dict[str, float] = {}

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """The forms with their figures, the fastest first."""
        return sorted(self.milliseconds.items(), key=lambda each: each[1])

    def adding(self, form: str, milliseconds: float) -> Speeds:
        """With one more figure."""
        figures = {**self.milliseconds, form: round(milliseconds, 2)}
        return self.model_copy(update={"milliseconds": figures})


def read_speeds(storage: Storage, model_id: str, runtime: str) -> Speeds:
    """What is known of a model on CPUs of this machine's kind. Figures that cannot be read are as
    good as none: they are measured again."""
    none = Speeds(model_id=model_id, cpu=cpu_kind(), runtime=runtime)
    try:
        found = read_document(storage, speeds_key(none), Speeds)[0]
    except NotFoundError:
        return none
    except (ArtifactError, StorageError) as error:
        log.warning("how fast the model's forms are is not known: %s", error)
        return none
    return found if (found.model_id, found.cpu, found.runtime) == _whose(none) else none


def all_speeds(storage: Storage, model_id: str) -> Iterator[Speeds]:
    """What is known of a model on all kinds of CPUs; what cannot be read is left out."""
    for info in storage.list(f"{PREFIX}{model_id}/"):
        try:
            yield read_document(storage, info.key, Speeds)[0]
        except (ArtifactError, NotFoundError) as error:
            log.warning("left out: %s", error)


def write_speeds(storage: Storage, speeds: Speeds) -> None:
    """Keep figures for the next load, where this process may; else that measures them again."""
    key = speeds_key(speeds)
    try:
        there = storage.head(key)
        replace_document(storage, key, speeds, there.etag if there else None)
    except (ConflictError, StorageError) as error:  # a conflict: another process has measured, too
        log.info("how fast the model's forms are was not written: %s", error)


def speeds_key(speeds: Speeds) -> str:
    """Where the figures lie."""
    kind = hashlib.sha256(f"{speeds.cpu}\n{speeds.runtime}".encode()).hexdigest()[:16]
    return f"{PREFIX}{speeds.model_id}/{kind}.json"


def _whose(speeds: Speeds) -> tuple[str, str, str]:
    return speeds.model_id, speeds.cpu, speeds.runtime
