"""Senders: the split is one, and it never changes."""

from __future__ import annotations

from collections import Counter

import pytest

from lens.evaluation.senders import Fold, fold_of


@pytest.mark.parametrize(
    ("sender", "fold"),
    # Worked out apart: `printf 48 | sha256sum`, its number's last digit.
    [("48", "measuring"), ("181", "training"), ("262", "training"), ("322", "training")],
)
def test_a_sender_stays_where_it_was(sender: str, fold: Fold) -> None:
    assert fold_of(sender) == fold


def test_one_sender_in_ten_is_measured_and_two_are_probes() -> None:
    counts = Counter(fold_of(str(number)) for number in range(10_000))
    assert counts["measuring"] == pytest.approx(1000, rel=0.1)
    assert counts["probes"] == pytest.approx(2000, rel=0.1)
