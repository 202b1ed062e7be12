"""The re-embedding: what it takes to fill a new model's gallery, told before a promotion begins.

`python -m cdk.reembedding PHOTOS [--embed-seconds S] [--concurrency N] [--most-dollars D]` prints
hours and US dollars; it ends with 1 where they are more than `--most-dollars`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from cdk.config import Config
from cdk.costs import Shop
from cdk.prices import Prices

# A message asks for ten looks, and a function takes ten messages at a time (lens.pipeline.queues).
_LOOKS, _BATCH = 10, 100


@dataclass(frozen=True)
class Reembedding:
    """Of so many photos, one after the other in each of the functions."""

    photos: int
    hours: float
    dollars: float


def reembedding(photos: int, config: Config, shop: Shop, price: Prices) -> Reembedding:
    """Embedding, requests, queues and commits; folding costs less than a hundredth of it."""
    seconds = photos * shop.embed_seconds
    batches = -(-photos // _BATCH)
    embedding = seconds * shop.memory_gb * price.lambda_gb_second + batches * price.lambda_request
    # Each photo is read and its thumbnail written; of a batch a segment, a commit and a head.
    stored = photos * (price.s3_read + price.s3_write) + batches * 3 * price.s3_write
    # Sent, received and deleted, in three queues of which the first has the looks.
    queues = 3 * (-(-photos // _LOOKS) + 2 * batches) * price.sqs_request
    committing = batches * (price.lambda_request + 0.3 * shop.memory_gb * price.lambda_gb_second)
    return Reembedding(
        photos,
        hours=seconds / config.embed_concurrency / 3_600,
        dollars=embedding + stored + queues + committing,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the estimate; 1 where it is beyond the limit."""
    parser = argparse.ArgumentParser(description="What filling a new model's gallery takes.")
    parser.add_argument("photos", type=int, metavar="PHOTOS")
    parser.add_argument("--embed-seconds", type=float, default=Shop().embed_seconds)
    parser.add_argument("--concurrency", type=int, default=Config().embed_concurrency)
    parser.add_argument("--most-dollars", type=float)
    options = parser.parse_args(arguments)
    found = reembedding(
        options.photos,
        Config(embed_concurrency=options.concurrency),
        Shop(embed_seconds=options.embed_seconds),
        Prices(),
    )
    print(
        f"{found.photos:,} photos at {options.embed_seconds:g} s each, {options.concurrency} "
        f"functions: {found.hours:.1f} hours, ${found.dollars:.2f}"
    )
    if options.most_dollars is not None and found.dollars > options.most_dollars:
        print(f"that is more than ${options.most_dollars:.2f}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
