"""AWS: clients of its services, and its errors as one line that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from lens.errors import LensError

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    max_pool_connections=32,
)
LOG_IN = "log in to AWS (aws configure, aws sso login) or set AWS_PROFILE"

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_ADVICE = {
    "ExpiredToken": LOG_IN,
    "ExpiredTokenException": LOG_IN,
    "InvalidAccessKeyId": LOG_IN,
    "InvalidClientTokenId": LOG_IN,
    "InvalidSignatureException": LOG_IN,
    "InvalidToken": LOG_IN,
    "SignatureDoesNotMatch": LOG_IN,
    "UnrecognizedClientException": LOG_IN,
    "RequestTimeTooSkewed": "set this machine's clock",
    "RequestThrottled": "try again later",
    "SlowDown": "try again later",
    "Throttling": "try again later",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "403"}
# What a reply means to its caller in particular, by its code, status and message.
Meaning = Callable[[str, int, str], LensError | None]


def client(service: str) -> Any:
    """A client of a service, safe between threads; of a session of its own, which is not.

    boto3 would make the same client and import S3's transfer manager: 50 ms of a cold start.
    """
    return botocore.session.Session().create_client(service, config=_CONFIG)


def signed(service: str, url: str, body: bytes) -> dict[str, str]:
    """The headers that sign a POST of JSON to a service of AWS that no client of botocore knows.
    Raises LensError without credentials."""
    session = botocore.session.Session()
    region, credentials = session.get_config_variable("region"), session.get_credentials()
    if credentials is None or not region:
        raise LensError(f"cannot sign for {service}: {LOG_IN}, and set AWS_REGION")
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
    SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


@contextmanager
def explained(
    what: str,
    kind: type[LensError],
    *,
    grant: str,
    advice: Mapping[str, str] | None = None,
    meaning: Meaning = lambda code, status, message: None,
) -> Iterator[None]:
    """Turn botocore's errors into one line: "cannot {what}: ..." and what to do.

    `grant` names the permissions that it takes, `advice` what to do about the codes of one
    service; `meaning` is asked first and may know a better error.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = " ".join(error.response.get("Error", {}).get("Message", "").split())
        meant = meaning(code, status, message)
        if meant is not None:
            raise meant from error
        if code in _DENIED:
            raise kind(f"cannot {what}: denied; grant {grant}") from error
        todo = {**_ADVICE, **(advice or {})}.get(code, "check the location and AWS's reply")
        reply = f"{code} ({status}) {message}".strip().rstrip(".")
        raise kind(f"cannot {what}: {reply}; {todo}") from error
    except _NO_CREDENTIALS as error:
        raise kind(f"cannot {what}: {_reason(error)}; {LOG_IN}") from error
    except BotoCoreError as error:
        todo = "check the network, AWS_REGION and AWS_ENDPOINT_URL"
        raise kind(f"cannot {what}: {_reason(error)}; {todo}") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
