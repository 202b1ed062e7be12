"""Tests of preflight.py and aws.py: what is checked before a deployment begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk.config import ConfigError
from cdk.preflight import main, preflight
from tests.cdk.test_deployed import answering
from tests.cdk.test_quotas import Account

READY = {"image": "lens:1"}


class Clients:
    """Moto's services; limits and stacks, which moto has not, as botocore checks them."""

    def __init__(
        self, account: Account | None = None, outputs: dict[str, str] | None = None
    ) -> None:
        self._account = account or Account()
        self._outputs = outputs or {}

    def __call__(self, service: str, region: str = "eu-west-1") -> Any:
        if service == "cloudformation":
            return answering(self._outputs)
        limits = service in ("lambda", "cloudfront", "service-quotas")
        moto: Any = boto3.client
        return self._account(service, region) if limits else moto(service, region)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS account, in memory (moto)."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def _bootstrap() -> None:
    name = "/cdk-bootstrap/hnb659fds/version"
    boto3.client("ssm").put_parameter(Name=name, Value="30", Type="String")


@pytest.mark.usefixtures("aws")
def test_a_ready_account_passes(root: Path) -> None:
    with mock_aws():
        _bootstrap()
        config, notes = preflight(root, READY, Clients())
        assert (config.image, notes) == ("lens:1", [])


@pytest.mark.usefixtures("aws")
def test_quotas_are_notes_unless_the_deployment_would_fail(root: Path) -> None:
    with mock_aws():
        _bootstrap()
        (note,) = preflight(root, READY, Clients(Account(spot=0.0)))[1]
        assert "before `lens train`" in note
        with pytest.raises(ConfigError, match="search_reserved=50 would leave -40"):
            preflight(root, READY, Clients(Account(total=10, free=10)))


@pytest.mark.usefixtures("aws")
def test_photos_in_another_place_stop_a_deployment(root: Path) -> None:
    with mock_aws():
        _bootstrap()
        clients = Clients(outputs={"CatalogLocation": "s3://photos/catalog"})
        with pytest.raises(ConfigError, match="-c catalog_bucket=photos"):
            preflight(root, READY, clients)


@pytest.mark.usefixtures("aws")
def test_a_bucket_that_tells_somebody_else_stops_a_deployment(root: Path) -> None:
    with mock_aws():
        _bootstrap()
        boto3.client("s3").create_bucket(
            Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("sqs").create_queue(QueueName="theirs")
        boto3.client("s3").put_bucket_notification_configuration(
            Bucket="photos",
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": "arn:aws:sqs:eu-west-1:123456789012:theirs",
                        "Events": ["s3:ObjectCreated:*"],
                    }
                ]
            },
        )
        with pytest.raises(ConfigError, match=r"already tells .*theirs"):
            preflight(root, {**READY, "catalog_bucket": "photos"}, Clients())


@pytest.mark.usefixtures("aws")
def test_a_missing_bootstrap_is_told_with_its_command(root: Path) -> None:
    with mock_aws(), pytest.raises(ConfigError, match=r"cdk bootstrap aws://\d{12}/eu-west-1"):
        preflight(root, READY)


def test_missing_credentials_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(ConfigError, match="log in"):
        preflight(root, READY)


def test_a_missing_docker_is_told_unless_an_image_is_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ConfigError, match=r"Docker, which is not installed.*-c image=.*-c packaging=zip"
    ):
        preflight(root, {})


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("packaging", ["zip", "snapstart"])
def test_zips_need_no_docker(
    packaging: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with mock_aws():
        _bootstrap()
        config, _ = preflight(root, {"packaging": packaging}, Clients())
        assert config.packaging == packaging


def test_a_docker_that_does_not_answer_is_told(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(ConfigError, match=r"Docker, which does not answer.*start Docker"):
        preflight(root, {})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-c", "serach_memory=1"], "did you mean search_memory?"),
        (["-c", "removal"], "write it as -c name=value"),
        (["-c", "search_timeout=soon"], "search_timeout='soon'"),
    ],
)
def test_the_command_ends_with_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
