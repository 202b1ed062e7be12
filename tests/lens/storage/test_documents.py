"""Documents: advanced by compare-and-swap, whatever happens to the answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import ArtifactError, ConflictError, DamagedError
from lens.storage import FileStorage
from lens.storage.documents import (
    Document,
    read_document,
    swap_document,
    touch_document,
    write_document,
)
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import How, InterruptingStorage, Interruption, Step


class Names(Document):
    """Who has signed."""

    names: tuple[str, ...] = ()


def sign(storage: FileStorage | InterruptingStorage, name: str) -> Names | None:
    def change(old: Names | None) -> Names | None:
        names = old.names if old else ()
        return None if name in names else Names(names=(*names, name))

    return swap_document(storage, "list.json", Names, change)


def interrupted(folder: Path, at: int, how: How) -> tuple[InterruptingStorage, list[Interruption]]:
    bare = FileStorage(folder)
    storage = InterruptingStorage(bare, lambda step: sign(bare, step.name))
    return storage, [Interruption(at, how, Step("other", 0))]


@pytest.mark.parametrize("at", [1, 2])
def test_nobodys_change_is_lost_when_two_change_at_once(tmp_path: Path, at: int) -> None:
    storage, plan = interrupted(tmp_path, at, "meanwhile")
    with storage.interrupted(plan):
        assert sign(storage, "me") == Names(names=("other", "me"))


def test_a_swap_whose_answer_was_lost_is_not_done_again(tmp_path: Path) -> None:
    storage, plan = interrupted(tmp_path, 2, "lost answer")
    with storage.interrupted(plan):
        assert sign(storage, "me") == Names(names=("me",))


def test_a_swap_that_always_loses_gives_up(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    number = 0

    def change(old: Names | None) -> Names:
        nonlocal number
        number += 1
        storage.write("list.json", Names(names=(str(number),)).model_dump_json().encode())
        return Names(names=("me",))

    with pytest.raises(ConflictError, match="kept changing"):
        swap_document(storage, "list.json", Names, change)


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"names": 3}', b'{"nicknames": []}', b'{"format": 3, "names": []}']
)
def test_what_does_not_fit_is_an_artifact_error_that_names_the_file(
    tmp_path: Path, text: bytes
) -> None:
    storage = FileStorage(tmp_path)
    storage.write("list.json", text)
    with pytest.raises(ArtifactError, match=r"list\.json"):
        read_document(storage, "list.json", Names)


def test_a_document_that_says_something_else_than_was_written_is_damaged(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    announce_format(storage, 0.0)
    write_document(storage, "list.json", Names(names=("ann", "bob")))
    whole = storage.read("list.json")[0]
    assert read_document(storage, "list.json", Names)[0].names == ("ann", "bob")
    storage.write("list.json", whole.replace(b"ann", b"amn"))
    with pytest.raises(DamagedError, match="checksum") as raised:
        read_document(storage, "list.json", Names)
    assert raised.value.key == "list.json"
    storage.write("list.json", whole.replace(b"\n", b"\r\n"))  # as an editor may save it
    assert read_document(storage, "list.json", Names)[0].names == ("ann", "bob")


def test_a_damaged_document_is_replaced_only_where_it_may_begin_anew(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.write("list.json", b"{")
    with pytest.raises(DamagedError):
        sign(storage, "me")
    new = swap_document(storage, "list.json", Names, lambda old: old or Names(), anew=True)
    assert new == read_document(storage, "list.json", Names)[0] == Names()


def test_a_written_document_is_never_written_over(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    write_document(storage, "list.json", Names(names=("theirs",)))
    with pytest.raises(ConflictError):
        write_document(storage, "list.json", Names(names=("mine",)))
    assert read_document(storage, "list.json", Names)[0].names == ("theirs",)


def test_touching_changes_the_bytes_each_time_and_not_what_they_say(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    sign(storage, "me")
    seen = {storage.read("list.json")[0]}
    for _ in range(3):
        before = read_document(storage, "list.json", Names)
        touch_document(storage, "list.json")
        after = read_document(storage, "list.json", Names)
        assert after[0] == before[0]
        assert after[1] != before[1]
        seen.add(storage.read("list.json")[0])
    assert len(seen) == 4
    sign(storage, "you")
    assert storage.read("list.json")[0].endswith(b"}\n")


def test_touching_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    touch_document(storage, "list.json")
    assert list(storage.list()) == []


@pytest.mark.parametrize("at", [1, 2])
def test_a_swap_that_began_before_a_touch_begins_anew(tmp_path: Path, at: int) -> None:
    bare = FileStorage(tmp_path)
    sign(bare, "first")
    storage = InterruptingStorage(bare, lambda step: touch_document(bare, "list.json"))
    asked: list[Names | None] = []

    def change(old: Names | None) -> Names | None:
        asked.append(old)
        return Names(names=("first", "me"))

    with storage.interrupted([Interruption(at, "meanwhile", Step("", 0), of="write list")]):
        swap_document(storage, "list.json", Names, change)
    assert len(asked) == (2 if at == 1 else 1)


def test_a_touch_that_another_write_overtakes_has_done_its_work(tmp_path: Path) -> None:
    storage, plan = interrupted(tmp_path, 2, "meanwhile")
    sign(storage.storage, "first")  # type: ignore[arg-type]
    with storage.interrupted(plan):
        touch_document(storage, "list.json")
    assert storage.storage.read("list.json")[0].endswith(b"}\n")


def test_a_touch_whose_answer_was_lost_is_done_once(tmp_path: Path) -> None:
    storage, plan = interrupted(tmp_path, 2, "lost answer")
    sign(storage.storage, "first")  # type: ignore[arg-type]
    with storage.interrupted(plan):
        touch_document(storage, "list.json")
    assert storage.storage.read("list.json")[0].endswith(b"}\n\n")
