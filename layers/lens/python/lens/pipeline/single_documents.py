"""Single documents: the artifacts' files that no gallery is made of, and what each costs."""

from __future__ import annotations

import json
from collections.abc import Callable

from lens.errors import DamagedError
from lens.photos.layouts.stored import KEY as LAYOUT
from lens.photos.layouts.stored import check_layout
from lens.pipeline.collect import check_marks
from lens.pipeline.picture_state import check_state
from lens.storage import Storage, formats

Check = Callable[[Storage], object]


def _announced(storage: Storage) -> None:
    if not formats.is_announced(storage):
        raise DamagedError(formats.KEY, "it cannot be read")


def _is_json(key: str) -> Check:
    """What other stages own is read as far as JSON goes."""

    def check(storage: Storage) -> None:
        try:
            json.loads(storage.read(key)[0])
        except ValueError as error:
            raise DamagedError(key, str(error)) from error

    return check


# By key: what its damage costs, and what raises DamagedError where it is damaged. Each is made
# again by what writes it, once the damaged one is out of its way.
DOCUMENTS: dict[str, tuple[str, Check]] = {
    formats.KEY: ("an older format is written for an hour", _announced),
    LAYOUT: ("which photos are one product is told anew, and LENS_LAYOUT read again", check_layout),
    "collected.json": ("nothing is removed for another day", check_marks),
    "holds.json": ("what disappeared is told and held anew", _is_json("holds.json")),
    "catalog.json": ("whose photos these are is written down again", _is_json("catalog.json")),
    "condemned.json": ("nothing is removed for another day", _is_json("condemned.json")),
    "fetching.json": ("pictures that failed are asked for again", check_state),
}
