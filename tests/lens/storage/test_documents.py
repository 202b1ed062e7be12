"""Documents: advanced by compare-and-swap, whatever happens to the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lens.errors import ArtifactError, ConflictError, DamagedError, NotFoundError
from lens.storage import FileStorage
from lens.storage.documents import (
    Document,
    Record,
    parse_document,
    read_document,
    replace_document,
    speaks_newest,
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


class Price(Record):
    """A value in a file."""

    amount: float


class Prices(Document):
    """What is for sale."""

    prices: tuple[Price, ...] = ()


def test_a_document_is_written_so_that_people_can_read_it(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    write_document(storage, "list.json", Names(names=("ü",)))
    text = '{\n "format": 1,\n "names": [\n  "ü"\n ]\n}\n'
    assert storage.read("list.json")[0].decode() == text
    found, etag = read_document(storage, "list.json", Names)
    assert found == parse_document("elsewhere", text.encode(), Names) == Names(names=("ü",))
    info = storage.head("list.json")
    assert info is not None
    assert etag == info.etag
    with pytest.raises(NotFoundError):
        read_document(storage, "other.json", Names)


def test_a_checksum_is_that_of_what_is_said_not_of_how(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    announce_format(storage, 0.0)
    write_document(storage, "list.json", Names(names=("ann",)))
    fields = json.loads(storage.read("list.json")[0])
    assert len(fields["sum"]) == 64
    storage.write("list.json", json.dumps(dict(reversed(fields.items()))).encode())
    assert read_document(storage, "list.json", Names)[0] == Names(names=("ann",))
    storage.write("list.json", json.dumps({**fields, "sum": ""}).encode())
    with pytest.raises(DamagedError, match="checksum"):
        read_document(storage, "list.json", Names)


def test_values_of_before_0_2_had_a_format_of_their_own(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.write("prices.json", b'{"format": 1, "prices": [{"format": 1, "amount": 2.0}]}')
    assert read_document(storage, "prices.json", Prices)[0] == Prices(prices=(Price(amount=2.0),))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"prices": [{"amount": NaN}]}', "prices.0.amount: "),
        (b'{"prices": [{"amount": Infinity}]}', "prices.0.amount: "),
        (b'{"prices": [{"amount": "x"}, {"amount": 1, "more": 2}]}', "prices.0.amount: "),
        (b'{"prices": [{"amount": 1, "more": 2}]}', "prices.0.more: "),
        (b"7", "the file: "),
        (b"[]", "the file: "),
    ],
)
def test_what_is_wrong_with_a_document_is_said(tmp_path: Path, text: bytes, reason: str) -> None:
    storage = FileStorage(tmp_path)
    storage.write("prices.json", text)
    with pytest.raises(DamagedError) as raised:
        read_document(storage, "prices.json", Prices)
    assert raised.value.what.startswith(reason)


def test_a_document_is_a_value_that_nobody_changes() -> None:
    with pytest.raises(ValidationError):
        Names().names = ("me",)  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Price(amount=float("nan"))


@pytest.mark.parametrize("there", [True, False])
def test_a_document_takes_the_place_of_the_bytes_that_were_seen(
    tmp_path: Path, there: bool
) -> None:
    storage = FileStorage(tmp_path)
    etag = storage.write("list.json", b"broken").etag if there else None
    for other in (None, "another") if there else ("another",):
        with pytest.raises(ConflictError):
            replace_document(storage, "list.json", Names(), other)
    replace_document(storage, "list.json", Names(names=("me",)), etag)
    assert read_document(storage, "list.json", Names)[0] == Names(names=("me",))


def test_what_the_new_document_names_is_written_before_it(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)

    def before(new: Names) -> None:
        assert new == Names(names=("me",))
        assert storage.head("list.json") is None
        storage.write("named", b"")

    done = swap_document(
        storage, "list.json", Names, lambda old: Names(names=("me",)), before_write=before
    )
    assert done == Names(names=("me",))
    assert storage.head("named")
    # Where there is nothing to do, nothing is written and what is there is told.
    same = swap_document(storage, "list.json", Names, lambda old: None, before_write=before)
    assert same == Names(names=("me",))


def test_who_loses_waits_a_little_longer_each_time_before_the_next_of_40_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path)
    pauses: list[Any] = []
    monkeypatch.setattr("lens.storage.documents.random.uniform", lambda low, high: (low, high))
    monkeypatch.setattr("lens.storage.documents.time.sleep", pauses.append)

    def lose(old: Names | None) -> Names:
        storage.write("list.json", b"{}")
        return Names(names=("me",))

    with pytest.raises(ConflictError, match="40 attempts"):
        swap_document(storage, "list.json", Names, lose)
    waited = [pause for pause in pauses if isinstance(pause, tuple)]  # the folder's are numbers
    assert waited == [(0, 0.002 * (attempt + 1)) for attempt in range(40)]


class Deaf(FileStorage):
    """Refuses each write, though nobody changes anything."""

    refused = 0

    def write(self, key: str, data: bytes, **options: Any) -> Any:
        self.refused += 1
        raise ConflictError("try again")


def test_a_touch_that_is_always_refused_gives_up(tmp_path: Path) -> None:
    FileStorage(tmp_path).write("list.json", b"{}")
    storage = Deaf(tmp_path)
    with pytest.raises(ConflictError, match="could not be touched in 40 attempts"):
        touch_document(storage, "list.json")
    assert storage.refused == 40


def test_a_touch_of_what_is_removed_meanwhile_has_done_its_work(tmp_path: Path) -> None:
    bare = FileStorage(tmp_path)
    sign(bare, "me")
    storage = InterruptingStorage(bare, lambda step: bare.delete("list.json"))
    with storage.interrupted([Interruption(1, "meanwhile", Step("", 0), "write list")]):
        touch_document(storage, "list.json")
    assert bare.head("list.json") is None


def test_whether_anything_is_of_the_newest_format(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    texts = {
        "old": b'{"format": 1}',
        "none": b"{}",
        "list": b"[2]",
        "broken": b"{",
        "new": b'{"format": 2}',
    }
    for key, text in texts.items():
        storage.write(key, text)
    assert speaks_newest(storage, ["absent", *texts]) is True
    assert speaks_newest(storage, ["absent", *[key for key in texts if key != "new"]]) is False


def test_what_is_begun_anew_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    storage = FileStorage(tmp_path)
    storage.write("list.json", b"{")
    swap_document(storage, "list.json", Names, lambda old: Names(), anew=True)
    assert "begun anew: list.json is damaged" in caplog.text
