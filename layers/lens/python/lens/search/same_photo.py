"""The same photo: whether a query is a photo of the gallery, or a copy of one."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from lens.errors import LensError
from lens.gallery.gallery import Gallery, Match
from lens.photos.copies import difference, is_copy, look_of
from lens.photos.decoding import decode
from lens.search.queries import Query
from lens.search.thumbnail_reader import Thumbnails
from lens.settings import Limits

log = logging.getLogger(__name__)

# The query may be a copy of a photo that is at least so similar; the first few are looked at.
_MAYBE_COPY = 0.85
_LOOKED_AT = 3


def same_photo(
    gallery: Gallery,
    matches: Sequence[Match],
    name: str,
    query: Query,
    thumbnails: Thumbnails | None,
    limits: Limits,
) -> str | None:
    """The id of the photo that the query is: the same bytes, or else the one that it is a copy
    of, of those most similar. Without thumbnails only the bytes are compared.

    Whoever asks for another box than the rule's does not ask for the photo.
    """
    if not query.by_rule and query.region is not None:
        return None
    if any(match.row.photo_id == name for match in matches):
        return name
    if not query.by_rule or thumbnails is None:
        return None
    maybe = [m.row.photo_id for m in matches if m.similarity >= _MAYBE_COPY]
    found = [
        (_difference(thumbnails, limits, gallery, each, query), each)
        for each in list(dict.fromkeys(maybe))[:_LOOKED_AT]
    ]
    levels, nearest = min(found, default=(math.inf, ""))
    return nearest if is_copy(levels) else None


def _difference(
    thumbnails: Thumbnails, limits: Limits, gallery: Gallery, photo: str, query: Query
) -> float:
    """How far the query looks from a photo of the gallery; a photo whose thumbnail cannot be
    read looks like nothing, and what is found is answered all the same."""
    try:
        small = decode(thumbnails.read(gallery, photo), limits)
    except (LensError, OSError) as error:
        log.warning("the thumbnail of %s cannot be compared: %s", photo, error)
        return math.inf
    return difference(query.look, look_of(small))
