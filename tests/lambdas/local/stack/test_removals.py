"""Removals: counted over a day, in a small document."""

from __future__ import annotations

from pathlib import Path

from lambdas.local.stack.removals import KEY, forget_removals, note_removal, removed_since
from lens.storage import FileStorage


def test_removals_are_counted_since_a_time_and_forgotten_on_demand(tmp_path: Path) -> None:
    kept = FileStorage(tmp_path)
    assert removed_since(kept, 0.0) == 0
    note_removal(kept, 3, 1_000.0)
    note_removal(kept, 4, 2_000.0)
    assert [removed_since(kept, since) for since in (0.0, 1_500.0, 3_000.0)] == [7, 4, 0]
    forget_removals(kept)
    assert removed_since(kept, 0.0) == 0


def test_the_document_stays_small_and_no_removal_is_lost(tmp_path: Path) -> None:
    kept = FileStorage(tmp_path)
    for number in range(200):
        note_removal(kept, 1, 1_000.0 + number)
    assert removed_since(kept, 1_000.0) == 200
    assert len(kept.read(KEY)[0]) < 4_000
    note_removal(kept, 1, 200_000.0)
    assert removed_since(kept, 0.0) == 1, "a day later"
