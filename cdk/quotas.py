"""The quotas: what of an account's limits a deployment needs, and what to ask AWS for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cdk.aws import Clients, told
from cdk.config import Config, ConfigError
from cdk.deployed import Deployed

_EDGE = "us-east-1"
_CONCURRENCY = "L-B99A9384"
# AWS keeps so many functions for those without a share of their own.
_UNRESERVED = 100
# What a stack makes (website.py), and AWS's default where the quota cannot be found.
CACHE_POLICIES = 2
_POLICY_DEFAULT = 20
_CACHE = "Cache policies per AWS account"
_HEADERS = "Response headers policies per AWS account"


@dataclass(frozen=True)
class Lack:
    """A quota that is too low; `blocks`: the deployment would fail for it."""

    text: str
    blocks: bool = False


def lacks(config: Config, clients: Clients, deployed: Deployed) -> Iterator[Lack]:
    """What is too low. A quota that may not be read is named, and blocks nothing."""
    for check in (_concurrency, _policies, _training):
        try:
            with told():
                found = list(check(config, clients, deployed))
        except ConfigError as error:
            what = check.__name__.removeprefix("_")
            yield Lack(f"the quota of {what} was not looked at: {error}")
        else:
            yield from found


def header_policies(config: Config) -> int:
    """How many policies of response headers a stack makes: the API's is the photos', unless other
    sites are to read those."""
    return 3 if config.sites else 2


def _concurrency(config: Config, clients: Clients, deployed: Deployed) -> Iterator[Lack]:
    """Lambda's own figures: they know what other functions have reserved."""
    limit = clients("lambda").get_account_settings()["AccountLimit"]
    total, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    own = 0
    if function := deployed.outputs.get("SearchFunction"):
        reply = clients("lambda").get_function_concurrency(FunctionName=function)
        own = reply.get("ReservedConcurrentExecutions", 0)
    left = free + own - config.search_reserved
    ask = _ask("lambda", _CONCURRENCY, 1_000)
    if total != config.account_concurrency:
        yield Lack(
            f"Lambda runs {total} functions at a time in this account: deploy with "
            f"-c account_concurrency={total}, and an alarm tells when nearly all are taken"
        )
    if config.search_reserved and left < _UNRESERVED:
        yield Lack(
            f"Lambda runs {total} functions at a time in this account, {free + own} of them not "
            f"reserved; search_reserved={config.search_reserved} would leave {left}, and AWS keeps "
            f"{_UNRESERVED}: ask for more ({ask}), or deploy with -c search_reserved=0",
            blocks=True,
        )
    elif left < config.embed_concurrency + _UNRESERVED // 10:
        yield Lack(
            f"Lambda has {left} functions at a time for all but search, and embed may take "
            f"{config.embed_concurrency}: ask for more ({ask}), or lower embed_concurrency"
        )


def _policies(config: Config, clients: Clients, deployed: Deployed) -> Iterator[Lack]:
    """Only a new stack makes policies: one that is there has its own."""
    if deployed.outputs:
        return
    cloudfront = clients("cloudfront")
    headers = cloudfront.list_response_headers_policies
    quotas = _quotas(clients("service-quotas", _EDGE), "cloudfront")
    for name, used, made in (
        (_CACHE, _count(cloudfront.list_cache_policies, "CachePolicyList"), CACHE_POLICIES),
        (_HEADERS, _count(headers, "ResponseHeadersPolicyList"), header_policies(config)),
    ):
        code, most = quotas.get(name, ("CODE", _POLICY_DEFAULT))
        if used + made > most:
            ask = _ask("cloudfront", code, 2 * int(most), f" --region {_EDGE}")
            yield Lack(
                f"CloudFront has {used} of {most:g} {name[0].lower()}{name[1:]}, and a stack "
                f"makes {made}: destroy a stack that is not needed, or ask for more ({ask})",
                blocks=True,
            )


def _training(config: Config, clients: Clients, deployed: Deployed) -> Iterator[Lack]:
    """An account begins with none of the large instances; nothing but training needs them."""
    kind = "spot training job" if config.training_spot else "training job"
    name = f"{config.training_instance} for {kind} usage"
    code, most = _quotas(clients("service-quotas"), "sagemaker").get(name, ("CODE", 0.0))
    if most < config.training_count:
        ask = _ask("sagemaker", code, config.training_count)
        yield Lack(
            f"SageMaker lets this account have {most:g} of {config.training_count} {name}: before "
            f"`lens train`, ask for it ({ask}; it takes days). All else works without"
        )


def _count(listing: Callable[..., Any], key: str) -> int:
    """How many policies of the account's own there are."""
    found, marker = 0, ""
    while True:
        page = listing(Type="custom", **({"Marker": marker} if marker else {}))[key]
        found += int(page["Quantity"])
        marker = page.get("NextMarker", "")
        if not marker:
            return found


def _quotas(client: Any, service: str) -> dict[str, tuple[str, float]]:
    """Code and value by name: those of the account, and AWS's default where it has none."""
    found: dict[str, tuple[str, float]] = {}
    for listing in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(listing).paginate(ServiceCode=service):
            for each in page["Quotas"]:
                found[each["QuotaName"]] = each["QuotaCode"], each["Value"]
    return found


def _ask(service: str, code: str, value: int, more: str = "") -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} "
        f"--quota-code {code} --desired-value {value}{more}"
    )
