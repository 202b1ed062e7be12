"""The authorize handler: tells API Gateway whether a request brings one of the shop's keys."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from lens.errors import LensError
from lens.keys import given_key, opens
from lens.settings import settings_from

log = logging.getLogger(__name__)

# How soon a key that was changed is known; API Gateway keeps an answer for as long.
SECONDS = 60.0


class Answer(TypedDict):
    """API Gateway's simple response."""

    isAuthorized: bool


class AuthorizeHandler:
    """Answers an HTTP API's authorizer events of payload 2.0; made once per process."""

    def __init__(
        self, read: Callable[[], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`read` gets the keys, one or two, separated by a comma; it may raise LensError."""
        self._read = read
        self._clock = clock
        self._keys: tuple[str, ...] = ()
        self._read_at: float | None = None

    def __call__(self, event: Mapping[str, Any], context: object = None) -> Answer:
        """Lambda's calling convention. Raises LensError while no key could be read."""
        headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
        return {"isAuthorized": opens(given_key(headers), self._newest())}

    def _newest(self) -> tuple[str, ...]:
        now = self._clock()
        if self._read_at is None or now - self._read_at >= SECONDS:
            try:
                # The same rules as for the keys of a local server.
                self._keys = settings_from({"LENS_API_KEYS": self._read()}).api_keys
            except LensError as error:
                if not self._keys:
                    raise
                log.error("the keys of a moment ago go on: %s", error)
            self._read_at = now
        return self._keys
