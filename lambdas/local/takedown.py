"""Takedown: takes photos down for good, of the catalog that a command works on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from lambdas.local.pipeline import Pipeline
from lens.errors import LensError, UsageError
from lens.pipeline.purge import Place, purge


def take_down(pipeline: Pipeline, keys: Sequence[str], say: Callable[[str], None]) -> None:
    """Take down what lies under these keys; `-` among them stands for the lines of standard input.

    LensError at the end, when some are known to nothing; the others are taken down all the same.
    """
    wanted = _wanted(keys)
    place = Place(pipeline.catalog, pipeline.artifacts, pipeline.thumbs)
    done = purge(place, wanted, say=say, invalidate=_edges(pipeline, say))
    if done.keys:
        say(f"{len(done.keys)} taken down: nothing names them any more")
    if done.unknown:
        more = f" and {len(done.unknown) - 1} more" if len(done.unknown) > 1 else ""
        raise LensError(
            f"unknown: {done.unknown[0]}{more}; a key is a photo's path within the catalog, as a "
            "hit has it"
        )


def _wanted(keys: Sequence[str]) -> list[str]:
    wanted: list[str] = []
    for key in keys:
        wanted += [line.strip() for line in sys.stdin] if key == "-" else [key]
    wanted = [key for key in wanted if key]
    if not wanted:
        raise UsageError("name what is to be taken down: a photo's path within the catalog")
    return wanted


def _edges(
    pipeline: Pipeline, say: Callable[[str], None]
) -> Callable[[list[str], list[str]], None]:
    stack = pipeline.settings.stack
    if not stack:
        return lambda keys, photos: None
    from lambdas.local.stack.edges import forget_copies
    from lambdas.local.stack.outputs import read_deployment

    deployment = read_deployment(stack)

    def invalidate(keys: list[str], photos: list[str]) -> None:
        if not deployment.distribution:
            say("CloudFront keeps its copies: this stack's release does not name its distribution")
        elif count := forget_copies(deployment, keys, photos):
            say(f"CloudFront was asked to forget {count} addresses")

    return invalidate
