"""Single documents: the artifacts' files that no gallery is made of, and what each costs."""

from __future__ import annotations

import json
from collections.abc import Callable

from lens.errors import ArtifactError
from lens.photos.layouts.stored import KEY as LAYOUT
from lens.photos.layouts.stored import read_layout
from lens.storage import Storage, formats

Check = Callable[[Storage], object]


def _is_object(key: str) -> Check:
    def check(storage: Storage) -> None:
        try:
            found = json.loads(storage.read(key)[0])
        except ValueError as error:
            raise ArtifactError(str(error)) from error
        if not isinstance(found, dict):
            raise ArtifactError("it is no JSON object")

    return check


def _formats(storage: Storage) -> None:
    if not formats.is_announced(storage):
        raise ArtifactError("it cannot be read")


# By key: what its damage costs, and what raises ArtifactError where it is damaged. Each is made
# again by what writes it, once the damaged one is out of its way.
DOCUMENTS: dict[str, tuple[str, Check]] = {
    formats.KEY: ("an older format is written for an hour", _formats),
    LAYOUT: ("which photos are one product is told anew, and LENS_LAYOUT read again", read_layout),
    "collected.json": ("nothing is removed for another day", _is_object("collected.json")),
    "holds.json": ("what disappeared is told and held anew", _is_object("holds.json")),
    "fetching.json": ("pictures that failed are asked for again", _is_object("fetching.json")),
}
