"""Edges: which addresses CloudFront is asked to forget."""

from __future__ import annotations

import pytest
from botocore.stub import ANY, Stubber

from lambdas.local.stack.edges import addresses, forget_copies
from lambdas.local.stack.outputs import Deployment
from lens import aws
from lens.errors import DeploymentError

SHOP = Deployment(
    stack="Shop",
    catalog="s3://bucket/catalog",
    artifacts="s3://artifacts",
    thumbs="s3://bucket/image-lens/Shop",
    training_machine="",
    queues={},
    distribution="E1",
)


def test_a_photos_own_address_and_its_thumbnails_are_forgotten() -> None:
    assert addresses(SHOP, ["shirts/ü x.jpg"], ["abc"]) == [
        "/catalog/shirts/%C3%BC%20x.jpg",
        "/image-lens/Shop/thumbs/abc",
        "/api/thumb/abc*",
    ]


def test_pictures_that_were_fetched_have_an_address_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = Deployment(**{**vars(SHOP), "pictures": "s3://bucket/image-lens/Shop"})
    assert "/image-lens/Shop/pictures/a.jpg" in addresses(shop, ["a.jpg"], [])


def test_cloudfront_is_asked_in_batches_and_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    client = aws.client("cloudfront")
    monkeypatch.setattr(aws, "client", lambda service: client)
    monkeypatch.setattr("lambdas.local.stack.edges._AT_ONCE", 2)
    with Stubber(client) as stub:
        for items in (["/catalog/1", "/catalog/2"], ["/catalog/3"]):
            paths = {"Quantity": len(items), "Items": items}
            asked = {"Paths": paths, "CallerReference": ANY}
            stub.add_response(
                "create_invalidation", {}, {"DistributionId": "E1", "InvalidationBatch": asked}
            )
        assert forget_copies(SHOP, ["1", "2", "3"], []) == 3
        stub.add_client_error("create_invalidation", "AccessDenied", http_status_code=403)
        with pytest.raises(DeploymentError, match="grant cloudfront:CreateInvalidation"):
            forget_copies(SHOP, ["1"], [])
    assert forget_copies(SHOP, [], []) == 0
