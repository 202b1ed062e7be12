"""The cache: bounded, least recently used out first, counted, safe between threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from lens.search.cache import Cache


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: Cache[int] = Cache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_figures_count_hits_misses_and_fill() -> None:
    cache: Cache[bytes] = Cache(10, size_of=len)
    cache.put("a", b"1234")
    cache.put("b", b"123")
    cache.get("a")
    cache.get("x")
    cache.get("y")
    assert cache.figures() == {"hits": 1, "misses": 2, "entries": 2, "size": 7, "capacity": 10}


def test_an_entry_larger_than_the_whole_cache_is_not_kept_nor_its_old_value() -> None:
    cache: Cache[bytes] = Cache(4, size_of=len)
    cache.put("a", b"1234")
    cache.put("a", b"12345")
    assert cache.get("a") is None
    assert cache.figures()["size"] == 0


@given(st.lists(st.tuples(st.integers(0, 8), st.binary(max_size=12))))
def test_the_bound_holds_whatever_is_put_in(puts: list[tuple[int, bytes]]) -> None:
    cache: Cache[bytes] = Cache(20, size_of=len)
    for key, value in puts:
        cache.put(key, value)
        assert cache.get(key) == value
        figures = cache.figures()
        assert figures["size"] <= 20


def test_threads_do_not_break_it() -> None:
    cache: Cache[int] = Cache(8)

    def use(seed: int) -> None:
        for i in range(2000):
            cache.put((seed * i) % 16, i)
            cache.get(i % 16)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))
    figures = cache.figures()
    assert figures["hits"] + figures["misses"] == 8 * 2000
    assert figures["entries"] == figures["size"] == 8
