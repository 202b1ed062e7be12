"""Documents: the artifacts' small JSON files, written once or advanced by compare-and-swap."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lens.errors import ArtifactError, ConflictError, NotFoundError
from lens.storage import Storage, write_once

FORMAT = 1
_ATTEMPTS = 40


class Document(BaseModel):
    """Any JSON file of the artifacts; unknown fields are refused rather than dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: int = FORMAT


D = TypeVar("D", bound=Document)


def read_document(storage: Storage, key: str, kind: type[D]) -> tuple[D, str]:
    """A document and its ETag; NotFoundError without it, ArtifactError when it does not fit."""
    data, info = storage.read(key)
    return _parse(key, data, kind), info.etag


def write_document(storage: Storage, key: str, document: Document) -> None:
    """Write a document under a name that is used only once; ConflictError if it was."""
    write_once(storage, key, _encode(document), content_type="application/json")


def swap_document(
    storage: Storage,
    key: str,
    kind: type[D],
    change: Callable[[D | None], D | None],
    *,
    before_write: Callable[[D], None] | None = None,
) -> D | None:
    """Advance a document: `change` gets what is there (None: nothing) and returns what should be.

    When another writer was faster, `change` is asked again with what that writer left, so it must
    notice its own work: after a write whose answer was lost, it finds that done and returns None
    (nothing to write). Returns what is there at the end. Raises ConflictError after many losses.
    """
    for attempt in range(_ATTEMPTS):
        try:
            old, etag = read_document(storage, key, kind)
        except NotFoundError:
            old, etag = None, None
        new = change(old)
        if new is None:
            return old
        if before_write:
            before_write(new)
        try:
            storage.write(
                key,
                _encode(new),
                if_match=etag,
                if_absent=etag is None,
                content_type="application/json",
            )
        except ConflictError:
            time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 50)))
        else:
            return new
    raise ConflictError(f"{key} kept changing under {_ATTEMPTS} attempts; try again")


def _encode(document: Document) -> bytes:
    return document.model_dump_json(indent=1).encode() + b"\n"


def _parse(key: str, data: bytes, kind: type[D]) -> D:
    try:
        document = kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ArtifactError(
            f"{key} cannot be read: {where}: {first['msg']}; was it written by another version?"
        ) from error
    if document.format != FORMAT:
        raise ArtifactError(f"{key} has format {document.format}, this version reads {FORMAT}")
    return document
