"""The prices: AWS's list prices that the estimates are made of, entered by hand.

us-east-1, on demand, without free tiers. What AWS bills is AWS's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

MONTH_HOURS = 730
MB = 1 / 1_024  # in GB
KB = MB / 1_024


@dataclass(frozen=True)
class Prices:
    """US dollars, as published on `date`."""

    date: str = "2025-11"
    lambda_gb_second: float = 0.0000166667  # x86_64; arm64 0.0000133334. INIT too, since 2025-08
    lambda_request: float = 0.20e-6
    provisioned_gb_second: float = 0.0000041667  # kept warm, used or not
    # Of Python functions; their memory counts. aws.amazon.com/lambda/pricing, since 2024-11.
    snapstart_gb_second: float = 0.0000015046  # of a published version's snapshot, used or not
    snapstart_restored_gb: float = 0.0001397998
    http_api_request: float = 1.00e-6  # of up to 512 KB; throttled ones are free
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
    trace: float = 5.00e-6  # recorded
    waf_month: float = 5.00
    waf_rule_month: float = 1.00  # a group of AWS's rules counts as one
    waf_request: float = 0.60e-6
    key_month: float = 1.00
    key_request: float = 0.03e-4
    p4d_hour: float = 25.25  # SageMaker training, ml.p4d.24xlarge, 8 A100
    spot_share: float = 0.5  # of the on-demand price; it varies


def second_price(memory: int) -> float:
    """US dollars for a second of a function with so many MB, on x86_64."""
    return memory * MB * Prices().lambda_gb_second
