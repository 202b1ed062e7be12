"""Newest: pins are raised in place, and what is raised by hand stays."""

from __future__ import annotations

from layers.newest import CONSTRAINTS, HELD, changes, pins_in, raised

BEFORE = "boto3==1.0\nmypy-boto3_s3==1.0\nold==3\ntorch==2.13.0\n"
NEWEST = {"boto3": "1.1", "mypy-boto3-s3": "1.2", "Fresh": "0.1", "torch": "9.9"}


def test_pins_are_raised_whatever_their_names_are_written_as() -> None:
    after = raised(BEFORE, NEWEST)
    assert after == "boto3==1.1\nFresh==0.1\nmypy-boto3_s3==1.2\nold==3\ntorch==2.13.0\n"
    assert changes(pins_in(BEFORE), pins_in(after)) == [
        "boto3: 1.0 -> 1.1",
        "Fresh: new -> 0.1",
        "mypy-boto3_s3: 1.0 -> 1.2",
    ]


def test_what_is_newest_already_changes_nothing() -> None:
    text = CONSTRAINTS.read_text()
    assert raised(text, pins_in(text)) == text


def test_what_is_held_is_pinned() -> None:
    assert HELD.keys() <= pins_in(CONSTRAINTS.read_text()).keys()
