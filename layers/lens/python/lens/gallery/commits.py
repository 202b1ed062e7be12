"""Commits: what a model's gallery is made of at one time, advanced by compare-and-swap."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Annotated

from lens.errors import ArtifactError, DamagedError, MissingError, NotFoundError
from lens.gallery import retention
from lens.gallery.condemned import may_be_named
from lens.gallery.product_tables import look_files
from lens.gallery.segments import segment_key
from lens.gallery.snapshots import SnapshotRef, snapshot_files
from lens.storage import Storage
from lens.storage.documents import (
    Document,
    Record,
    read_document,
    replace_document,
    swap_document,
    write_document,
)
from lens.storage.formats import Since, written_format

HEADS = "heads/"
COMMITS = "commits/"
_PRODUCTS_SINCE = 2
_FILE = re.compile(r"([0-9]{8,})-([0-9a-f]+)\.json")


class SegmentRef(Record):
    """A segment of a commit's tail."""

    id: str
    rows: int


class ProductsRef(Record):
    """The look at the shop's product file whose products a commit has."""

    id: str
    products: int


class CommitName(Record):
    """A commit's number and id: together, the name of its file."""

    number: int
    id: str


class Commit(Document):
    """A snapshot, the segments after it and the shop's products: one state of a gallery."""

    model_id: str
    number: int
    id: str
    parent: CommitName | None
    created_at: float  # seconds since the epoch
    snapshot: SnapshotRef | None = None
    segments: tuple[SegmentRef, ...] = ()
    products: Annotated[ProductsRef | None, Since(_PRODUCTS_SINCE, at_once=True)] = None

    @property
    def name(self) -> CommitName:
        """What identifies it."""
        return CommitName(number=self.number, id=self.id)

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing: no gallery yet, or the collector has emptied it."""
        return self.snapshot is None and not self.segments and self.products is None

    @property
    def tail_ids(self) -> frozenset[str]:
        """Ids of the tail's segments."""
        return frozenset(ref.id for ref in self.segments)

    @property
    def tail_rows(self) -> int:
        """Rows in the tail."""
        return sum(ref.rows for ref in self.segments)


def keeps_products(storage: Storage) -> bool:
    """Whether a head can name products yet: not while an earlier release may read it."""
    return written_format(storage, time.time(), at_once=True) >= _PRODUCTS_SINCE


def empty_commit(model_id: str) -> Commit:
    """The state before a model's first commit."""
    return Commit(model_id=model_id, number=0, id="", parent=None, created_at=0.0)


def head_key(model_id: str) -> str:
    """Where a model's newest commit lies in the artifacts."""
    return f"{HEADS}{model_id}.json"


def parse_head_key(key: str) -> str:
    """The model whose head has this key; ArtifactError for any other key."""
    model_id = key.removeprefix(HEADS).removesuffix(".json")
    if key != head_key(model_id) or "/" in model_id:
        raise ArtifactError(f"{key} is not a head's name")
    return model_id


def headed_models(storage: Storage) -> list[str]:
    """The models that have a head; what else lies among the heads is nobody's."""
    found = []
    for info in storage.list(HEADS):
        with suppress(ArtifactError):
            found.append(parse_head_key(info.key))
    return found


def commit_key(model_id: str, name: CommitName) -> str:
    """Where a commit's history entry lies in the artifacts."""
    return f"{COMMITS}{model_id}/{name.number:08d}-{name.id}.json"


def read_head(storage: Storage, model_id: str) -> Commit:
    """A model's newest commit; the empty one, of number 0, before the first. DamagedError when it
    is damaged, MissingError when it is lost."""
    key = head_key(model_id)
    try:
        head = read_document(storage, key, Commit)[0]
    except NotFoundError:
        if not _refuse_lost(storage, model_id):
            return empty_commit(model_id)
        return read_head(storage, model_id)  # it has come meanwhile
    if head.model_id != model_id:
        raise DamagedError(key, f"it is that of {head.model_id}")
    return head


def read_commit(storage: Storage, model_id: str, name: CommitName) -> Commit:
    """A commit of the history; MissingError once the collector has removed it, DamagedError when it
    is damaged."""
    key = commit_key(model_id, name)
    try:
        commit = read_document(storage, key, Commit)[0]
    except NotFoundError as error:
        raise MissingError(key) from error
    if (commit.model_id, commit.name) != (model_id, name):
        raise DamagedError(key, f"it is commit {commit.number} of {commit.model_id}")
    return commit


def listed_commits(storage: Storage, model_id: str) -> list[CommitName]:
    """The names of a model's commits that are there, the newest first; a commit that no head came
    to name may be among them."""
    folder = f"{COMMITS}{model_id}/"
    found = (_FILE.fullmatch(info.key.removeprefix(folder)) for info in storage.list(folder))
    names = [CommitName(number=int(match[1]), id=match[2]) for match in found if match]
    return sorted(names, key=lambda name: -name.number)


def advance_head(
    storage: Storage,
    model_id: str,
    change: Callable[[Commit], Commit | None],
    *,
    now: float,
    first: bool = False,
) -> Commit:
    """Advance a model's head: `change` gets the newest commit (an empty one at first) and returns
    it with another snapshot or other segments, or None when there is nothing to do. Nor is anything
    done when a part that the head does not name yet is gone, or a collector is about to remove it.

    `first` makes the new commit the beginning of its history. The history entry is written before
    the head names it. Returns the head as it then is. DamagedError when the head is damaged,
    MissingError when it is lost.
    """

    def next_commit(head: Commit | None) -> Commit | None:
        if head is None:
            _refuse_lost(storage, model_id)
        elif head.model_id != model_id:
            raise DamagedError(head_key(model_id), f"it is that of {head.model_id}")
        base = head or empty_commit(model_id)
        changed = change(base)
        if changed is None or not _parts_stay(storage, base, changed):
            return None
        return changed.model_copy(
            update={
                "number": base.number + 1,
                "id": uuid.uuid4().hex,
                "parent": head.name if head and not first else None,
                "created_at": now,
            }
        )

    head = swap_document(
        storage,
        head_key(model_id),
        Commit,
        next_commit,
        before_write=lambda new: write_document(storage, commit_key(model_id, new.name), new),
    )
    return head or empty_commit(model_id)


def _parts_stay(storage: Storage, base: Commit, changed: Commit) -> bool:
    """Whether all that a commit names and its base does not is there, and no collector is about to
    remove it."""
    keys = [
        segment_key(base.model_id, ref.id)
        for ref in changed.segments
        if ref.id not in base.tail_ids
    ]
    try:
        if changed.snapshot is not None and changed.snapshot != base.snapshot:
            keys += snapshot_files(storage, base.model_id, changed.snapshot.id)
        if changed.products is not None and changed.products != base.products:
            keys += look_files(storage, base.model_id, changed.products.id)
    except NotFoundError:
        return False
    return not keys or may_be_named(storage, keys)


def restore_head(storage: Storage, commit: Commit, etag: str | None) -> None:
    """Make a commit the head in the place of bytes with this ETag, readable or not (None: of
    nothing). ConflictError when another head is there by now."""
    write_document(storage, commit_key(commit.model_id, commit.name), commit)
    replace_document(storage, head_key(commit.model_id), commit, etag)


def kept_history(storage: Storage, model_id: str, *, now: float) -> Iterator[Commit]:
    """The commits that are kept, from the newest: so many, and none whose successor was made longer
    ago than a pin may reach. What was deleted is in no commit that is older."""
    replaced_at = now
    for commit in islice(history(storage, model_id), retention.COMMITS):
        if replaced_at < now - retention.PIN:
            return
        yield commit
        replaced_at = commit.created_at


def history(storage: Storage, model_id: str) -> Iterator[Commit]:
    """A model's commits from the newest back to where the collector has cut."""
    commit = read_head(storage, model_id)
    while commit.number:
        yield commit
        if commit.parent is None:
            return
        try:
            commit = read_commit(storage, model_id, commit.parent)
        except NotFoundError:
            return


def _refuse_lost(storage: Storage, model_id: str) -> bool:
    """MissingError when a model without a head had one; whether the head has come meanwhile. Its
    first commit does not tell: a process may have ended between writing it and the head that names
    it."""
    folder = f"{COMMITS}{model_id}/"
    first = f"{folder}{1:08d}-"
    begun = any(not info.key.startswith(first) for info in storage.list(folder))
    if begun and storage.head(head_key(model_id)) is None:
        raise MissingError(head_key(model_id))
    return begun
