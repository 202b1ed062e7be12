"""The figures, against counting by hand, and the bound on what they keep."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.local.searches import figures as module
from lambdas.local.searches.figures import NOT_KNOWN, Commonest, Count, Figures, count
from lambdas.search.search_lines import ClickLine, SearchLine
from lens.search.matching import WORDS, Word

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def search(
    number: int,
    match: Word | None = "same",
    category: str | None = None,
    items: tuple[str, ...] = ("a",),
    hours: float = 0,
) -> SearchLine:
    return SearchLine(
        time=NOON + timedelta(hours=hours),
        search_id=f"{number:016d}",
        kind="photo",
        category=category,
        group="item",
        match=match,
        match_probability=None,
        hits=len(items),
        items=items,
    )


def click(number: int, item_id: str = "a", hours: float = 0) -> ClickLine:
    time = NOON + timedelta(hours=hours)
    return ClickLine(time=time, search_id=f"{number:016d}", item_id=item_id, rank=1)


def test_a_search_is_found_by_its_word_or_where_there_is_none_by_its_hits() -> None:
    figures = count([search(1), search(2, "none"), search(3, None), search(4, None, items=())])
    assert figures.all == Count(searches=4, found=2, clicked=0)
    assert figures.words[NOT_KNOWN] == Count(2, 1, 0)
    assert figures.nothing_found() == [("photo", None, 2)]


def test_two_clicks_on_a_search_are_one_search_clicked() -> None:
    figures = count([search(1), click(1), search(2), click(1, "b"), click(3)])
    assert (figures.all, figures.clicks, figures.clicks_apart) == (Count(2, 2, 1), 2, 1)
    assert figures.most_clicked()[0][0] == "a"
    assert dict(figures.most_clicked()).keys() == {"a", "b"}


def test_a_click_counts_on_its_searchs_day_and_category() -> None:
    figures = count([search(1, category="WOMEN", hours=11.9), click(1, hours=12.1)])
    assert figures.days == {"2026-11-26": Count(1, 1, 1)}
    assert figures.categories() == [("WOMEN", Count(1, 1, 1))]


def test_what_was_shown_and_never_clicked_is_told() -> None:
    figures = count([search(1, items=("a", "b")), search(2, items=("b", "c")), click(2, "c")])
    assert [(item, one.shown) for item, one in figures.never_clicked()] == [("b", 2), ("a", 1)]
    assert [(item, one.clicks) for item, one in figures.most_clicked()] == [("c", 1)]


def test_random_logs_are_counted_as_by_hand() -> None:
    for seed in range(30):
        chance = random.Random(seed)
        lines: list[SearchLine | ClickLine] = []
        for number in range(200):
            words = [*WORDS, None]
            category = chance.choice(["WOMEN", "MEN", None])
            items = tuple(chance.sample("abcdefgh", chance.randrange(4)))
            lines.append(search(number, chance.choice(words), category, items, number / 7))
            while chance.random() < 0.4:
                lines.append(click(chance.randrange(number + 1), chance.choice("abcdefgh")))
        found = count(lines)
        searches = {each.search_id: each for each in lines if isinstance(each, SearchLine)}
        clicks = [each for each in lines if isinstance(each, ClickLine)]
        clicked = {each.search_id for each in clicks}
        assert found.all == Count(200, sum(s.found for s in searches.values()), len(clicked))
        assert found.clicks == len(clicks) and found.clicks_apart == 0
        by_day = Counter(each.time.date().isoformat() for each in searches.values())
        assert {day: one.searches for day, one in found.days.items()} == by_day
        by_word = Counter(each.match or NOT_KNOWN for each in searches.values())
        assert {word: one.searches for word, one in found.words.items()} == by_word
        for category, one in found.categories():
            mine = {name: each for name, each in searches.items() if each.category == category}
            assert one.searches == len(mine)
            assert one.clicked == len(clicked & mine.keys())
        shown = Counter(item for each in searches.values() for item in each.items)
        told = {**dict(found.most_clicked()), **dict(found.never_clicked())}
        assert {item: one.shown for item, one in told.items() if one.shown} == shown
        by_item = Counter(each.item_id for each in clicks)
        assert {item: one.clicks for item, one in found.most_clicked()} == by_item


def test_the_commonest_stay_when_there_are_too_many() -> None:
    counts: Commonest[int, Count] = Commonest(10, Count, lambda count: count.searches)
    for number in range(1_000):
        counts[number].searches += 1
        for common in range(10):
            counts[-common].searches += 1
        assert len(counts.heaviest()) <= 20
    assert counts.dropped
    assert {key for key, _ in counts.heaviest()[:10]} == {-common for common in range(10)}


def test_figures_keep_no_more_than_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AWAITING_CLICKS", 50)
    monkeypatch.setattr(module, "_MOST_PRODUCTS", 50)
    monkeypatch.setattr(module, "_MOST_CATEGORIES", 50)
    figures = Figures()
    for number in range(2_000):
        figures.add(search(number, category=f"made up {number}", items=(f"item {number}",)))
        figures.add(click(number, f"clicked {number}"))
    assert figures.all == Count(2_000, 2_000, 2_000) and figures.clicks == 2_000
    assert len(figures.products.heaviest()) <= 100 and figures.products.dropped
    assert len(figures.categories()) <= 100
    figures.add(click(1_960))
    figures.add(click(1_900))
    assert (figures.clicks, figures.clicks_apart) == (2_001, 1)
