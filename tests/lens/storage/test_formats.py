"""Formats: what a release writes beside an earlier one, and what it refuses to read.

Covers: documents.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pytest

from lens.errors import ArtifactError
from lens.gallery.segments import read_segment
from lens.storage import FileStorage, formats
from lens.storage.documents import Document, Record, read_document, write_document
from lens.storage.formats import (
    KEY,
    SETTLED,
    Since,
    announce_format,
    restore_announcement,
    written_format,
)
from tests.support.small_galleries import MODEL, NOW, photo, segment, write


class Part(Record):
    """A value that got a field in format 2."""

    id: str
    price: Annotated[int | None, Since(2)] = None


class Whole(Document):
    """A file that got a field in format 2."""

    parts: tuple[Part, ...] = ()
    currency: Annotated[str, Since(2)] = ""


class EarlierPart(Record):
    """The value as the release before knows it."""

    id: str


class EarlierWhole(Document):
    """The file as the release before knows it."""

    parts: tuple[EarlierPart, ...] = ()


WHOLE = Whole(parts=(Part(id="a", price=5),), currency="EUR")


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """Artifacts that an earlier release has written to."""
    artifacts = FileStorage(tmp_path)
    artifacts.write("current.json", b"{}")
    return artifacts


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """This release introduces format 2."""
    monkeypatch.setattr(formats, "NEWEST", 2)


def test_without_an_earlier_format_nothing_is_announced(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "NEWEST", 1)
    announce_format(storage, NOW)
    assert written_format(storage, NOW) == 1
    assert storage.head(KEY) is None


@pytest.mark.usefixtures("next_release")
def test_a_new_format_is_written_once_its_announcement_has_settled(storage: FileStorage) -> None:
    assert written_format(storage, NOW) == 1
    announce_format(storage, NOW)
    announce_format(storage, NOW + 100)  # again, by the next run: the first one counts
    assert written_format(storage, NOW + SETTLED - 1) == 1
    assert written_format(storage, NOW + SETTLED) == 2


def test_the_release_after_writes_the_format_that_all_before_it_know(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "NEWEST", 2)
    announce_format(storage, NOW)
    monkeypatch.setattr(formats, "NEWEST", 3)
    assert written_format(storage, NOW + 10 * SETTLED) == 2
    announce_format(storage, NOW + 10 * SETTLED)
    assert written_format(storage, NOW + 10 * SETTLED) == 2
    assert written_format(storage, NOW + 11 * SETTLED) == 3


@pytest.mark.usefixtures("next_release")
def test_until_then_the_release_before_reads_what_is_written(storage: FileStorage) -> None:
    write_document(storage, "whole.json", WHOLE)
    assert json.loads(storage.read("whole.json")[0]) == {"format": 1, "parts": [{"id": "a"}]}
    read = read_document(storage, "whole.json", EarlierWhole)[0]
    assert read == EarlierWhole(parts=(EarlierPart(id="a"),))


@pytest.mark.usefixtures("next_release")
def test_then_every_field_is_written_and_files_of_both_formats_are_read(
    storage: FileStorage,
) -> None:
    write_document(storage, "earlier.json", WHOLE)
    announce_format(storage, 0.0)
    write_document(storage, "whole.json", WHOLE)
    assert read_document(storage, "whole.json", Whole)[0] == WHOLE
    assert read_document(storage, "earlier.json", Whole)[0] == Whole(parts=(Part(id="a"),))


def test_a_segment_has_the_format_that_the_artifacts_are_at(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "NEWEST", 2)
    first = write(storage, photo("a", "1"))
    announce_format(storage, 0.0)
    second = write(storage, photo("b", "1"))
    for name, key in ((first, "a"), (second, "b")):
        assert read_segment(storage, MODEL, name).rows[0] == segment(photo(key, "1")).rows[0]
    monkeypatch.setattr(formats, "NEWEST", 1)
    read_segment(storage, MODEL, first)
    with pytest.raises(ArtifactError, match=r"has format 2, this release reads 1; install"):
        read_segment(storage, MODEL, second)


@pytest.mark.parametrize(
    ("newest", "found", "todo"),
    [(1, 2, "install the newer release"), (3, 1, "index again"), (1, 0, "index again")],
)
def test_a_file_of_another_format_is_refused_with_what_to_do(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, newest: int, found: int, todo: str
) -> None:
    monkeypatch.setattr(formats, "NEWEST", newest)
    # Its unknown field is not what the message is about.
    storage.write("whole.json", json.dumps({"format": found, "later": 1}).encode())
    with pytest.raises(ArtifactError, match=f"whole.json has format {found}.*{todo}"):
        read_document(storage, "whole.json", Whole)


def test_values_that_an_earlier_release_wrote_with_a_format_of_their_own_are_read(
    storage: FileStorage,
) -> None:
    storage.write("whole.json", b'{"format": 1, "parts": [{"format": 1, "id": "a"}]}')
    assert read_document(storage, "whole.json", Whole)[0] == Whole(parts=(Part(id="a"),))


@pytest.mark.usefixtures("next_release")
@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"newest": "x", "at": 1}'])
def test_a_damaged_announcement_stops_no_writer_and_is_replaced(
    storage: FileStorage, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    storage.write(KEY, damage)
    assert written_format(storage, NOW) == 1
    assert f"{KEY} is damaged" in caplog.text
    announce_format(storage, NOW)
    assert written_format(storage, NOW + SETTLED) == 2


class Sold(Document):
    """A file whose new field does not wait."""

    price: Annotated[int | None, Since(2, at_once=True)] = None
    currency: Annotated[str, Since(2)] = ""


def _written(storage: FileStorage, key: str, document: Document) -> dict[str, object]:
    write_document(storage, key, document)
    written: dict[str, object] = json.loads(storage.read(key)[0])
    assert ("sum" in written) == (written["format"] == 2)
    written.pop("sum", None)
    return written


@pytest.mark.usefixtures("next_release")
def test_in_artifacts_that_are_new_a_field_may_be_written_at_once(tmp_path: Path) -> None:
    new = FileStorage(tmp_path)
    announce_format(new, 4e9)
    assert _written(new, "a.json", Sold(price=5)) == {"format": 2, "price": 5, "currency": ""}
    assert _written(new, "b.json", Sold(currency="EUR")) == {"format": 1}
    assert _written(new, "c.json", WHOLE)["format"] == 1


@pytest.mark.usefixtures("next_release")
def test_an_announcement_that_was_lost_counts_as_one_of_long_ago(storage: FileStorage) -> None:
    restore_announcement(storage, 4e9)
    assert written_format(storage, 4e9) == 2
    assert written_format(storage, 4e9 - 1) == 1


@pytest.mark.usefixtures("next_release")
def test_where_an_earlier_release_has_been_no_field_is_written_at_once(
    storage: FileStorage,
) -> None:
    announce_format(storage, 4e9)
    assert _written(storage, "a.json", Sold(price=5)) == {"format": 1}
