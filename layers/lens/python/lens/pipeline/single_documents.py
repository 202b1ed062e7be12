"""Single documents: the artifacts' files that no gallery is made of, and what each costs."""

from __future__ import annotations

from collections.abc import Callable

from lens.errors import DamagedError
from lens.gallery.condemned import KEY as CONDEMNED
from lens.gallery.condemned import read_condemned
from lens.gallery.holds import KEY as HOLDS
from lens.gallery.holds import check_holds
from lens.photos import origin
from lens.photos.layouts.stored import KEY as LAYOUT
from lens.photos.layouts.stored import check_layout
from lens.pipeline.collect import check_marks
from lens.pipeline.picture_state import check_state
from lens.storage import Storage, formats

Check = Callable[[Storage], object]


def _announced(storage: Storage) -> None:
    if not formats.is_announced(storage):
        raise DamagedError(formats.KEY, "it cannot be read")


# By key: what its damage costs, and what raises DamagedError where it is damaged. Each is made
# again by what writes it, once the damaged one is out of its way.
DOCUMENTS: dict[str, tuple[str, Check]] = {
    formats.KEY: ("an older format is written for an hour", _announced),
    LAYOUT: ("which photos are one product is told anew, and LENS_LAYOUT read again", check_layout),
    "collected.json": ("nothing is removed for another day", check_marks),
    HOLDS: (
        "what disappeared is told and held anew, what was allowed too: look at `lens status`",
        check_holds,
    ),
    origin.KEY: (
        "the next catalog that is named is taken for theirs: see that LENS_CATALOG is right",
        origin.check_document,
    ),
    CONDEMNED: ("nothing new is found until `lens repair`", read_condemned),
    "fetching.json": ("pictures that failed are asked for again", check_state),
}
