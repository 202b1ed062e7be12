"""`current.json`: which models' galleries follow the catalog, and which are retained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lens.errors import DamagedError
from lens.gallery import retention
from lens.gallery.current import Current, Pin, followed_models, read_current, swap_current
from lens.models.manifest import list_models
from lens.pipeline.bootstrap import set_up
from lens.pipeline.collect import collect
from lens.pipeline.promote import nominate, switch
from lens.pipeline.rollback import release, rollback
from lens.storage import FileStorage
from tests.histories.interrupting_storage import InterruptingStorage, Interruption, Step
from tests.support.small_galleries import DAY, MODEL, NOW, add, make_live, photo
from tests.support.tiny_model import write_tiny_model


def test_before_the_first_model_nothing_is_followed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    assert read_current(storage) is None
    assert followed_models(storage) == ()


def test_the_live_model_and_the_candidate_are_followed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    swap_current(storage, lambda _: Current(live="a"))
    assert followed_models(storage) == ("a",)
    swap_current(storage, lambda c: c and c.model_copy(update={"candidate": "b"}))
    assert followed_models(storage) == ("a", "b")


def test_the_live_model_and_the_newest_earlier_ones_are_retained() -> None:
    earlier = tuple(f"m{number}" for number in range(retention.MODELS + 2))
    current = Current(live="live", candidate="new", previous=earlier)
    assert current.retained == ("live", *earlier[: retention.MODELS])


@pytest.mark.parametrize("data", [None, b"", b"{", b'{"live": 1}'])
def test_lost_or_damaged_nothing_acts_as_before_the_first_model(
    tmp_path: Path, data: bytes | None
) -> None:
    storage, source = FileStorage(tmp_path / "artifacts"), FileStorage(tmp_path / "shipped")
    default = write_tiny_model(source, 7, number=3).model_id
    mine = write_tiny_model(storage).model_id
    make_live(storage, mine)
    add(storage, photo("a", "1"), model_id=mine)
    if data is None:
        storage.delete("current.json")
    else:
        storage.write("current.json", data)
    before = {info.key: info.etag for info in storage.list()}
    acts = (
        lambda: read_current(storage),
        lambda: followed_models(storage),
        lambda: swap_current(storage, lambda _: Current(live=default)),
        lambda: set_up(storage, source, now=NOW),
        lambda: nominate(storage, mine),
        lambda: switch(storage, mine),
        lambda: rollback(storage, now=NOW),
        lambda: release(storage),
        lambda: collect(storage, storage, lambda looks: None, now=NOW + 9 * DAY),
    )
    for act in acts:
        with pytest.raises(DamagedError, match="`lens repair`") as raised:
            act()
        assert raised.value.key == "current.json"
    assert {info.key: info.etag for info in storage.list()} == before
    assert list_models(storage) == [mine]


def test_a_model_that_was_named_but_has_no_gallery_yet_is_no_damage(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    write_tiny_model(storage)
    assert read_current(storage) is None


def test_a_model_that_is_set_up_while_somebody_reads_is_what_is_current(tmp_path: Path) -> None:
    folder = FileStorage(tmp_path)

    def set_up_elsewhere(step: Step) -> None:
        make_live(folder)
        add(folder, photo("a", "1"))

    storage = InterruptingStorage(folder, set_up_elsewhere)
    with storage.interrupted([Interruption(1, "meanwhile", Step("", 0), of="list heads/")]):
        assert read_current(storage) == Current(live=MODEL)


def test_an_earlier_release_s_pin_undoes_no_deletions(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    pin = {"model_id": "a", "commit": 1, "commit_id": "x", "since": NOW}
    storage.write("current.json", json.dumps({"format": 1, "live": "a", "pin": pin}).encode())
    current = read_current(storage)
    assert current is not None
    assert current.pin == Pin(**pin)
    assert not current.undoes_deletions
