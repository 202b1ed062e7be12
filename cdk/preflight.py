"""The preflight: checks before a deployment that everything it needs is ready.

`python -m cdk.preflight -c name=value ...` prints nothing, or one line that says what to do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk.assets import Assets
from cdk.config import Config, ConfigError, config_from

# The parameter with the version of CDK's bootstrap stack.
_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"


def preflight(root: Path, context: Mapping[str, Any]) -> Config:
    """The configuration, when everything is ready; ConfigError says what is missing."""
    config = config_from(context)
    Assets.of(root, config)
    if config.packaging == "image" and not config.image:
        _check_docker()
    _check_aws()
    return config


def _check_docker() -> None:
    advice = (
        "start Docker, name an image (-c image=repository:tag), or deploy without Docker "
        "(-c packaging=zip)"
    )
    if shutil.which("docker") is None:
        raise ConfigError(
            f"the image of search and embed is built by Docker, which is not installed: {advice}"
        )
    done = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise ConfigError(
            f"the image of search and embed is built by Docker, which does not answer: {advice}"
        )


def _check_aws() -> None:
    login = "log in (aws configure, aws sso login) or set AWS_PROFILE, and AWS_REGION"
    session = boto3.session.Session()
    try:
        account = session.client("sts").get_caller_identity()["Account"]
        place = f"{account}/{session.region_name}"
        session.client("ssm").get_parameter(Name=_BOOTSTRAP)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            raise ConfigError(
                f"CDK is not set up in {place}: "
                f"run `node_modules/.bin/cdk bootstrap aws://{place}` once"
            ) from error
        raise ConfigError(f"AWS refused: {_line(error)}; {login}") from error
    except BotoCoreError as error:
        raise ConfigError(f"AWS cannot be reached: {_line(error)}; {login}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks; 0 when a deployment can begin."""
    parser = argparse.ArgumentParser(prog="preflight", description=__doc__)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE")
    options, _ = parser.parse_known_args(arguments)
    root = Path(__file__).parents[1]
    context = json.loads((root / "cdk.json").read_text())["context"]
    try:
        for each in options.context:
            name, equals, value = each.partition("=")
            if not equals:
                raise ConfigError(f"-c {each}: write it as -c name=value")
            context[name] = value
        preflight(root, context)
    except ConfigError as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
