"""The `lens` command against a deployed stack: its outputs, buckets, queues and wrong usage."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from lambdas.local.cli import main
from lambdas.local.cli.targets import local_settings
from lambdas.local.server.app import serve
from lens.gallery.versions import UNSEEN
from lens.pipeline.notifications import EVENTS
from lens.pipeline.queues import Queue
from tests.lambdas.deployed import Deployed
from tests.lambdas.local.cloudformation import cloudformation
from tests.lambdas.local.photos import garment, write_photos
from tests.support.s3_bucket import BUCKET
from tests.support.sqs_queues import bodies, looks, make_queue
from tests.support.tiny_model import png, write_tiny_model

STACK = "Shop"
NAMES = ("Embed", "Segments", "Heads")


@dataclass
class Stack:
    """A deployed stack: what its functions see, its queues by name, and its outputs."""

    deployed: Deployed
    queues: dict[str, Queue]
    outputs: dict[str, str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("LENS_") and name != "LENS_REQUIRE_STOREFRONT":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stack(s3: None, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Stack]:
    """A stack that setup has given its model, named by LENS_STACK."""
    deployed = Deployed(monkeypatch, folder / "model")
    deployed.function("setup")({})
    queues = {"EmbedQueue": deployed.looks}
    for name in ("EmbedDeadLetters", *(f"{n}{kind}" for n in NAMES[1:] for kind in KINDS)):
        queues[name] = make_queue(monkeypatch, name)
    outputs = {
        "CatalogLocation": deployed.catalog.location.rstrip("/"),
        "ArtifactsLocation": deployed.artifacts.location,
        "ThumbsLocation": deployed.thumbs.location,
        "PageUrl": "https://d111111abcdef8.cloudfront.net",
        "TrainingMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:Training",
        **{f"{name}Url": queue.url for name, queue in queues.items()},
    }
    with cloudformation({STACK: outputs, "Other": {"Bucket": "b"}}) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", address)
        monkeypatch.setenv("LENS_STACK", STACK)
        yield Stack(deployed, queues, outputs)


KINDS = ("Queue", "DeadLetters")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command prints; the line on standard error if it fails."""
    capsys.readouterr()
    assert main(arguments) == code, capsys.readouterr().err
    out, error = capsys.readouterr()
    assert error.count("\n") <= 1
    return error if code else out


def test_sync_then_index_then_search_without_naming_a_place(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(3))
    assert "3 uploaded" in printed(capsys, "sync", "photos")
    assert "gallery    3 photos" in printed(capsys, "index")
    Path("query.png").write_bytes(garment(1))
    hits = json.loads(printed(capsys, "search", "query.png", "--json"))["hits"]
    assert hits[0]["key"] == "shop/item-001/0.png" and hits[0]["exact"]
    assert stack.deployed.thumbs.head(f"thumbs/{hits[0]['photo_id']}") is not None
    assert not Path(".lens").exists(), "nothing is left on this machine"


def test_a_stack_is_named_by_an_option_too(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LENS_STACK")
    assert stack.outputs["CatalogLocation"] in printed(capsys, "status", "--stack", STACK)


def test_status_tells_which_events_the_bucket_no_longer_sends(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = stack.deployed.looks.url.rpartition("/")[2]
    ours: dict[str, Any] = {
        "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "Events": ["s3:ObjectCreated:*", "s3:LifecycleExpiration:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "catalog/"}]}},
    }
    s3: Any = boto3.client("s3", region_name="us-east-1")
    for events, lost in ((ours["Events"], ["s3:ObjectRemoved:*"]), (list(EVENTS), [])):
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={"QueueConfigurations": [{**ours, "Events": events}]},
        )
        assert main(["status", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["lost_events"] == lost
        assert main(["status"]) == 0
        told = "events     the bucket no longer tells of s3:ObjectRemoved:*: changes are found"
        assert (told in capsys.readouterr().out) == bool(lost)


def test_a_stacks_product_file_and_pictures_are_its_commands_too(stack: Stack) -> None:
    environment = {"LENS_STACK": STACK}
    plain = local_settings(environment)
    assert (plain.feed, plain.feed_pictures) == ("", False)
    place = "s3://photos/image-lens/ImageLens"
    stack.outputs["FeedLocation"] = "s3://exports/products.csv"
    stack.outputs["PicturesLocation"] = place
    settings = local_settings(environment)
    assert settings.feed == "s3://exports/products.csv"
    assert (settings.feed_pictures, settings.pictures) == (True, place)


def test_reconcile_asks_the_stacks_functions_to_look(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, "reconcile") == "nothing differed\n"
    stack.deployed.put("a.png", png(1))
    assert printed(capsys, "reconcile").startswith("1 photos differed and are queued")
    (look,) = looks(stack.deployed.looks)
    assert (look.key, look.version) == ("a.png", UNSEEN.bumped())
    assert "gallery    0 photos" in printed(capsys, "status"), "nothing is embedded here"


def test_reconcile_says_when_the_queue_is_full(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.reconcile.handler._BUSY", 0)
    stack.deployed.looks.send(["1"])
    stack.deployed.put("a.png", png(1))
    assert printed(capsys, "reconcile") == (
        "1 photos differ, 0 are queued: the queue is full, run it again\n"
    )


def test_rollback_release_and_promote_work_on_the_stacks_gallery(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = stack.deployed
    deployed.settle(deployed.put("a.png", png(1)))
    deployed.settle(deployed.put("b.png", png(2)))
    Path("query.png").write_bytes(png(2))
    assert "b.png" in printed(capsys, "search", "query.png")
    assert "pinned to commit 2" in printed(capsys, "rollback")
    assert "b.png" not in printed(capsys, "search", "query.png")
    assert "pinned     commit 2" in printed(capsys, "status")
    printed(capsys, "release")
    other = write_tiny_model(deployed.artifacts, seed=4).model_id
    assert printed(capsys, "promote", other) == f"{other} is live\n"
    assert "b.png" in printed(capsys, "search", "query.png")


def test_status_tells_the_queues_depth_and_redrive_brings_dead_letters_back(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.queues["EmbedQueue"].send(["1", "2"])
    stack.queues["SegmentsDeadLetters"].send(["3"])
    stack.queues["HeadsDeadLetters"].send([str(n) for n in range(10)])
    stack.queues["HeadsDeadLetters"].send(["10", "11"])
    found = json.loads(printed(capsys, "status", "--json"))["queues"]
    assert found == {
        "embed": {"waiting": 2, "taken": 0, "dead": 0},
        "segments": {"waiting": 0, "taken": 0, "dead": 1},
        "heads": {"waiting": 0, "taken": 0, "dead": 12},
    }
    told = printed(capsys, "status")
    assert "queue      embed: 2 waiting, 0 taken\n" in told
    assert "queue      heads: 0 waiting, 0 taken, 12 dead letters (`lens redrive`)" in told
    assert printed(capsys, "redrive").splitlines() == [
        "embed     0 messages moved back",
        "segments  1 messages moved back",
        "heads     12 messages moved back",
    ]
    assert bodies(stack.queues["SegmentsQueue"]) == ["3"]
    assert sorted(map(int, bodies(stack.queues["HeadsQueue"]))) == list(range(12))
    assert "dead" not in printed(capsys, "status")


def test_a_named_place_wins_over_the_stack_in_the_environment(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(Path("photos"), range(2))
    assert "gallery    2 photos" in printed(capsys, "index", "photos")
    told = printed(capsys, "status", "photos")
    assert "photos\n" in told and "queue" not in told
    assert list(stack.deployed.catalog.list()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["status", "--stack", "Nowhere"], 2, "there is no stack Nowhere in this account and"),
        (["status", "--stack", "Other"], 2, "stack Other has no output EmbedQueueUrl: is it an"),
        (["status", "photos", "--stack", STACK], 2, "name a location or --stack, not both"),
        (["sync", "photos", "s3://b", "--stack", STACK], 2, "s3://bucket or --stack, not both"),
    ],
)
def test_a_slip_is_one_line_that_says_what_to_do(
    arguments: list[str],
    code: int,
    message: str,
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in printed(capsys, *arguments, code=code)


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ("AccessDenied", "denied; grant cloudformation:DescribeStacks"),
        ("ExpiredToken", "log in to AWS"),
        ("InvalidClientTokenId", "log in to AWS"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    refusal: str,
    message: str,
    s3: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with cloudformation({}, deny=refusal) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", address)
        told = printed(capsys, "redrive", "--stack", STACK, code=1)
    assert f"cannot ask about the stack {STACK}: " in told and message in told


def test_credentials_and_a_region_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("LENS_STACK", STACK)
    assert "specify a region; check" in printed(capsys, "status", code=1)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert "log in to AWS" in printed(capsys, "status", code=1)


@pytest.mark.parametrize("command", [["redrive"], ["sync", "photos"], ["status"]])
def test_without_a_stack_or_a_place_it_asks_for_one(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "LENS_STACK" in printed(capsys, *command, code=2)


def test_a_stack_and_a_catalog_in_the_environment_are_one_too_many(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LENS_ARTIFACTS", "elsewhere")
    told = printed(capsys, "status", code=2)
    assert told == "lens: LENS_STACK and LENS_ARTIFACTS are both set: unset one of them\n"


def test_serve_shows_the_stacks_gallery_and_leaves_its_upkeep_to_its_functions(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = stack.deployed
    deployed.settle(deployed.put("shop/a.png", png(1)))
    deployed.put("unseen.png", png(2))
    monkeypatch.setenv("LENS_PORT", "0")
    addresses: list[str] = []
    served = threading.Event()

    def announce(address: str) -> None:
        addresses.append(address.removeprefix("Image Lens: "))
        served.set()

    settings = local_settings(os.environ)
    keys: list[str] = []

    def visit() -> None:
        served.wait()
        try:
            with httpx.Client(base_url=addresses[0], timeout=20) as http:
                assert "<title>Image Lens" in http.get("/").text
                reply = http.post("/api/search-image", files={"file": png(1)}).json()
                keys.extend(hit["key"] for hit in reply["hits"])
                assert http.get(reply["hits"][0]["image_url"]).content == png(1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit, daemon=True)
    visitor.start()
    before = signal.getsignal(signal.SIGTERM)
    try:
        serve(settings, announce)
    finally:
        signal.signal(signal.SIGTERM, before)
    visitor.join()
    assert keys == ["shop/a.png"]
