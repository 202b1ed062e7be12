"""Addresses: where a photo may be fetched from, by its URL and by the IP that its host has."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from lens.errors import AddressRefusedError

# https://www.iana.org/assignments/iana-ipv4-special-registry: what `is_global` of some Pythons
# lets pass. The last two are anycast to relays, and benchmarks.
_SPECIAL = [ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15")]
_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that is routed between networks
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address
# A path without what is refused in one: the host then decides.
_USUAL = re.compile(r"(https://[^/?#\s\\\x00-\x1f\x7f]+)[/?#][^\x00-\x20\x7f\\]*")
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """What to ask, and whom."""

    host: str  # for TLS and DNS
    port: int
    path: str  # with the query, encoded


def target_of(url: str, ports: Collection[int] = (443,)) -> Target:
    """Where a URL leads; AddressRefusedError unless it is plain https to one of the ports."""
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefusedError("the address has a space or control character; encode it")
    try:
        parts = urlsplit(url)
        port = parts.port or 443
        host = (parts.hostname or "").encode("idna").decode().removesuffix(".")
    except ValueError as error:
        raise AddressRefusedError("this is no address; send one like https://…") from error
    if parts.scheme != "https":
        raise AddressRefusedError("only addresses that begin with https:// are fetched")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("the address names a user; send one without")
    if not _HOST.fullmatch(host):
        raise AddressRefusedError("the address has no host; send one like https://…")
    if port not in ports:
        raise AddressRefusedError("the address names a port; send one without")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?") if parts.query else ""
    return Target(host, port, path + query)


def refusal(url: str, ports: Collection[int] = (443,)) -> str | None:
    """Why an address cannot be fetched, as far as it says so itself; None for one that may."""
    usual = _USUAL.fullmatch(url)
    return _refusal(usual[1] if usual else url, tuple(ports))


@lru_cache(1_024)  # a product file has a million addresses on one host
def _refusal(url: str, ports: tuple[int, ...]) -> str | None:
    try:
        host = target_of(url, ports).host
    except AddressRefusedError as error:
        return str(error)
    try:
        ip_address(host)
    except ValueError:
        return None
    return None if is_public(host) else "the address is not on the public internet"


def resolve(host: str, port: int) -> list[str]:
    """The IPs of a host, as the system finds them; OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(ip: str) -> bool:
    """Whether an IP is on the open internet: not this machine, its network, or a cloud's own."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_v4(address)
    if address.ipv4_mapped:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return _is_public_v6(address)


def _is_public_v4(address: IPv4Address) -> bool:
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not special


def _is_public_v6(address: IPv6Address) -> bool:
    # Through a 6to4 or Teredo relay, any IPv4 address can be meant.
    tunneled = address.sixtofour is not None or address.teredo is not None
    return address.is_global and address in _UNICAST and not tunneled and not address.scope_id
