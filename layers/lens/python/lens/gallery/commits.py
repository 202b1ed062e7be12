"""Commits: what a model's gallery is made of at one time, advanced by compare-and-swap."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated

from lens.errors import ArtifactError, NotFoundError
from lens.gallery import retention
from lens.storage import Storage
from lens.storage.documents import Document, Record, read_document, swap_document, write_document
from lens.storage.formats import Since, written_format

HEADS = "heads/"
COMMITS = "commits/"
_PRODUCTS_SINCE = 2


class SegmentRef(Record):
    """A segment of a commit's tail."""

    id: str
    rows: int


class SnapshotRef(Record):
    """A commit's snapshot; `parent` is the snapshot it was folded from."""

    id: str
    rows: int
    parent: str | None


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


def commit_key(model_id: str, name: CommitName) -> str:
    """Where a commit's history entry lies in the artifacts."""
    return f"{COMMITS}{model_id}/{name.number:08d}-{name.id}.json"


def read_head(storage: Storage, model_id: str) -> Commit:
    """A model's newest commit; the empty one, of number 0, before the first."""
    try:
        return read_document(storage, head_key(model_id), Commit)[0]
    except NotFoundError:
        return empty_commit(model_id)


def read_commit(storage: Storage, model_id: str, name: CommitName) -> Commit:
    """A commit of the history; NotFoundError once the collector has removed it."""
    return read_document(storage, commit_key(model_id, name), Commit)[0]


def advance_head(
    storage: Storage,
    model_id: str,
    change: Callable[[Commit], Commit | None],
    *,
    now: float,
    first: bool = False,
) -> Commit:
    """Advance a model's head: `change` gets the newest commit (an empty one at first) and returns
    it with another snapshot or other segments, or None when there is nothing to do.

    `first` makes the new commit the beginning of its history. The history entry is written before
    the head names it. Returns the head as it then is.
    """

    def next_commit(head: Commit | None) -> Commit | None:
        base = head or empty_commit(model_id)
        changed = change(base)
        if changed is None:
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
