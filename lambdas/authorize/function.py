"""The authorize function: what API Gateway calls before a request, where there are keys."""

from __future__ import annotations

import os

from lambdas.authorize.handler import AuthorizeHandler
from lambdas.telemetry import observed
from lens import aws
from lens.errors import UsageError
from lens.settings import settings_from

_settings = settings_from(os.environ, required=("keys_secret",))
_secrets = aws.client("secretsmanager")


def _read() -> str:
    what, grant = f"read {_settings.keys_secret}", "secretsmanager:GetSecretValue"
    with aws.explained(what, UsageError, grant=grant):
        told: str = _secrets.get_secret_value(SecretId=_settings.keys_secret)["SecretString"]
    return told.strip()


handler = observed(AuthorizeHandler(_read))
