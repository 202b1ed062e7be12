"""The fetch: a file's bytes from its address, within limits of size and time.

The IP that is checked is the IP that is connected to: a name that is looked up twice may lead
elsewhere the second time.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from lens.errors import AddressRefusedError, FetchError, HostError, PhotoTooLargeError
from lens.fetching.addresses import Target, is_public, resolve, target_of

_REDIRECTS = 3
_HEADERS = {"User-Agent": "image-lens", "Accept-Encoding": "identity"}
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Fetcher:
    """Fetches files of at most `max_bytes`, each in `seconds`, redirects included; looking a name
    up takes as long as the system lets it, and counts. `kinds` are the beginnings of the media
    types that are taken, beside unnamed bytes."""

    max_bytes: int
    seconds: float = 8.0
    ports: Collection[int] = (443,)
    resolve: Callable[[str, int], Sequence[str]] = resolve
    reachable: Callable[[str], bool] = is_public
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    what: str = "photo"
    otherwise: str = "send a file"  # what to do where the address cannot be mended
    kinds: tuple[str, ...] = ("image/",)

    def fetch(self, url: str) -> bytes:
        """The bytes at an https address.

        Raises AddressRefusedError for one that may not be reached, PhotoTooLargeError for a photo,
        HostError where the host fails or asks to be left alone, and FetchError for whatever else
        is in the way.
        """
        until = time.monotonic() + self.seconds
        for _ in range(_REDIRECTS + 1):
            answer = self._ask(target_of(url, self.ports), until)
            if isinstance(answer, bytes):
                return answer
            url = _moved(url, answer)
        raise FetchError(f"the address redirects more than {_REDIRECTS} times; send the last one")

    def _ask(self, target: Target, until: float) -> bytes | str:
        """The file, or where it has moved to."""
        try:
            with self._connect(target, until) as plain:
                return self._exchange(plain, target, until)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= until:
                raise HostError(
                    f"the address takes too long to answer; {self.otherwise}"
                ) from error
            raise HostError(
                f"the address cannot be fetched; check it, or {self.otherwise}"
            ) from error

    def _connect(self, target: Target, until: float) -> socket.socket:
        ips = self.resolve(target.host, target.port)
        if not ips or not all(self.reachable(ip) for ip in ips):
            raise AddressRefusedError(
                f"the address is not on the public internet; {self.otherwise}"
            )
        return socket.create_connection((ips[0], target.port), timeout=_left(until))

    def _exchange(self, plain: socket.socket, target: Target, until: float) -> bytes | str:
        name = target.host
        # An end that TLS does not announce is a cut, and not the end of a photo without a length.
        with self.tls.wrap_socket(
            plain,
            server_hostname=name,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        ) as secure:
            # A timeout holds for each read alone, and a server may send a byte at a time.
            timer = threading.Timer(_left(until), _cut, [secure])
            timer.daemon = True
            timer.start()
            try:
                secure.do_handshake()
                connection = http.client.HTTPSConnection(name, target.port)
                connection.sock = secure
                headers = {**_HEADERS, "Accept": ", ".join(f"{kind}*" for kind in self.kinds)}
                connection.request("GET", target.path, headers=headers)
                with connection.getresponse() as response:
                    return self._read(response, until)
            finally:
                timer.cancel()

    def _read(self, response: http.client.HTTPResponse, until: float) -> bytes | str:
        moved = response.headers.get("Location")
        if response.status in {301, 302, 303, 307, 308} and moved:
            return moved
        if response.status == 429 or response.status >= 500:
            raise HostError(
                f"the address answers {response.status}; try again later, or {self.otherwise}",
                _seconds(response.headers.get("Retry-After", "")),
            )
        if response.status != 200:
            raise FetchError(
                f"the address answers {response.status}; check it, or {self.otherwise}"
            )
        kind = response.headers.get_content_type()
        if not kind.startswith(self.kinds) and kind != "application/octet-stream":
            raise FetchError(
                f"the address is not that of a {self.what}; send the {self.what}'s own address"
            )
        # Not asked for, and a small one may unfold to gigabytes.
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchError(f"the address sends the {self.what} packed; {self.otherwise}")
        if (response.length or 0) > self.max_bytes:
            raise self._too_large()
        data = bytearray()
        while chunk := response.read1(_CHUNK):
            data += chunk
            if len(data) > self.max_bytes:
                raise self._too_large()
            _left(until)
        _left(until)
        if response.length:
            raise HostError(f"the address sends only part of the {self.what}; try again")
        return bytes(data)

    def _too_large(self) -> PhotoTooLargeError | FetchError:
        size = f"{self.max_bytes / 1e6:.1f} MB"
        if self.what != "photo":
            return FetchError(f"a {self.what} may have at most {size}")
        return PhotoTooLargeError(f"a photo may have at most {size}: send a smaller copy")


def _moved(url: str, location: str) -> str:
    """Where an answer says that its file is."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchError("the address redirects to what is none; send the last one") from error


def _seconds(retry_after: str) -> float | None:
    """What a Retry-After header says, a number of seconds or a date; None where it says nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _left(until: float) -> float:
    """Seconds until then; TimeoutError when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _cut(connection: ssl.SSLSocket) -> None:
    """End what waits for the connection, in whichever thread."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would race with a read
