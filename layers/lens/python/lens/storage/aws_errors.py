"""AWS's refusals explained: what failed, and what to do, as one line."""

from __future__ import annotations

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

from lens.errors import StorageError

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_LOG_IN = "log in to AWS (aws configure, aws sso login) or set AWS_PROFILE"
_ADVICE = {
    "400": _LOG_IN,  # all that a HEAD says of an expired token
    "NoSuchBucket": "check the bucket's name and the account",
    "InvalidBucketName": "check the bucket's name",
    "ExpiredToken": _LOG_IN,
    "ExpiredTokenException": _LOG_IN,
    "InvalidAccessKeyId": _LOG_IN,
    "InvalidClientTokenId": _LOG_IN,
    "InvalidToken": _LOG_IN,
    "SignatureDoesNotMatch": _LOG_IN,
    "RequestTimeTooSkewed": "set this machine's clock",
    "SlowDown": "try again later",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def explained(action: str, error: ClientError | BotoCoreError, grant: str) -> StorageError:
    """The error to raise instead; `action` names what was tried, `grant` what it needs."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _DENIED:
            return StorageError(f"cannot {action}: denied; grant {grant}")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        advice = _ADVICE.get(code, "check the location and AWS's reply")
        message = " ".join(error.response.get("Error", {}).get("Message", "").split())
        reply = f"{code} ({status}) {message}".strip().rstrip(".")
        return StorageError(f"cannot {action}: {reply}; {advice}")
    reason = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, _NO_CREDENTIALS):
        return StorageError(f"cannot {action}: {reason}; {_LOG_IN}")
    advice = "check the network, AWS_REGION and AWS_ENDPOINT_URL"
    return StorageError(f"cannot {action}: {reason}; {advice}")
