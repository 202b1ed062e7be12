"""Origin: which catalog the artifacts are made of, so that a slip in a setting cannot turn another
one's emptiness into their own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lens.errors import ArtifactError, NotFoundError, UsageError
from lens.photos.catalog import Catalog
from lens.storage import FileStorage, Storage, open_storage
from lens.storage.documents import Document, read_document, swap_document

log = logging.getLogger(__name__)

KEY = "catalog.json"


class _Origin(Document):
    """A location as its storage has it, file:///photos or s3://bucket/prefix/."""

    location: Annotated[str, Field(pattern="^(file:///|s3://)")]


def check_document(artifacts: Storage) -> None:
    """DamagedError when what says whose the artifacts are is damaged."""
    read_document(artifacts, KEY, _Origin)


def check_origin(artifacts: Storage, catalog: Catalog) -> None:
    """UsageError when the artifacts belong to another catalog, and this one's owner has not named
    it as their new one."""
    refuse_another(read_origin(artifacts), catalog)


def claim_origin(artifacts: Storage, catalog: Catalog) -> None:
    """Write down that the artifacts belong to this catalog, where they belong to none yet, or where
    its owner says that the photos have moved here. UsageError as above."""
    here = catalog.storage.location
    origin = read_origin(artifacts)
    refuse_another(origin, catalog)
    if origin == here:
        return

    def claim(old: _Origin | None) -> _Origin | None:
        refuse_another(old.location if old else None, catalog)
        return None if old and old.location == here else _Origin(location=here)

    try:
        swap_document(artifacts, KEY, _Origin, claim)
    except ArtifactError:  # damaged: it says nothing
        data = _Origin(location=here).model_dump_json().encode()
        artifacts.write(KEY, data, if_match=artifacts.read(KEY)[1].etag)
    if origin is not None:
        log.warning("the photos have moved from %s to %s", origin, here)


def read_origin(artifacts: Storage) -> str | None:
    """The location of the catalog that the artifacts belong to; None where nobody has said."""
    try:
        return read_document(artifacts, KEY, _Origin)[0].location
    except NotFoundError:
        return None
    except ArtifactError as error:
        log.warning("%s; it is made anew", error)
        return None


def refuse_another(origin: str | None, catalog: Catalog) -> None:
    """UsageError for another catalog than this origin."""
    here = catalog.storage.location
    if origin is None or catalog.moved or origin == here or _is_same_folder(origin, catalog):
        return
    raise UsageError(
        f"these artifacts belong to {origin}, and the photos are to be {here}: name the first "
        f"again; or, if the photos have moved, set LENS_MOVE_CATALOG={here} "
        f"(on AWS -c move_catalog={here})"
    )


def _is_same_folder(origin: str, catalog: Catalog) -> bool:
    """Whether two names lead to one folder."""
    if not (isinstance(catalog.storage, FileStorage) and origin.startswith("file:")):
        return False
    before = open_storage(origin)
    try:
        return isinstance(before, FileStorage) and Path(before.root).samefile(catalog.storage.root)
    except OSError:
        return False
