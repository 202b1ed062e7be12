"""Documents: advanced by compare-and-swap, whatever happens to the answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lens.errors import ArtifactError, ConflictError, DamagedError
from lens.storage import FileStorage
from lens.storage.documents import Document, read_document, swap_document, write_document
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
