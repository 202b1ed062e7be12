"""The edges: has CloudFront forget the copies that it keeps of photos and thumbnails."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from lens.errors import DeploymentError
from lens.photos.thumbnail_store import thumb_key

if TYPE_CHECKING:
    from lambdas.local.stack.outputs import Deployment

_AT_ONCE = 3_000  # addresses that CloudFront takes at a time


def forget_copies(deployment: Deployment, keys: Sequence[str], photos: Sequence[str]) -> int:
    """Ask a stack's CloudFront to forget photos, by key, and thumbnails, by photo id; how many
    addresses it was told. DeploymentError when it refuses. It takes a minute or two to be done."""
    paths = addresses(deployment, keys, photos)
    if not paths:
        return 0
    from lens import aws

    with aws.explained(
        f"have CloudFront forget {len(paths)} addresses",
        DeploymentError,
        grant="cloudfront:CreateInvalidation",
        advice={"TooManyInvalidationsInProgress": "run it again in some minutes"},
    ):
        client = aws.client("cloudfront")
        for start in range(0, len(paths), _AT_ONCE):
            batch = paths[start : start + _AT_ONCE]
            client.create_invalidation(
                DistributionId=deployment.distribution,
                InvalidationBatch={
                    "Paths": {"Quantity": len(batch), "Items": batch},
                    "CallerReference": uuid.uuid4().hex,
                },
            )
    return len(paths)


def addresses(deployment: Deployment, keys: Sequence[str], photos: Sequence[str]) -> list[str]:
    """The paths under which CloudFront has these photos and thumbnails: the files of the catalog's
    bucket, and the API's thumbnails in every size."""
    files = [(deployment.catalog, key) for key in keys]
    files += [(deployment.pictures, f"pictures/{key}") for key in keys if deployment.pictures]
    files += [(deployment.thumbs, thumb_key(photo)) for photo in photos]
    paths = [f"/{quote(_prefix(location) + key)}" for location, key in files]
    return paths + [f"/api/thumb/{photo}*" for photo in photos]


def _prefix(location: str) -> str:
    """What precedes a location's keys in its bucket, and so in an address."""
    prefix = location.removeprefix("s3://").partition("/")[2].strip("/")
    return f"{prefix}/" if prefix else ""
