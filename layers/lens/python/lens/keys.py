"""Keys: how a request brings one, and whether it is one of those that open."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterable, Mapping


def given_key(headers: Mapping[str, str]) -> bytes:
    """The key that a request brings: a token, a browser's password, or X-Api-Key; else empty.
    `headers` are by names in lower case."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip().encode()
        case "basic":
            try:
                return b64decode(value, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return b""
    return headers.get("x-api-key", "").encode()


def opens(given: bytes, keys: Iterable[str]) -> bool:
    """Whether this is one of the keys, in a time that does not tell how much of one was right."""
    same = [hmac.compare_digest(given, key.encode()) for key in keys]
    return any(same)
