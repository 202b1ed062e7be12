"""The preflight: checks before a deployment that everything it needs is ready.

`python -m cdk.preflight -c name=value ...` prints notes on what will lack later, or one line that
says what to do.
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

from cdk.assets import Assets
from cdk.aws import Clients, clients_here, told
from cdk.bucket_events import refuse_overlap
from cdk.config import Config, ConfigError, config_from
from cdk.deployed import read_deployed, refuse_moved_catalog
from cdk.quotas import lacks

# The parameter with the version of CDK's bootstrap stack.
_BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"


def preflight(
    root: Path, context: Mapping[str, Any], clients: Clients | None = None
) -> tuple[Config, list[str]]:
    """The configuration, when everything is ready, and notes on what will lack later; ConfigError
    says what is missing. `clients` makes a client of a service of AWS's."""
    config = config_from(context)
    Assets.of(root, config)
    if config.packaging == "image" and not config.image:
        _check_docker()
    here, region = clients_here()
    with told():
        return config, _check_aws(config, clients or here, region)


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


def _check_aws(config: Config, clients: Clients, region: str) -> list[str]:
    place = f"{clients('sts').get_caller_identity()['Account']}/{region}"
    ssm = clients("ssm")
    try:
        ssm.get_parameter(Name=_BOOTSTRAP)
    except ssm.exceptions.ParameterNotFound as error:
        raise ConfigError(
            f"CDK is not set up in {place}: "
            f"run `node_modules/.bin/cdk bootstrap aws://{place}` once"
        ) from error
    deployed = read_deployed(clients("cloudformation"), config.stack)
    refuse_moved_catalog(config, deployed)
    refuse_overlap(clients("s3"), config, deployed)
    found = list(lacks(config, clients, deployed))
    if blocking := [lack.text for lack in found if lack.blocks]:
        raise ConfigError("; and ".join(blocking))
    return [lack.text for lack in found]


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
        for note in preflight(root, context)[1]:
            print(f"cdk: note: {note}", file=sys.stderr)
    except ConfigError as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
