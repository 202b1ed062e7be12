"""Settings: every LENS_ variable, its meaning and its default; and the largest photo accepted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lens.errors import UsageError

_ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?")
_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")
# As a policy (CSP) has them; nothing that could end the directive.
_ANCESTOR = re.compile(r"\*|https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d+)?")
_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_PREFIX = "LENS_"
_ALIKE = 0.65  # of 1; `CURRENCY` and `SHOP_CURRENCY` are 0.76
_CURRENCY = re.compile("[A-Z]{3}")
# What a Bearer token may have (RFC 6750), in a length that cannot be guessed.
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")
_MOST_KEYS = 2

# With the slowest model (ViT-B in fp32: 0.3 s) a full line waits two to three seconds.
_QUEUED_PER_THREAD = 8


def _parts(given: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in given.split(","))))


def _origins(given: object) -> object:
    if not isinstance(given, str):
        return given
    origins = _parts(given)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin like https://shop.example, or *")
    return origins


def _ancestors(given: object) -> object:
    if not isinstance(given, str):
        return given
    ancestors = _parts(given)
    for ancestor in ancestors:
        if not _ANCESTOR.fullmatch(ancestor):
            raise ValueError(
                f"{ancestor!r} is not a site like https://shop.example or https://*.brand.example, "
                "or *"
            )
    return ancestors


def _hosts(given: object) -> object:
    if not isinstance(given, str):
        return given
    hosts = tuple(map(str.lower, _parts(given)))
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is not a name like shop.example or *.shop.example, or *")
    return hosts


def _address(given: object) -> object:
    if given and not (isinstance(given, str) and _ADDRESS.fullmatch(given)):
        raise ValueError("it should be an address like https://lens.shop.example, without a path")
    return given


def _currency(given: object) -> object:
    if given and not (isinstance(given, str) and _CURRENCY.fullmatch(given)):
        raise ValueError("it should be three capital letters, as ISO 4217 has them: EUR")
    return given


def _keys(given: object) -> object:
    if not isinstance(given, str):
        return given
    keys = _parts(given)
    if len(keys) > _MOST_KEYS:
        raise ValueError(f"{len(keys)} keys: at most two, the one in use and the next")
    for number, key in enumerate(keys, start=1):
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"key {number} has fewer than 16 signs, or others than A-Z a-z 0-9 . _ ~ + / = -: "
                "make one with `openssl rand -hex 24`"
            )
    return keys


def _networks(given: object) -> object:
    if not isinstance(given, str):
        return given
    networks = _parts(given)
    for network in networks:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError(f"{network!r} is not an address or network, 10.0.0.0/8") from None
    return networks


Address = Annotated[str, BeforeValidator(_address)]
Currency = Annotated[str, BeforeValidator(_currency)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_origins)]
Ancestors = Annotated[tuple[str, ...], BeforeValidator(_ancestors)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(_hosts)]
Keys = Annotated[tuple[str, ...], BeforeValidator(_keys)]
Networks = Annotated[tuple[str, ...], BeforeValidator(_networks)]


@dataclass(frozen=True)
class Limits:
    """The largest photo accepted, and how it is decoded."""

    photo_bytes: int = 20 * 2**20
    photo_pixels: int = 64_000_000
    apart: bool = True  # large photos are decoded in processes of their own


_LIMITS = Limits()


class Settings(BaseModel):
    """A process's settings; each field is the environment variable LENS_{FIELD}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalog: str = Field("", description="the photos: a folder or s3://bucket/prefix")
    move_catalog: str = Field(
        "",
        description="the photos' new location, where artifacts that belong to another one are to "
        "go on with it",
    )
    feed: str = Field(
        "", description="the product file: a path, s3:// or https://; by default in the photos"
    )
    feed_minutes: float = Field(
        15.0, gt=0, description="how often a product file at an https address is fetched again"
    )
    feed_pictures: bool = Field(
        False,
        description="1: of products without photos, the pictures that the product file names by "
        "https address are fetched",
    )
    layout: str = Field(
        "",
        description="which photos are one product, {category}/{item}_*; folders: those of one "
        "folder; by default it is recognized",
    )
    artifacts: str = Field("", description="models and galleries: a folder or s3://bucket/prefix")
    thumbs: str = Field("", description="where thumbs/ lies; by default in the artifacts")
    pictures: str = Field(
        "", description="where pictures/, which were fetched, lies; by default in the artifacts"
    )
    stack: str = Field(
        "", description="a deployed stack, whose buckets and queues commands then use"
    )
    embed_queue: str = Field("", description="URL of the queue that asks for looks at photos")
    receives: int = Field(
        2, ge=1, description="tries at a photo that cannot be read, before it waits"
    )
    domain: str = Field(
        "", description="on AWS, the page's own domain, whose certificate reconcile looks at"
    )
    search_version: str = Field(
        "", description="the new version of search that a deployment is to try"
    )
    model_folder: str = Field("", description="the model that a deployment starts with")
    host: str = Field("127.0.0.1", description="the address that the local server listens on")
    port: int = Field(8000, ge=0, le=65_535, description="the local server's port; 0: any free")
    allowed_hosts: Hosts = Field(
        (),
        description="names that the local server answers for beside localhost, by comma: "
        "shop.example, *.shop.example; *: any",
    )
    api_keys: Keys = Field(
        (),
        repr=False,
        description="keys that open the local server, by comma: the one in use, and while it is "
        "changed the next",
    )
    keys_secret: str = Field("", description="on AWS, the secret that has the API's keys")
    origin_keys: Keys = Field(
        (),
        repr=False,
        description="on AWS, keys by which the API knows CloudFront, by comma: the one in use, and "
        "while it is changed the one before",
    )
    rate: int = Field(
        0, ge=0, description="requests a minute for each key, or address; 0: any number"
    )
    trusted_proxy: Networks = Field(
        (), description="proxies whose X-Forwarded-For is believed: addresses or networks, by comma"
    )
    access_log: str = Field(
        "", description="a line of JSON for each request: json (standard output) or a file"
    )
    search_log: str = Field(
        "", description="a line of JSON for each search and click: a file, or - (standard output)"
    )
    search_log_bytes: int = Field(
        256 * 2**20, ge=2**18, description="the most that the file of searches may take, in bytes"
    )
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="photos embedded at once"
    )
    queued_searches: int = Field(
        default_factory=lambda given: _QUEUED_PER_THREAD * given["threads"],
        ge=0,
        description="searches that wait for a thread; more are refused as busy",
    )
    precision: str = Field(
        "", description="of the model: fp32 or a faster one it has; by default as the CPU is"
    )
    max_photo_bytes: int = Field(
        _LIMITS.photo_bytes, ge=1, description="largest photo accepted, in bytes"
    )
    max_photo_pixels: int = Field(
        _LIMITS.photo_pixels, ge=1, description="largest photo, in pixels"
    )
    max_query_pixels: int = Field(
        50_000_000,
        ge=1,
        description="largest photo that is searched with, in pixels, where that is less",
    )
    decode_apart: bool = Field(
        _LIMITS.apart,
        description="0: large photos are decoded in this process, where others wait for them",
    )
    sold_out: Literal["last", "hide", "keep"] = Field(
        "last", description="what is sold out, where items are asked for: last, hide or keep"
    )
    cached_results: int = Field(512, ge=1, description="searches whose results are kept in memory")
    cached_thumb_bytes: int = Field(64 * 2**20, ge=1, description="memory for thumbnails, in bytes")
    fetch_urls: bool = Field(
        False, description="1: searches may name a photo's address, which this server fetches"
    )
    public_url: Address = Field(
        "",
        description="the address that other machines reach this server by, for the addresses in "
        "replies: https://lens.shop.example; by default what each request was sent to",
    )
    shop_url: Address = Field(
        "",
        description="the shop's own address, https://shop.example: links to products begin with it "
        "where the product file, as that of Shopify, WooCommerce and Magento, has none",
    )
    shop_currency: Currency = Field(
        "",
        description="what the shop's prices are in, EUR, where the product file, as that of "
        "Shopify and WooCommerce, names no currency",
    )
    image_url: str = Field("/catalog/", description="prefix of a photo's address")
    picture_url: str = Field("/catalog/", description="prefix of a fetched picture's address")
    thumb_url: str = Field("/api/thumb/", description="prefix of a thumbnail's address")
    cors_origins: Origins = Field(
        (),
        description="sites whose pages may call the API and contain the widget, by comma; *: all",
    )
    frame_ancestors: Ancestors = Field(
        (), description="sites whose pages may show the page in a frame, by comma; *: all"
    )

    @property
    def limits(self) -> Limits:
        """The largest photo accepted."""
        return Limits(self.max_photo_bytes, self.max_photo_pixels, self.decode_apart)

    @property
    def query_limits(self) -> Limits:
        """The largest photo that is searched with: whoever sends it can make it smaller."""
        return replace(self.limits, photo_pixels=min(self.max_photo_pixels, self.max_query_pixels))


def settings_from(environment: Mapping[str, str], required: Sequence[str] = ()) -> Settings:
    """Settings from LENS_ variables; UsageError names the first that is not understood, or that is
    required and not set."""
    given = {
        name: environment[variable(name)]
        for name in Settings.model_fields
        if environment.get(variable(name))
    }
    if missing := [name for name in required if name not in given]:
        raise UsageError(f"{variable(missing[0])} is not set: it should be {_meaning(missing[0])}")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = variable(str(first["loc"][0]))
        reason = first["msg"].removeprefix("Value error, ")
        if name in map(variable, ("api_keys", "origin_keys")):  # no log may have a secret
            raise UsageError(f"{name}: {reason}") from None
        raise UsageError(f"{name}={first['input']!r}: {reason}") from error


def misspelt(environment: Iterable[str]) -> dict[str, str]:
    """The variables that are no setting's, and the one that each may have been meant for."""
    meant = {}
    for given in environment:
        name = given.removeprefix(_PREFIX).lower()
        if given.startswith(_PREFIX) and name not in Settings.model_fields:
            for near in get_close_matches(name, Settings.model_fields, 1, _ALIKE):
                meant[given] = variable(near)
    return meant


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{_PREFIX}{name.upper()}"


def _meaning(name: str) -> str:
    return str(Settings.model_fields[name].description)
