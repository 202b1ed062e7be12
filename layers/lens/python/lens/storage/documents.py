"""Documents: the artifacts' small JSON files, written once or advanced by compare-and-swap."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import from_json

from lens.errors import ConflictError, DamagedError, NotFoundError
from lens.storage.contract import Storage, write_once
from lens.storage.formats import NEWEST, Since, check_format, written_format

log = logging.getLogger(__name__)

_ATTEMPTS = 40
# Beside a document's fields: the checksum of all else, which earlier formats would refuse.
_SUM, _SUM_SINCE = "sum", 2


class Record(BaseModel):
    """A value inside a JSON file; unknown fields are refused rather than dropped.

    A field of type `Annotated[..., Since(N)]` is not written to files of earlier formats, so it
    needs a default.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _without_envelope(cls, given: Any) -> Any:
        """Before 0.2 every value had a format of its own."""
        if isinstance(given, dict):
            beside = {"format", _SUM} - cls.model_fields.keys()
            return {name: value for name, value in given.items() if name not in beside}
        return given

    @model_serializer(mode="wrap")
    def _of_format(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        if info.context is None:
            return fields
        later = {
            name
            for name, field in type(self).model_fields.items()
            for mark in field.metadata
            if isinstance(mark, Since) and mark.format > info.context["format"]
        }
        return {name: value for name, value in fields.items() if name not in later}


class Document(Record):
    """A whole JSON file of the artifacts; its format is written and checked beside its fields."""

    def says_new(self) -> bool:
        """Whether it says something that is to be written at once where no earlier release is."""
        return any(
            isinstance(mark, Since) and mark.at_once and getattr(self, name) != field.default
            for name, field in type(self).model_fields.items()
            for mark in field.metadata
        )


D = TypeVar("D", bound=Document)


def read_document(storage: Storage, key: str, kind: type[D]) -> tuple[D, str]:
    """A document and its ETag; NotFoundError without it, DamagedError when it is not as it was
    written. Raises ArtifactError when it has the format of another release."""
    data, info = storage.read(key)
    return _parse(key, data, kind), info.etag


def parse_document(key: str, data: bytes, kind: type[D]) -> D:
    """A document from bytes that lie elsewhere than under its key; raises as `read_document`."""
    return _parse(key, data, kind)


def speaks_newest(storage: Storage, keys: Iterable[str]) -> bool:
    """Whether any of these documents is of the newest format."""
    for key in keys:
        try:
            fields = json.loads(storage.read(key)[0])
        except (NotFoundError, ValueError):
            continue
        if isinstance(fields, dict) and fields.get("format") == NEWEST:
            return True
    return False


def write_document(storage: Storage, key: str, document: Document) -> None:
    """Write a document under a name that is used only once; ConflictError if it was."""
    write_once(storage, key, _encode(storage, document), content_type="application/json")


def replace_document(storage: Storage, key: str, document: Document, etag: str | None) -> None:
    """Put a document in the place of bytes with this ETag, readable or not (None: of nothing);
    ConflictError when something else is there."""
    storage.write(
        key,
        _encode(storage, document),
        if_match=etag,
        if_absent=etag is None,
        content_type="application/json",
    )


def swap_document(
    storage: Storage,
    key: str,
    kind: type[D],
    change: Callable[[D | None], D | None],
    *,
    before_write: Callable[[D], None] | None = None,
    anew: bool = False,
) -> D | None:
    """Advance a document: `change` gets what is there (None: nothing) and returns what should be.

    When another writer was faster, `change` is asked again with what that writer left, so it must
    notice its own work: after a write whose answer was lost, it finds that done and returns None
    (nothing to write). Returns what is there at the end. Raises ConflictError after many losses.

    A damaged document raises DamagedError; with `anew` it counts as nothing, and is replaced.
    """
    for attempt in range(_ATTEMPTS):
        old, etag = _newest(storage, key, kind, anew=anew)
        new = change(old)
        if new is None:
            return old
        if before_write:
            before_write(new)
        try:
            replace_document(storage, key, new, etag)
        except ConflictError:
            time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 50)))
        else:
            return new
    raise ConflictError(f"{key} kept changing under {_ATTEMPTS} attempts; try again")


def touch_document(storage: Storage, key: str) -> None:
    """Change a document's bytes and nothing that it says, so that every swap of it which has begun
    fails and begins anew; where there is no document, nothing happens.

    Its end gets one more empty line, until the next swap writes it again: no bytes ever come back,
    and every release reads them.
    """
    try:
        data, info = storage.read(key)
    except NotFoundError:
        return
    for _ in range(_ATTEMPTS):
        try:
            storage.write(key, data + b"\n", if_match=info.etag, content_type="application/json")
        except ConflictError:
            newest = storage.head(key)
            if newest is None or newest.etag != info.etag:
                return  # another writer changed it, or this one did and was not told
        else:
            return
    raise ConflictError(f"{key} could not be touched in {_ATTEMPTS} attempts; try again")


def _encode(storage: Storage, document: Document) -> bytes:
    written = written_format(storage, time.time(), at_once=document.says_new())
    fields = document.model_dump(mode="json", context={"format": written})
    whole = {"format": written, **fields}
    if written >= _SUM_SINCE:
        whole[_SUM] = _sum(whole)
    return json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"


def _sum(fields: dict[str, Any]) -> str:
    """The checksum of a document's fields, whatever their order and the white space."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _newest(
    storage: Storage, key: str, kind: type[D], *, anew: bool
) -> tuple[D | None, str | None]:
    try:
        data, info = storage.read(key)
    except NotFoundError:
        return None, None
    try:
        return _parse(key, data, kind), info.etag
    except DamagedError as error:
        if not anew:
            raise
        log.warning("begun anew: %s", error)
        return None, info.etag


def _parse(key: str, data: bytes, kind: type[D]) -> D:
    try:
        fields = from_json(data)
        if isinstance(fields, dict):
            given = fields.pop(_SUM, None)
            if given is not None and given != _sum(fields):
                raise ValueError("it does not match its checksum")
            if isinstance(found := fields.pop("format", 1), int):
                check_format(key, found)
                if given is None and found >= _SUM_SINCE:
                    raise ValueError("it has no checksum")
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        raise DamagedError(key, reason) from error
    except ValueError as error:
        raise DamagedError(key, str(error)) from error
