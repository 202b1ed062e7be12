"""AWS, for the commands beside a deployment: its clients, and its errors as one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk.config import ConfigError

# A client of a service, in a region if one is given: CloudFront's quotas are in us-east-1.
Clients = Callable[..., Any]

_LOG_IN = "log in (aws configure, aws sso login) or set AWS_PROFILE, and AWS_REGION"


def clients_here() -> tuple[Clients, str]:
    """Clients with the credentials that are at hand, and their region."""
    session = boto3.session.Session()
    return session.client, session.region_name or ""


@contextmanager
def told() -> Iterator[None]:
    """ConfigError, one line that says what to do, for what AWS refuses or does not answer."""
    try:
        yield
    except ClientError as error:
        raise ConfigError(f"AWS refused: {_line(error)}; {_LOG_IN}") from error
    except BotoCoreError as error:
        raise ConfigError(f"AWS cannot be reached: {_line(error)}; {_LOG_IN}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
