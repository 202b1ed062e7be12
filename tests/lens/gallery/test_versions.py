"""Versions: the order of looks at a key."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lens.gallery.triggers import Trigger
from lens.gallery.versions import UNSEEN, Look, Version

SEQUENCERS = st.text("0123456789ABCDEFabcdef", min_size=1, max_size=20)


@given(SEQUENCERS, SEQUENCERS)
def test_events_are_ordered_as_s3_says(one: str, other: str) -> None:
    """As strings right-padded with zeros to one length, without regard to case."""
    width = max(len(one), len(other))
    padded = one.upper().ljust(width, "0"), other.upper().ljust(width, "0")
    first, second = Version.of_event(one), Version.of_event(other)
    assert (first < second, first == second) == (padded[0] < padded[1], padded[0] == padded[1])


@given(SEQUENCERS, st.integers(1, 50))
def test_a_reconciliation_is_above_what_it_saw_and_below_every_later_event(
    sequencer: str, times: int
) -> None:
    version = seen = Version.of_event(sequencer)
    for _ in range(times):
        version = version.bumped()
    assert seen < version < Version.of_event(sequencer + "1")


@given(SEQUENCERS.filter(lambda text: text.strip("0")))
def test_an_unseen_key_is_below_every_event(sequencer: str) -> None:
    assert UNSEEN < UNSEEN.bumped() < Version.of_event(sequencer)


def test_an_event_counts_no_reconciliation_and_each_counts_one() -> None:
    version = Version.of_event("0a00")
    assert version == Version("0A") == ("0A", 0)
    assert version.bumped().bumped() == ("0A", 2)
    assert UNSEEN == ("", 0)


def test_why_and_by_whom_a_look_is_asked_for_makes_it_no_other_look() -> None:
    look = Look("a", Version("0A"), "model", "it is archived")
    assert look == replace(look, cause="listing", trigger=Trigger("upload", 1.0))
    assert look != replace(look, waits="")
