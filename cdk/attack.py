"""The attack: what an hour of somebody's requests costs, by what bounds them.

The API takes `throttle_rate` requests a second and search runs `search_reserved` of them at a time;
what is beyond either is refused before it costs time. What CloudFront delivers itself has no bound
here but a WAF's.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdk.config import Config
from cdk.prices import MB, Prices

_HOUR = 3_600


@dataclass(frozen=True)
class Attack:
    """Requests of one kind; `seconds` of search that each takes (0: until its timeout)."""

    title: str
    seconds: float


ATTACKS = (
    Attack("small searches", 0.15),
    # A PNG of one color, 200 KB, takes 1.05 s of CPU here: twice that, for slower kinds and CPUs.
    Attack("small files that decode to 64 megapixels", 2.1),
    Attack("requests that last until search_timeout", 0),
)
# What a line of 1 Gbit/s fetches of the page's files and photos.
_FETCHED_GB = _HOUR / 8
_EDGE_REQUESTS = 10_000 * _HOUR


def attacked_hour(attack: Attack, config: Config, price: Prices | None = None) -> float:
    """US dollars for an hour at the API, from a line that asks as often as it is let."""
    price = price or Prices()
    seconds = attack.seconds or float(config.search_timeout)
    run = min(
        config.throttle_rate, (config.search_reserved or config.account_concurrency) / seconds
    )
    function = seconds * config.search_memory * MB * price.lambda_gb_second + price.lambda_request
    return _HOUR * (config.throttle_rate * price.http_api_request + run * function)


def edge_hour(price: Prices | None = None) -> dict[str, float]:
    """US dollars for an hour of what CloudFront answers itself, by what is asked of it."""
    price = price or Prices()
    request = price.cloudfront_request + price.cloudfront_function
    return {
        "1 Gbit/s of photos from CloudFront": _FETCHED_GB * price.cloudfront_gb,
        "10,000 requests a second at CloudFront": _EDGE_REQUESTS * request,
    }
