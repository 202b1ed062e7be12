"""Takedown: `lens purge` on a folder and on a stack, as its operator uses it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from lambdas.local.cli import main
from lambdas.local.stack import edges
from lambdas.local.stack.outputs import Deployment
from lens.photos.decoding import photo_id
from tests.lambdas.deployed import Deployed
from tests.lambdas.local.cloudformation import cloudformation
from tests.lambdas.local.photos import write_photos
from tests.support.s3_bucket import BUCKET
from tests.support.sqs_queues import make_queue
from tests.support.tiny_model import png

KINDS = ("Queue", "DeadLetters")
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("LENS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_photo_of_a_folder_is_purged_once_its_file_is_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    write_photos(Path("photos"), range(4))
    monkeypatch.setenv("LENS_CATALOG", "photos")
    assert main(["index"]) == 0
    gone, other, *_ = sorted(Path("photos").rglob("*.png"))
    key, name = gone.relative_to("photos").as_posix(), photo_id(gone.read_bytes())
    capsys.readouterr()
    assert main(["purge", key]) == 2
    assert f"delete {folder / gone} first" in capsys.readouterr().err
    gone.unlink()
    assert main(["purge", key, "nowhere.png"]) == 1
    told = capsys.readouterr()
    assert "1 taken down: nothing names them any more" in told.out
    assert told.err.startswith("lens: unknown: nowhere.png; ")
    files = [path for path in Path(".lens").rglob("*") if path.is_file()]
    assert not [path for path in files if name in path.name or name.encode() in path.read_bytes()]
    assert main(["purge", "--catalog", "photos", key]) == 0
    other.unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{other.relative_to('photos')}\n\n{key}\n"))
    assert main(["purge", "-"]) == 0
    assert "2 taken down" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["purge", "-"]) == 2


@pytest.fixture
def stack(s3: None, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Deployed]:
    """A stack whose buckets keep versions."""
    client = boto3.client("s3", region_name="us-east-1")
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    deployed = Deployed(monkeypatch, folder / "model")
    deployed.function("setup")({})
    names = [f"{name}{kind}" for name in ("Embed", "Segments", "Heads") for kind in KINDS]
    queues = {name: make_queue(monkeypatch, name).url for name in names[1:]}
    outputs = {
        "CatalogLocation": deployed.catalog.location.rstrip("/"),
        "ArtifactsLocation": deployed.artifacts.location,
        "ThumbsLocation": deployed.thumbs.location,
        "TrainingMachine": "arn",
        "DistributionId": "E1",
        "EmbedQueueUrl": deployed.looks.url,
        **{f"{name}Url": url for name, url in queues.items()},
    }
    with cloudformation({"Shop": outputs}) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", address)
        monkeypatch.setenv("LENS_STACK", "Shop")
        yield deployed


def test_on_a_stack_every_version_goes_and_cloudfront_is_told(
    stack: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    for number in (1, 2):
        stack.settle(stack.put("a.png", png(number)))
    stack.settle(stack.put("b.png", png(3)))
    asked: list[str] = []

    def forget(deployment: Deployment, keys: list[str], photos: list[str]) -> int:
        asked.extend(edges.addresses(deployment, keys, photos))
        return len(asked)

    monkeypatch.setattr(edges, "forget_copies", forget)
    assert main(["purge", "a.png"]) == 0
    names = [photo_id(png(number)) for number in (1, 2)]
    client = boto3.client("s3", region_name="us-east-1")
    told = client.list_object_versions(Bucket=BUCKET)
    for version in told["Versions"]:
        data = client.get_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])[
            "Body"
        ].read()
        assert data not in (png(1), png(2))
        assert not [name for name in names if name in version["Key"] or name.encode() in data]
    assert not [each for each in told.get("DeleteMarkers", []) if "a.png" in each["Key"]]
    assert asked[0] == "/catalog/a.png"
    assert {f"/api/thumb/{name}*" for name in names} <= set(asked)
    out = capsys.readouterr().out
    assert "2 versions of it erased" in out
    assert "CloudFront was asked to forget" in out


def test_a_photo_that_is_put_there_again_later_is_found(stack: Deployed, capsys: Printed) -> None:
    stack.settle(stack.put("a.png", png(1)))
    stack.settle(stack.put("b.png", png(2)))
    assert main(["purge", "a.png"]) == 1  # CloudFront is not there in this test
    assert main(["status", "--json"]) == 0
    assert '"photos": 1' in capsys.readouterr().out
    stack.settle(stack.put("a.png", png(1)))
    assert main(["status", "--json"]) == 0
    assert '"photos": 2' in capsys.readouterr().out
