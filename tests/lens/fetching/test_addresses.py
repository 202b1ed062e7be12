"""Which addresses a photo may be fetched from."""

from __future__ import annotations

import pytest

from lens.errors import AddressRefusedError
from lens.fetching.addresses import is_public, resolve, target_of


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "233.252.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "nonsense",
    ],
)
def test_what_is_not_the_open_internet_is_not_public(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_the_open_internet_is_public(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "127.1", "localhost"]
)
def test_another_way_to_write_this_machine_is_not_public(host: str) -> None:
    assert not any(is_public(ip) for ip in resolve(host, 443))


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/a.jpg",
        "file:///etc/passwd",
        "ftp://shop.example/a.jpg",
        "//shop.example/a.jpg",
        "https:///a.jpg",
        "https://",
        "https://user@shop.example/a.jpg",
        "https://shop.example:secret@10.0.0.1/a.jpg",
        "https://shop.example:22/a.jpg",
        "https://shop.example:99999/a.jpg",
        "https://shop.example/a b.jpg",
        "https://shop.example/a\r\nHost: other.example",
        "https://shop.example\\@10.0.0.1/",
        "https://[::1/a.jpg",
        "https://..../a.jpg",
    ],
)
def test_an_address_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        target_of(url)


def test_a_trailing_dot_is_no_other_host() -> None:
    target = target_of("https://Shop.Example./bär.jpg?size=ü")

    assert (target.host, target.port, target.path) == (
        "shop.example",
        443,
        "/b%C3%A4r.jpg?size=%C3%BC",
    )
