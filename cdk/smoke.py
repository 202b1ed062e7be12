"""The smoke test: asks a deployed stack what a shopper asks. The page, one search, and health.

`python -m cdk.smoke -c environment=staging` prints a line for each; it ends with 1 where one fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from cdk.aws import Clients, clients_here, told
from cdk.config import ConfigError, config_from
from cdk.deployed import read_deployed

PHOTO = Path(__file__).parents[1] / "lambdas/rollout/photo.jpg"
_BOUNDARY = "image-lens-smoke"
_SECONDS = 60


class SmokeError(Exception):
    """What a shopper would not get; one line."""


def smoke(address: str) -> Iterator[str]:
    """A line for each thing that works at the page's address; SmokeError at the first that does
    not."""
    page = _ask(address + "/")
    if b"<html" not in page:
        raise SmokeError(f"{address}/ is no page: {page[:200]!r}")
    yield f"page       {address}/ has {len(page)} bytes"
    found = json.loads(_ask(f"{address}/api/search-image", PHOTO.read_bytes()))
    yield f"search     {len(found['hits'])} hits"
    # After the search: what has loaded no gallery yet knows of none that is damaged.
    health = json.loads(_ask(f"{address}/api/health"))
    if health["status"] not in ("ok", "empty"):
        raise SmokeError(f"{address}/api/health says {json.dumps(health)[:500]}")
    yield f"health     {health['status']}"


def _ask(url: str, photo: bytes | None = None) -> bytes:
    request = urllib.request.Request(url)
    if photo is not None:
        head = (
            f"--{_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        request.data = head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()
        request.add_header("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
            data: bytes = reply.read()
            return data
    except urllib.error.HTTPError as error:
        raise SmokeError(f"{url} answers {error.code}: {error.read()[:500]!r}") from error
    except OSError as error:
        raise SmokeError(f"{url} cannot be reached: {error}") from error


def main(arguments: Sequence[str] | None = None, clients: Clients | None = None) -> int:
    """Ask the stack that these settings name."""
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    try:
        stack = config_from(dict(each.partition("=")[::2] for each in options.context)).stack
        with told():
            cloudformation = (clients or clients_here()[0])("cloudformation")
            outputs = read_deployed(cloudformation, stack).outputs
        if "PageUrl" not in outputs:
            raise SmokeError(f"there is no stack {stack} here: run `make deploy`")
        for line in smoke(outputs["PageUrl"]):
            print(line)
    except (ConfigError, SmokeError) as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
