"""The costs: estimates for an idle stack, searches, indexing and training, from AWS's list prices.

`python -m cdk.costs` prints them. Free tiers are left out; the bill comes from AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

MONTH_HOURS = 730
_MB = 1 / 1_024  # in GB


@dataclass(frozen=True)
class Prices:
    """US dollars, us-east-1, on demand, as published on `date`."""

    date: str = "2025-11"
    lambda_gb_second: float = 0.0000166667  # x86_64; arm64 0.0000133334
    lambda_request: float = 0.20e-6
    # Of Python functions; their memory counts. aws.amazon.com/lambda/pricing, since 2024-11.
    snapstart_gb_second: float = 0.0000015046  # of a published version's snapshot, used or not
    snapstart_restored_gb: float = 0.0001397998
    http_api_request: float = 1.00e-6  # of up to 512 KB
    s3_gb_month: float = 0.023
    s3_write: float = 0.005e-3  # also each page of a listing
    s3_read: float = 0.0004e-3
    sqs_request: float = 0.40e-6
    cloudfront_request: float = 0.0100e-4
    cloudfront_function: float = 0.10e-6
    cloudfront_gb: float = 0.085
    ecr_gb_month: float = 0.10
    logs_gb: float = 0.50
    alarm_month: float = 0.10
    metric_month: float = 0.30
    dashboard_month: float = 3.00
    p4d_hour: float = 25.25  # SageMaker training, ml.p4d.24xlarge, 8 A100
    spot_share: float = 0.5  # of the on-demand price; it varies


@dataclass(frozen=True)
class Shop:
    """A shop's size and load; `..._seconds` are per request or photo."""

    photos: int = 10_000
    photo_mb: float = 0.5
    search_seconds: float = 0.15
    embed_seconds: float = 0.20
    memory_gb: float = 1_769 * _MB
    upkeep_seconds: float = 5.0
    upkeep_gb: float = 3_008 * _MB
    reconciles_a_day: float = 24.0
    image_gb: float = 0.35
    alarms: int = 35
    metrics: int = 7
    query_mb: float = 0.2
    reply_mb: float = 0.01
    pictures: int = 12  # thumbnails of a page of results
    picture_mb: float = 0.012
    training_hours: float = 3.0
    resumptions: int = 1_000  # search functions started from a snapshot, in a month


@dataclass(frozen=True)
class Costs:
    """US dollars."""

    idle_month: float
    thousand_searches: float
    ten_thousand_photos: float
    training_run: float
    snapshot_month: float  # on top of idling, with packaging=snapstart


def costs(shop: Shop | None = None, prices: Prices | None = None) -> Costs:
    """What a shop pays; no cost is counted in two of the five."""
    shop, price = shop or Shop(), prices or Prices()
    return Costs(
        idle_month=_idle(shop, price),
        thousand_searches=1_000 * _search(shop, price),
        ten_thousand_photos=10_000 * _photo(shop, price),
        training_run=shop.training_hours * price.p4d_hour * price.spot_share,
        snapshot_month=shop.memory_gb * _snapshot(shop, price),
    )


def _idle(shop: Shop, price: Prices) -> float:
    """Storage, the image, alarms, and reconciling every hour; an idle function costs nothing."""
    stored = shop.photos * (shop.photo_mb + shop.picture_mb) * _MB * price.s3_gb_month
    runs = shop.reconciles_a_day * MONTH_HOURS / 24
    listing = runs * (-(-shop.photos // 1_000)) * price.s3_write
    running = runs * shop.upkeep_seconds * shop.upkeep_gb * price.lambda_gb_second
    watching = (
        shop.alarms * price.alarm_month + shop.metrics * price.metric_month + price.dashboard_month
    )
    return stored + listing + running + watching + shop.image_gb * price.ecr_gb_month


def _snapshot(shop: Shop, price: Prices) -> float:
    """One GB of a snapshot's memory, stored for a month and resumed `resumptions` times."""
    kept = MONTH_HOURS * 3_600 * price.snapstart_gb_second
    return kept + shop.resumptions * price.snapstart_restored_gb


def _search(shop: Shop, price: Prices) -> float:
    """A photo in, results out, and the thumbnails that a browser then loads."""
    function = price.lambda_request + shop.search_seconds * shop.memory_gb * price.lambda_gb_second
    out_gb = (shop.reply_mb + shop.pictures * shop.picture_mb) * _MB
    return (
        function
        + price.http_api_request
        + (1 + shop.pictures) * price.cloudfront_request
        + price.cloudfront_function
        + out_gb * price.cloudfront_gb
        + price.s3_read  # to look for a newer commit
    )


def _photo(shop: Shop, price: Prices) -> float:
    """From the upload to a commit, alone in its batch: the most expensive case."""
    embedding = price.lambda_request + shop.embed_seconds * shop.memory_gb * price.lambda_gb_second
    committing = price.lambda_request + 0.3 * shop.memory_gb * price.lambda_gb_second
    compacting = price.lambda_request + 0.3 * shop.upkeep_gb * price.lambda_gb_second
    writes = 5 * price.s3_write  # the photo, its thumbnail, a segment, a commit, a head
    reads = 12 * price.s3_read
    queues = 3 * 3 * price.sqs_request  # sent, received and deleted, in three queues
    return embedding + committing + compacting + writes + reads + queues


def main() -> None:
    """Print the table of docs/aws.md."""
    found = costs()
    labels = {
        "idle_month": "idle, a month, with 10,000 photos",
        "thousand_searches": "1,000 searches, thumbnails included",
        "ten_thousand_photos": "10,000 photos indexed",
        "training_run": "a training run, 3 hours of 8 A100 at spot prices",
        "snapshot_month": "only with `packaging=snapstart`: a month, search resumed 1,000 times",
    }
    for field in fields(found):
        print(f"| {labels[field.name]} | ${getattr(found, field.name):.2f} |")


if __name__ == "__main__":
    main()
