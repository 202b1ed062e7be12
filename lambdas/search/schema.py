"""The schema: what all JSON of the HTTP API has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())
