"""The address file: fetched at times, and kept while its address cannot be reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lens.errors import FetchError
from lens.fetching.address_file import AddressFile
from lens.fetching.fetch import Fetcher
from tests.support.clock import Clock

ADDRESS = "https://shop.example/products.csv"


@dataclass(frozen=True)
class Shop(Fetcher):
    """An address whose answers are set; an answer of None is a failure."""

    max_bytes: int = 100
    answers: list[bytes | None] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        assert url == ADDRESS
        answer = self.answers.pop(0)
        if answer is None:
            raise FetchError("no answer")
        return answer


def test_it_is_fetched_again_when_it_is_old_enough() -> None:
    clock = Clock()
    file = AddressFile(Shop(answers=[b"a", b"a", b"b"]), ADDRESS, 15, clock)
    first = file.head("products.csv")
    assert (first.key, first.size) == ("products.csv", 1)
    clock.now = 14 * 60
    assert file.read("products.csv") == (b"a", first)
    clock.now = 15 * 60
    assert file.head("products.csv").etag == first.etag
    clock.now = 30 * 60
    data, later = file.read("products.csv")
    assert data == b"b"
    assert later.etag != first.etag


def test_what_was_fetched_is_kept_while_the_address_does_not_answer() -> None:
    clock = Clock()
    shop = Shop(answers=[b"a", None, b"b"])
    file = AddressFile(shop, ADDRESS, 15, clock)
    file.head("products.csv")
    clock.now = 16 * 60
    assert file.read("products.csv")[0] == b"a"
    clock.now = 17 * 60  # not asked again before it is time
    assert file.read("products.csv")[0] == b"a"
    clock.now = 32 * 60
    assert file.read("products.csv")[0] == b"b"


def test_until_it_could_be_fetched_once_the_failure_is_told_and_it_is_tried_again() -> None:
    file = AddressFile(Shop(answers=[None, b"a"]), ADDRESS, 15)
    with pytest.raises(FetchError):
        file.head("products.csv")
    assert file.read("products.csv")[0] == b"a"
