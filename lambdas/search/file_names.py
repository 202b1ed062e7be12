"""File names: a form's file that is named by `filename*` alone (RFC 5987) is a file as well.

The parser of multipart forms knows `filename` only, and would take such a photo for a text.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header
from starlette import formparsers

_Options = tuple[bytes, dict[bytes, bytes]]


def options_of(value: str | bytes | None) -> _Options:
    """A header's value and its options; `filename` also where it was written as `filename*`."""
    kind, options = parse_options_header(value)
    text = value.encode("latin-1", "replace") if isinstance(value, str) else value or b""
    _, found, rest = text.partition(b"filename*=")
    if found and b"filename" not in options:
        encoded = rest.split(b";")[0].strip().strip(b'"')
        options[b"filename"] = unquote_to_bytes(encoded.rpartition(b"'")[2])
    return kind, options


formparsers.parse_options_header = options_of  # type: ignore[attr-defined]
