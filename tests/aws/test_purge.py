"""Purge: a photo of the deployed stack is taken down for good, with every version of it."""

from __future__ import annotations

from typing import Any

import pytest

from lens.photos.decoding import photo_id
from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws


def test_a_photo_is_taken_down_with_its_versions_its_thumbnail_and_the_edges_copies(
    shop: Shop,
) -> None:
    old, new, other = garment(700), garment(701), garment(702)
    shop.put("down/a.jpg", old)
    eventually(lambda: shop.shows(old, "down/a.jpg"))
    shop.put("down/a.jpg", new)
    shop.put("down/b.jpg", other)
    eventually(lambda: shop.shows(new, "down/a.jpg") and shop.shows(other, "down/b.jpg"))
    thumbs = f"image-lens/{shop.deployment.outputs['ThumbsLocation'].rpartition('/')[2]}/thumbs/"
    assert len(shop.versions("catalog/down/a.jpg")) == 2
    assert shop.versions(thumbs + photo_id(new))

    told = shop.lens("purge", "down/a.jpg")

    assert "2 versions of it erased" in told
    assert "CloudFront was asked to forget" in told
    assert shop.versions("catalog/down/a.jpg") == []
    for name in map(photo_id, (old, new)):
        assert shop.versions(thumbs + name) == []
        assert _naming(shop, name) == []
    eventually(lambda: "down/a.jpg" not in shop.found())
    assert shop.shows(other, "down/b.jpg")
    asked = _invalidated(shop)
    assert "/catalog/down/a.jpg" in asked
    assert f"/{thumbs}{photo_id(new)}" in asked

    assert "unknown: nowhere.jpg" in shop.lens("purge", "nowhere.jpg", status=1)

    shop.put("down/a.jpg", new)
    eventually(lambda: shop.shows(new, "down/a.jpg"))


def test_no_function_may_erase_versions_or_forget_copies(shop: Shop) -> None:
    for role in ("Functionscollect", "Functionsembed", "Functionscompact", "Functionsreconcile"):
        allowed = shop.simulate(role, "arn:aws:s3:::")
        assert not allowed("s3:DeleteObjectVersion", f"{shop.catalog_bucket}/catalog/a.jpg")


def _naming(shop: Shop, name: str) -> list[str]:
    """Every version of the artifacts' parts that has this photo's id in it."""
    bucket = shop.deployment.outputs["ArtifactsLocation"].removeprefix("s3://").strip("/")
    client: Any = shop.aws("s3")
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [
        each["Key"]
        for page in pages
        for each in page.get("Versions", [])
        if each["Key"].startswith(("segments/", "snapshots/", "commits/"))
        and name.encode()
        in client.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])[
            "Body"
        ].read()
    ]


def _invalidated(shop: Shop) -> list[str]:
    client, distribution = shop.aws("cloudfront"), shop.deployment.outputs["DistributionId"]
    listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"]
    return [
        path
        for each in listed.get("Items", [])
        for path in client.get_invalidation(DistributionId=distribution, Id=each["Id"])[
            "Invalidation"
        ]["InvalidationBatch"]["Paths"]["Items"]
    ]
