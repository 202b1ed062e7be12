"""Held: read with the gallery; what cannot be read costs no search."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import StorageError
from lens.gallery.holds import Hold, allow_deletions, change_holds
from lens.search.held import Held
from lens.storage import FileStorage


def test_the_photos_of_holds_are_counted_until_they_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path)
    held = Held(storage)
    held.refresh()
    assert held.photos == 0
    hold = Hold.on(["a.jpg", "b.jpg"], model_id="m", since=1.0, photos=2, of=2)
    change_holds(storage, lambda old: (hold,))
    held.refresh()
    assert held.photos == 2

    def broken(key: str) -> None:
        raise StorageError("no")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "head", broken)
        held.refresh()
    assert held.photos == 2
    allow_deletions(storage, hold.id)
    held.refresh()
    assert held.photos == 0
