"""The certificate: how long the page's own still holds, as a visitor's browser sees it."""

from __future__ import annotations

import logging
import socket
import ssl
import time

log = logging.getLogger(__name__)

_DAY = 86_400.0
_SECONDS = 10.0


def days_left(domain: str, port: int = 443, context: ssl.SSLContext | None = None) -> float | None:
    """Days until the domain's certificate ends; 0 for one that no browser takes, None where nobody
    answers, which says nothing of a certificate."""
    trusting = context or ssl.create_default_context()
    try:
        with (
            socket.create_connection((domain, port), timeout=_SECONDS) as plain,
            trusting.wrap_socket(plain, server_hostname=domain) as secure,
        ):
            end = secure.getpeercert()["notAfter"]  # type: ignore[index]  # verified, so it is there
    except ssl.SSLCertVerificationError as error:
        log.error("the certificate of %s is not taken: %s", domain, error.verify_message)
        return 0.0
    except OSError as error:
        log.warning("the certificate of %s was not looked at: %s", domain, error)
        return None
    return max(0.0, (ssl.cert_time_to_seconds(str(end)) - time.time()) / _DAY)
