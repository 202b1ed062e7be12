"""The cursor: a text that says where a search goes on, in which state of the gallery, and of which
search it is. Nothing of it is kept here: whoever goes on sends the same request with it."""

from __future__ import annotations

import hashlib
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace

from lens.errors import CursorError, SearchAgainError

_FORMAT = 1
_LAYOUT = struct.Struct(">BH8s8s")
_CHECK = 5  # bytes, that tell a damaged one


@dataclass(frozen=True)
class Cursor:
    """Where to go on: after so many pages of this search, in this state."""

    pages: int
    search: bytes  # a digest of all that was asked for
    state: bytes  # a digest of the model and commit that answered

    def __str__(self) -> str:
        data = _LAYOUT.pack(_FORMAT, self.pages, self.search, self.state)
        return urlsafe_b64encode(data + _check(data)).decode()

    def next(self) -> Cursor:
        """Of one page further."""
        return replace(self, pages=self.pages + 1)

    def require(self, first: Cursor) -> None:
        """Raises SearchAgainError when it is of another state than the search that begins there,
        and CursorError when it is of another search."""
        if self.state != first.state:
            raise SearchAgainError(
                "the catalog has changed since: search again, without the cursor"
            )
        if self.search != first.search:
            raise CursorError(
                "it is of another search: send what the first page was asked with, all of it"
            )


def parse_cursor(text: str) -> Cursor:
    """The cursor that was written so. Raises CursorError."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
        data, check = raw[:-_CHECK], raw[-_CHECK:]
        found, pages, search, state = _LAYOUT.unpack(data)
    except (ValueError, struct.error) as error:
        raise _damaged() from error
    cursor = Cursor(pages, search, state)
    if found != _FORMAT or check != _check(data) or str(cursor) != text:
        raise _damaged()
    return cursor


def digest_of(*parts: object) -> bytes:
    """8 bytes of what these are, the same in every process."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()


def _check(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECK).digest()


def _damaged() -> CursorError:
    return CursorError("it is damaged: send the text as the page before had it")
