"""Targets: which catalog a command works on, and where its artifacts lie."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from lambdas.local.stack.outputs import Deployment, read_deployment
from lens.errors import UsageError
from lens.settings import Settings, misspelt, settings_from, variable
from lens.storage import FileStorage, Storage, open_storage

log = logging.getLogger(__name__)

# These settings come from a stack's outputs; they must not be given beside it.
_OF_STACK = ("catalog", "artifacts", "thumbs", "embed_queue")


def local_settings(
    environment: Mapping[str, str], catalog: str | None = None, stack: str | None = None
) -> Settings:
    """The environment's settings, for this catalog or this deployed stack.

    Artifacts of a catalog lie in `.lens/` unless LENS_ARTIFACTS is set; a stack's outputs say where
    everything is. What the command names takes precedence over the environment.

    Raises UsageError when no catalog is named, or two, or when its folder does not exist.
    """
    settings = settings_from(environment)
    for name, meant in misspelt(environment).items():
        log.warning("%s is no setting; did you mean %s?", name, meant)
    if catalog and stack:
        raise UsageError("a stack has its own catalog: name a location or --stack, not both")
    if stack or (settings.stack and not catalog):
        if not stack and (both := [name for name in _OF_STACK if getattr(settings, name)]):
            raise UsageError(f"LENS_STACK and {variable(both[0])} are both set: unset one of them")
        return _deployed(settings, read_deployment(stack or settings.stack))
    location = catalog or settings.catalog
    if not location:
        raise UsageError("name a folder of photos, or set LENS_CATALOG or LENS_STACK")
    storage = open_storage(location)
    if isinstance(storage, FileStorage) and not storage.root.is_dir():
        raise UsageError(f"there is no folder {location}: name a folder of photos")
    artifacts = settings.artifacts or artifacts_of(storage)
    found = {"catalog": location, "artifacts": artifacts, "stack": ""}
    return settings.model_copy(update=found)


def artifacts_of(catalog: Storage) -> str:
    """Where the artifacts of a catalog lie by default."""
    name = hashlib.sha256(catalog.location.encode()).hexdigest()[:12]
    return str(Path(".lens", name).absolute())


def deployment_of(environment: Mapping[str, str], stack: str | None) -> Deployment:
    """The stack that a command is about; UsageError when none is named."""
    name = stack or settings_from(environment).stack
    if not name:
        raise UsageError("name the deployed stack: set LENS_STACK, or give --stack")
    return read_deployment(name)


def _deployed(settings: Settings, deployment: Deployment) -> Settings:
    return settings.model_copy(
        update={
            "stack": deployment.stack,
            "catalog": deployment.catalog,
            "artifacts": deployment.artifacts,
            "thumbs": deployment.thumbs,
            "embed_queue": deployment.queues["embed"].queue,
            "feed": deployment.feed,
            "pictures": deployment.pictures,
            "feed_pictures": bool(deployment.pictures),
        }
    )
