"""The deployment: it starts empty, can be repeated, and serves the page safely."""

from __future__ import annotations

import re

import pytest

from lens.storage import Storage
from tests.aws.deployment import STACK
from tests.aws.leftovers import leftovers
from tests.aws.probe import remove_probes
from tests.aws.shop import Shop, eventually, garment

pytestmark = pytest.mark.aws

_HELPERS_LOG = re.compile(
    rf"logs: /aws/lambda/{STACK}-(AWSCDKTrigger|BucketNotificationsHandler|CustomS3AutoDelete)"
)


def test_before_any_photo_a_search_answers_with_no_hits_and_health_says_empty(shop: Shop) -> None:
    # How long it took is told (pytest -rP), not tested: the machine may be busy.
    print({name: round(seconds, 1) for name, seconds in shop.deployment.seconds.items()})
    search, health = shop.before
    assert search.status_code == 200
    assert search.json()["hits"] == []
    assert health["status"] == "empty"
    assert health["model_id"] == search.json()["model_id"] is not None


def test_the_emulated_account_holds_the_functions_to_their_roles(shop: Shop) -> None:
    """Without this the tests would prove nothing about the roles."""
    reply = shop.visitor.get("/api/health")
    assert reply.status_code == 200
    denied = shop.probe("Search", "s3", "list_buckets")
    assert denied == "AccessDenied"


def test_deploying_again_leaves_the_gallery_alone(shop: Shop, artifacts: Storage) -> None:
    shop.put("again/a.jpg", garment(100))
    eventually(lambda: shop.shows(garment(100), "again/a.jpg"))
    current = artifacts.read("current.json")[0]
    commits = {info.key for info in artifacts.list("commits/")}

    shop.invoke("Setup")
    shop.deployment.deploy()

    assert artifacts.read("current.json")[0] == current
    assert commits <= {info.key for info in artifacts.list("commits/")}
    assert shop.shows(garment(100), "again/a.jpg")


def test_nothing_differs_between_the_template_and_what_is_deployed(shop: Shop) -> None:
    done = shop.deployment.cdk("diff", "--fail")
    assert done.returncode == 0, done.stdout


def test_the_page_comes_with_security_headers_and_without_inline_code(shop: Shop) -> None:
    page = shop.visitor.get("/")
    assert page.status_code == 200
    assert "Image Lens" in page.text
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "max-age" in page.headers["strict-transport-security"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in page.headers["permissions-policy"]
    assert shop.visitor.get("/app.js").headers["content-type"].endswith("javascript")


def test_a_plain_http_request_is_sent_to_https_and_never_to_the_api(shop: Shop) -> None:
    plain = {"X-Forwarded-Proto": "http"}
    page = shop.visitor.get("/", plain)
    assert page.status_code in {301, 307, 308}
    assert page.headers["location"].startswith("https://")
    assert shop.visitor.get("/api/health", plain).status_code == 403


def test_the_buckets_answer_nobody_but_cloudfront(shop: Shop) -> None:
    for name in ("CatalogLocation", "ArtifactsLocation", "ThumbsLocation"):
        bucket = shop.deployment.outputs[name].removeprefix("s3://").partition("/")[0]
        assert shop.stranger(f"/{bucket}?list-type=2").status_code == 403
        assert shop.stranger(f"/{bucket}/current.json").status_code == 403


def test_an_error_of_the_api_stays_its_own_json_behind_cloudfront(shop: Shop) -> None:
    reply = shop.visitor.search(b"no photo at all")
    assert reply.status_code == 400
    assert set(reply.json()["error"]) == {"code", "message", "request_id"}
    assert shop.visitor.get("/api/nothing").json()["error"]["code"]


def test_destroying_the_stack_leaves_nothing(shop: Shop) -> None:
    """Also photos, old versions and galleries are deleted, because the setting is removal=destroy.

    Except the logs of CDK's helper functions: Lambda makes them, and they belong to no stack.
    """
    shop.put("last/a.jpg", garment(101))
    eventually(lambda: shop.shows(garment(101), "last/a.jpg"))
    made = {each["ResourceType"] for each in shop.deployment.resources()}
    remove_probes(shop.aws("lambda"), shop.aws("logs"))
    assert leftovers(shop.aws, STACK)  # the listings work

    shop.deployment.destroy()

    print(f"destroy {shop.deployment.seconds['destroy']:.1f} s; {len(made)} kinds of resources")
    left = [name for name in leftovers(shop.aws, STACK) if not _HELPERS_LOG.match(name)]
    assert left == []
