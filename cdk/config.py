"""The configuration: every setting of a deployment, its meaning, default and bounds."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cdk.environments import FOLDER, EnvironmentFileError, read_environment

_AS_INTEGER = BeforeValidator(lambda given: int(given) if str(given).isdigit() else given)
# Retention periods, in days: those of CloudWatch Logs that make sense here.
LogDays = Annotated[Literal[1, 3, 7, 14, 30, 90, 180, 365], _AS_INTEGER]
NoneOrLogDays = Annotated[Literal[0, 1, 3, 7, 14, 30, 90, 180, 365], _AS_INTEGER]
_ARN = r"^$|^arn:aws[a-z-]*:{service}:{region}:\d{{12}}:{rest}$"
_CERTIFICATE = _ARN.format(service="acm", region="us-east-1", rest=r"certificate/[\w-]+")
_SECRET = _ARN.format(service="secretsmanager", region=r"[a-z0-9-]+", rest="secret:.+")
_WEB_ACL = _ARN.format(service="wafv2", region="us-east-1", rest=r"global/webacl/.+")
_KEY = _ARN.format(service="kms", region=r"[a-z0-9-]+", rest=r"key/[\w-]+")
# No character that a policy would take for a pattern: the grant is for this object.
_FEED = (
    r"^$|^https://[^\s/]+(/\S*)?$"
    r"|^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s*?$]+\.(csv|tsv|txt|jsonl|ndjson)$"
)


def _sites(one: str) -> str:
    """A pattern of sites that are separated by commas, or * for all."""
    return rf"^$|^\*$|^{one}(\s*,\s*{one})*$"


# A function has one vCPU per 1,769 MB; 3,008 MB is a new account's limit.
Memory = Annotated[int, Field(ge=512, le=10_240)]
# Of /tmp, where a gallery's files are downloaded to: about 750 MB for a million photos. SnapStart
# allows only the minimum.
Disk = Annotated[int, Field(ge=512, le=10_240)]
Seconds = Annotated[int, Field(ge=1, le=900)]
Concurrency = Annotated[int, Field(ge=2, le=1_000)]


class ConfigError(Exception):
    """A setting or a file is wrong or missing; the message is one line that says what to do."""


class Config(BaseModel):
    """What an environment's file or `-c name=value` says; lengths in the units of their names."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    stack: str = Field("ImageLens", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$", description="its name")
    removal: Literal["retain", "destroy"] = Field(
        "retain", description="of photos and galleries when the stack is destroyed"
    )
    python_version: Literal["3.12", "3.13"] = Field("3.13", description="of every function")
    architecture: Literal["x86_64", "arm64"] = Field("x86_64", description="of every function")
    packaging: Literal["image", "zip", "snapstart"] = Field(
        "image",
        description="of search and embed: an image, or zips, or zips and search from a snapshot",
    )

    catalog_bucket: str = Field(
        "",
        pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="an existing bucket with the photos under catalog/; empty: a new one",
    )
    catalog_key: str = Field(
        "",
        pattern=_KEY,
        description="the KMS key of that bucket, where it has one of its owner's",
    )
    key: str = Field(
        "",
        pattern=rf"^new$|{_KEY}",
        description="a KMS key of yours for buckets, queues, logs and alarms: its ARN, or new; "
        "empty: AWS's own",
    )
    move_catalog: str = Field(
        "",
        pattern=r"^$|^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/catalog/?$",
        description="the photos' new location, s3://bucket/catalog, where the gallery of another "
        "bucket is to go on with it",
    )
    feed: str = Field(
        "",
        pattern=_FEED,
        description="the product file, where it is not among the photos: s3://bucket/key or https://",
    )
    feed_minutes: Annotated[int, Field(ge=1, le=1_440)] = Field(
        15, description="minutes between two looks at that file"
    )
    feed_pictures: bool = Field(
        False,
        description="fetch the pictures that the product file names by https address, of products "
        "without photos",
    )
    fetch_urls: bool = Field(False, description="searches may name a photo's address")
    layout: str = Field(
        "",
        pattern=r"^$|^folders$|^[^/].*\{item\}.*$",
        description="which photos are one product, {category}/{item}_*; folders: those of one "
        "folder; empty: it is recognized",
    )
    model: str = Field(
        "build/model", description="folder with the default model, laid out as models/"
    )
    image: str = Field(
        "",
        pattern=r"^$|^[a-z0-9][a-z0-9._/-]*:[\w.-]+$",
        description="ECR repository:tag of a ready image; empty: build it with Docker",
    )
    base_image: str = Field(
        "",
        pattern=r"^$|^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$",
        description="what Docker builds the image on, by its digest: "
        "public.ecr.aws/lambda/python:3.13@sha256:…; empty: AWS's newest of that Python",
    )
    site: bool = Field(True, description="upload frontend/")

    search_memory: Memory = Field(1_769, description="MB; 1,769 are one vCPU")
    search_disk: Disk = Field(
        512,
        description="MB of /tmp, for a gallery's files and, while it is fetched, the next one's",
    )
    search_timeout: Annotated[int, Field(ge=1, le=29)] = Field(
        20, description="seconds; the HTTP API gives up after 30"
    )
    search_reserved: Annotated[int, Field(ge=0, le=1_000)] = Field(
        50,
        description="concurrency that no other function can take from search, also its limit, and "
        "what bounds an attacker's bill; 0: none",
    )
    search_provisioned: Annotated[int, Field(ge=0, le=1_000)] = Field(
        0, description="search functions kept warm (provisioned concurrency), paid by the hour"
    )
    search_rollout: Literal["at_once", "checked", "canary"] = Field(
        "at_once",
        description="how a new search takes over: at once; once a search of it was answered; or "
        "then for 10 % of the requests for 10 minutes, and back where they fail",
    )
    max_photo_bytes: Annotated[int, Field(ge=1_024, le=4_400_000)] = Field(
        4_400_000, description="of a query; Lambda takes 6 MB in base64"
    )
    throttle_rate: Annotated[float, Field(gt=0, le=10_000)] = Field(
        50, description="API requests a second, of each route that has no limit of its own"
    )
    throttle_burst: Annotated[int, Field(ge=1, le=5_000)] = Field(
        100, description="the same, at once"
    )
    throttle_search_rate: Annotated[float, Field(gt=0, le=10_000)] = Field(
        20, description="searches with a photo a second, and as many explanations"
    )
    throttle_search_burst: Annotated[int, Field(ge=1, le=5_000)] = Field(
        40, description="the same, at once"
    )
    authorizer: Literal["", "keys", "jwt"] = Field(
        "", description="who may use the API: everybody, or with a key, or with a token (JWT)"
    )
    keys_secret: str = Field(
        "",
        pattern=_SECRET,
        description="ARN of a secret with the keys, by comma: the one in use, and while it is "
        "changed the next",
    )
    jwt_issuer: str = Field("", pattern=r"^$|^https://\S+$", description="who issues the tokens")
    jwt_audience: str = Field(
        "", pattern=r"^$|^[^\s,]+(\s*,\s*[^\s,]+)*$", description="whom they are for, by comma"
    )
    shop_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/\s]+$",
        description="the shop's own address, with which links to products begin where the product "
        "file has paths alone",
    )
    shop_currency: str = Field(
        "",
        pattern=r"^$|^[A-Z]{3}$",
        description="what the shop's prices are in, EUR, where the product file names no currency",
    )
    cors_origins: str = Field(
        "",
        pattern=_sites(r"https?://[A-Za-z0-9.-]+(:\d+)?"),
        description="other sites whose pages may call the API and contain the widget, separated by "
        "commas: https://shop.example",
    )
    frame_ancestors: str = Field(
        "",
        pattern=_sites(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?"),
        description="other sites whose pages may show the page in a frame, separated by commas: "
        "https://shop.example or https://*.shop.example",
    )

    embed_memory: Memory = Field(1_769, description="MB; 1,769 are one vCPU")
    embed_timeout: Seconds = Field(120, description="seconds, for a batch of 10 photos")
    embed_concurrency: Concurrency = Field(20, description="most embed functions at the same time")
    account_concurrency: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        1_000,
        description="functions that Lambda runs at a time in this account; `make deploy` says how "
        "many those are",
    )
    index_memory: Memory = Field(1_769, description="MB, of build_index")
    index_timeout: Seconds = Field(60, description="seconds, of build_index")
    upkeep_memory: Memory = Field(3_008, description="MB, of compact, reconcile and collect")
    upkeep_disk: Disk = Field(512, description="MB of /tmp; a gallery's files")
    upkeep_timeout: Seconds = Field(900, description="seconds, of compact, reconcile and collect")
    receives: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="tries of a message before it becomes a dead letter"
    )
    reconcile_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        1, description="hours between two runs"
    )
    collect_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        24, description="hours between two runs"
    )
    noncurrent_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        30, description="days that replaced and deleted objects are kept"
    )
    log_days: LogDays = Field(30, description="days that logs are kept")
    search_log: NoneOrLogDays = Field(
        0,
        description="a line of JSON for each search and click in the log of search, which is then "
        "kept for so many days; 0: none",
    )

    domain: str = Field("", pattern=r"^$|^([a-z0-9-]+\.)+[a-z]{2,}$", description="of the page")
    certificate_arn: str = Field(
        "", pattern=_CERTIFICATE, description="the domain's ACM certificate, in us-east-1"
    )
    web_acl_arn: str = Field(
        "", pattern=_WEB_ACL, description="an existing WAF of scope CLOUDFRONT"
    )
    waf: bool = Field(
        False, description="make a WAF: AWS's managed rules, and a rate for each address"
    )
    waf_rate: Annotated[int, Field(ge=10, le=2_000_000)] = Field(
        300, description="API requests of one address in five minutes"
    )
    direct: bool = Field(
        False,
        description="the API's own address answers too, where a domain or a WAF stands before it",
    )
    origin_key: Annotated[int, Field(ge=1)] = Field(
        1, description="one more changes the key by which the API knows CloudFront"
    )
    price_class: Literal["100", "200", "all"] = Field("100", description="CloudFront's locations")

    traces: str = Field(
        "",
        pattern=r"^$|^xray$|^https://\S+$",
        description="where functions send spans (OTLP): xray, or a collector's address",
    )
    traces_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05, description="of all requests and uploads, those that are traced"
    )

    alarm_email: str = Field(
        "", pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$", description="who gets the alarms"
    )
    alarm_p95_ms: Annotated[int, Field(ge=1)] = Field(
        3_000, description="milliseconds; alarm when the slowest 5 % of the searches take longer"
    )
    alarm_gallery_hours: Annotated[int, Field(ge=1)] = Field(
        2, description="alarm when a photo waits for longer than this to be found"
    )
    alarm_freshness_minutes: Annotated[int, Field(ge=1, le=1_440)] = Field(
        30, description="alarm when most uploads take longer than this to be found"
    )
    alarm_rejected: Annotated[int, Field(ge=0)] = Field(
        100, description="alarm at this many rejected photos"
    )
    alarm_waiting: Annotated[int, Field(ge=0)] = Field(
        10, description="alarm at this many photos that cannot be read"
    )
    alarm_requests: Annotated[int, Field(ge=1)] = Field(
        20_000, description="alarm at this many API requests within an hour"
    )
    alarm_dollars: Annotated[float, Field(gt=0)] = Field(
        1.0, description="US$; alarm when search, or embed, costs this much within an hour"
    )
    budget: Annotated[int, Field(ge=0)] = Field(
        0,
        description="US$ a month; a mail to alarm_email at 80 % of it, and when it will be "
        "exceeded; 0: none",
    )

    training_instance: str = Field(
        "ml.p4d.24xlarge", pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", description="8 A100"
    )
    training_others: str = Field(
        "",
        pattern=r"^$|^ml\.[a-z0-9-]+\.[a-z0-9]+(\s*,\s*ml\.[a-z0-9-]+\.[a-z0-9]+)*$",
        description="instance types that are tried next where that one cannot be had, separated by "
        "commas",
    )
    training_count: Annotated[int, Field(ge=1, le=64)] = Field(1, description="instances")
    training_spot: bool = Field(True, description="at spot prices, with checkpoints")
    training_on_demand: bool = Field(
        False,
        description="on demand, at about twice the price, where none is to be had at spot prices",
    )
    training_hours: Annotated[int, Field(ge=1, le=120)] = Field(
        12, description="hours that a job may run"
    )
    training_wait_hours: Annotated[int, Field(ge=1, le=240)] = Field(
        36, description="hours that a job may take, including the wait for spot instances"
    )
    training_volume_gb: Annotated[int, Field(ge=30, le=16_384)] = Field(
        200, description="GB of disk"
    )
    training_image: str = Field("", description="container; empty: AWS's container for PyTorch")
    training_bundle: str = Field(
        "build/training/sourcedir.tar.gz", description="the program, as SageMaker unpacks it"
    )
    promote_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        60, description="seconds between two checks of a new model's gallery while it fills"
    )
    promote_patience: Annotated[int, Field(ge=1, le=1_800)] = Field(
        120,
        description="checks in a row that may bring nothing before a promotion ends with what to "
        "do; a message that fails is a dead letter after an hour",
    )
    promote_dollars: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="US$; a promotion of a trained model that costs more, by the estimate, ends "
        "before it begins, with what allows it; 0: no limit",
    )
    training_data: str = Field(
        "",
        pattern=r"^$|^s3://[a-z0-9][a-z0-9.-]+(/[^\s]+)?$",
        description="s3://bucket/prefix of the photos to train on; empty: training/data/",
    )

    emulator: str = Field(
        "",
        pattern=r"^$|^http://(127\.0\.0\.1|localhost):\d+$",
        description="address of an emulated AWS, where CloudFront then reaches the API",
    )

    @property
    def moved(self) -> dict[str, str]:
        """The variable that lets a gallery go on with another catalog, for all that look at it."""
        return {"LENS_MOVE_CATALOG": self.move_catalog} if self.move_catalog else {}

    @property
    def training_instances(self) -> list[str]:
        """The instance types that a training is tried on, in this order."""
        return [self.training_instance, *_split(self.training_others)]

    @property
    def closed(self) -> bool:
        """Whether the API answers nobody but CloudFront."""
        return bool(self.domain or self.web_acl_arn or self.waf) and not self.direct

    @property
    def jwt_audiences(self) -> list[str]:
        """`jwt_audience`, one by one."""
        return _split(self.jwt_audience)

    @property
    def sites(self) -> list[str]:
        """`cors_origins`, one by one."""
        return _split(self.cors_origins)

    @property
    def frames(self) -> list[str]:
        """`frame_ancestors`, one by one."""
        return _split(self.frame_ancestors)

    @model_validator(mode="after")
    def _together(self) -> Config:
        if bool(self.domain) != bool(self.certificate_arn):
            raise ValueError("domain and certificate_arn go together: give both or neither")
        if self.waf and self.web_acl_arn:
            raise ValueError("waf and web_acl_arn exclude each other: make a WAF or name one")
        if (self.authorizer == "keys") != bool(self.keys_secret):
            raise ValueError("authorizer=keys and keys_secret go together: give both or neither")
        tokens = bool(self.jwt_issuer and self.jwt_audience)
        if (self.authorizer == "jwt") != tokens or bool(self.jwt_issuer) != bool(self.jwt_audience):
            raise ValueError(
                "authorizer=jwt, jwt_issuer and jwt_audience go together: give all or none"
            )
        if self.catalog_key and not self.catalog_bucket:
            raise ValueError("catalog_key is the key of catalog_bucket: name that, or use key")
        if self.budget and not self.alarm_email:
            raise ValueError("budget tells alarm_email: give both, or leave budget at 0")
        if self.training_wait_hours < self.training_hours:
            raise ValueError("training_wait_hours must be at least training_hours")
        if 0 < self.search_reserved < self.search_provisioned:
            raise ValueError("search_reserved must be at least search_provisioned")
        if self.image and self.packaging != "image":
            raise ValueError(f"packaging={self.packaging} deploys no image: leave image empty")
        if self.search_disk > 512 and self.packaging == "snapstart":
            raise ValueError(
                f"search_disk={self.search_disk} is more than the 512 that SnapStart allows: leave "
                "it at 512, or set packaging=zip"
            )
        if self.search_provisioned and self.packaging == "snapstart":
            raise ValueError(
                "search_provisioned and packaging=snapstart exclude each other: "
                "set search_provisioned=0, or packaging=zip"
            )
        return self


def _split(sites: str) -> list[str]:
    return [site.strip() for site in sites.split(",") if site.strip()]


def config_from(context: Mapping[str, Any], environments: Path = FOLDER) -> Config:
    """The configuration in CDK's context, `-c name=value`, above that of the file which
    `-c environment=NAME` names; ConfigError names what is wrong and where.

    CDK's own keys have a colon. Every other key must be a setting, so that a misspelled one is an
    error and is not ignored.
    """
    given = {name: value for name, value in context.items() if ":" not in name}
    environment = str(given.pop("environment", ""))
    try:
        filed = read_environment(environment, environments) if environment else {}
    except EnvironmentFileError as error:
        raise ConfigError(str(error)) from error
    file = f"environments/{environment}.json"
    for where, names in ((f"{file}:", filed), ("context", given)):
        for name in names.keys() - Config.model_fields.keys():
            near = difflib.get_close_matches(name, Config.model_fields, 1)
            hint = f"did you mean {near[0]}?" if near else "docs/aws.md lists all settings"
            raise ConfigError(f"{where} {name!r} is not a setting: {hint}")
    try:
        return Config.model_validate({**filed, **given})
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            where = f"{file} and -c" if environment else "context"
            raise ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
        name = str(first["loc"][0])
        about = Config.model_fields[name].description
        in_file = name in filed and name not in given
        raise ConfigError(
            f"{f'{file}:' if in_file else 'context'} {name}={first['input']!r}: {first['msg']} "
            f"({about}); change it {'there' if in_file else 'with -c or in environments/'}"
        ) from error
