"""The costs: estimates of what a shop pays, by what it does and by what it turns on.

`python -m cdk.costs` prints them and an attacker's hour (attack.py), at the prices of prices.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from cdk.attack import ATTACKS, attacked_hour, edge_hour
from cdk.config import Config
from cdk.prices import KB, MB, MONTH_HOURS, Prices

_SECONDS = MONTH_HOURS * 3_600


@dataclass(frozen=True)
class Shop:
    """A shop's size and load; `..._seconds` are per request or photo."""

    photos: int = 10_000
    photo_mb: float = 0.5
    search_seconds: float = 0.15
    embed_seconds: float = 0.20
    memory_gb: float = 1_769 * MB
    upkeep_seconds: float = 5.0
    upkeep_gb: float = 3_008 * MB
    reconciles_a_day: float = 24.0
    image_gb: float = 0.35
    alarms: int = 41
    metrics: int = 9
    log_kb: float = 1.5  # of a search: the API's line, and Lambda's own three
    cold_seconds: float = 1.5  # until a new search function answers, INIT included
    traced_share: float = 0.05  # of searches, where they are traced: X-Ray's own rule
    waf_rules: int = 4
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
    thousand_cold_starts: float
    ten_thousand_photos: float
    training_run: float
    # On top of idling, where it is turned on:
    provisioned_month: float
    snapshot_month: float
    waf_month: float
    traced_million: float
    key_month: float


def costs(shop: Shop | None = None, prices: Prices | None = None) -> Costs:
    """What a shop pays; no cost is counted in two of them."""
    shop, price = shop or Shop(), prices or Prices()
    return Costs(
        idle_month=_idle(shop, price),
        thousand_searches=1_000 * _search(shop, price),
        thousand_cold_starts=1_000 * shop.cold_seconds * shop.memory_gb * price.lambda_gb_second,
        ten_thousand_photos=10_000 * _photo(shop, price),
        training_run=shop.training_hours * price.p4d_hour * price.spot_share,
        provisioned_month=_SECONDS * shop.memory_gb * price.provisioned_gb_second,
        snapshot_month=shop.memory_gb * _snapshot(shop, price),
        waf_month=price.waf_month
        + shop.waf_rules * price.waf_rule_month
        + 1_000_000 * price.waf_request,
        traced_million=1_000_000 * shop.traced_share * price.trace,
        key_month=price.key_month + _keyed() * price.key_request,
    )


def _idle(shop: Shop, price: Prices) -> float:
    """Storage, the image, alarms, and reconciling every hour; an idle function costs nothing."""
    stored = shop.photos * (shop.photo_mb + shop.picture_mb) * MB * price.s3_gb_month
    runs = shop.reconciles_a_day * MONTH_HOURS / 24
    listing = runs * (-(-shop.photos // 1_000)) * price.s3_write
    running = runs * shop.upkeep_seconds * shop.upkeep_gb * price.lambda_gb_second
    watching = (
        shop.alarms * price.alarm_month + shop.metrics * price.metric_month + price.dashboard_month
    )
    return stored + listing + running + watching + shop.image_gb * price.ecr_gb_month


def _snapshot(shop: Shop, price: Prices) -> float:
    """One GB of a snapshot's memory, stored for a month and resumed `resumptions` times."""
    kept = _SECONDS * price.snapstart_gb_second
    return kept + shop.resumptions * price.snapstart_restored_gb


def _keyed() -> float:
    """Requests to KMS in a month. SQS keeps a data key for five minutes and asks twice for whoever
    sends and once for whoever receives; buckets have keys of their own, and hardly ask."""
    queues, asks = 3, 2 + 1
    return queues * asks * _SECONDS / 300


def _search(shop: Shop, price: Prices) -> float:
    """A photo in, results out, the thumbnails that a browser then loads, and what is logged."""
    function = price.lambda_request + shop.search_seconds * shop.memory_gb * price.lambda_gb_second
    out_gb = (shop.reply_mb + shop.pictures * shop.picture_mb) * MB
    return (
        function
        + price.http_api_request
        + (1 + shop.pictures) * price.cloudfront_request
        + price.cloudfront_function
        + out_gb * price.cloudfront_gb
        + price.s3_read  # to look for a newer commit
        + shop.log_kb * KB * price.logs_gb
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


LABELS = {
    "idle_month": "idle, a month, with 10,000 photos",
    "thousand_searches": "1,000 searches, thumbnails and logs included",
    "thousand_cold_starts": "1,000 of them that start a function (INIT is billed)",
    "ten_thousand_photos": "10,000 photos indexed",
    "training_run": "a training run, 3 hours of 8 A100 at spot prices",
    "provisioned_month": "only with `search_provisioned=1`: a month",
    "snapshot_month": "only with `packaging=snapstart`: a month, search resumed 1,000 times",
    "waf_month": "only with a WAF of four rules: a month, and 1,000,000 requests",
    "traced_million": "only with traces: 1,000,000 searches, one of 20 recorded",
    "key_month": "only with a key of your own (`key`): a month",
}


def main() -> None:
    """Print the tables of docs/aws.md."""
    found, config = costs(), Config()
    for field in fields(found):
        print(f"| {LABELS[field.name]} | ${getattr(found, field.name):.2f} |")
    print("\n| an hour of | US$ |\n| --- | --: |")
    for attack in ATTACKS:
        print(f"| {attack.title} | ${attacked_hour(attack, config):.2f} |")
    for title, dollars in edge_hour().items():
        print(f"| {title} | ${dollars:.2f} |")


if __name__ == "__main__":
    main()
