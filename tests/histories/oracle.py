"""The oracle: what each commit must contain, by the segments written, in plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from lens import retention

PHOTO, REJECTION, TOMBSTONE = 0, 1, 2


class Fact(NamedTuple):
    """One row; the order of its fields is the order of versions within a key."""

    sequencer: str
    n: int
    looked_at: float
    kind: int
    etag: str
    photo_id: str


History = frozenset[tuple[str, Fact]]


@dataclass
class Oracle:
    """Listens to what is written and derives every commit's rows from its parent's."""

    segments: dict[str, tuple[History, bool]] = field(default_factory=dict)
    commits: dict[str, History] = field(default_factory=lambda: {"": frozenset()})
    standing_on: dict[str, str | None] = field(default_factory=lambda: {"": None})
    expiring: set[str] = field(default_factory=set)  # snapshots that dropped tombstones
    heads: dict[str, str] = field(default_factory=dict)  # each model's newest commit

    def written(self, key: str, data: bytes) -> None:
        """Note one object that was written to the artifacts."""
        if key.startswith("segments/"):
            with np.load(BytesIO(data)) as arrays:
                columns: dict[str, list[Any]] = {n: arrays[n].tolist() for n in arrays.files}
            history = frozenset(
                (
                    columns["key"][i].decode(),
                    Fact(
                        sequencer=columns["sequencer"][i].decode(),
                        n=columns["n"][i],
                        looked_at=columns["looked_at"][i],
                        kind=columns["kind"][i],
                        etag=columns["etag"][i].decode(),
                        photo_id=columns["photo_id"][i].decode(),
                    ),
                )
                for i in range(len(columns["key"]))
            )
            name = key.rpartition("/")[2].removesuffix(".npz")
            self.segments[name] = (history, bool(columns["folded"]))
        elif key.startswith("snapshots/") and key.endswith("/manifest.json"):
            manifest = json.loads(data)
            if manifest["expired_tombstones"]:
                self.expiring.add(manifest["id"])
        elif key.startswith("commits/"):
            commit = json.loads(data)
            parent = commit["parent"]["id"] if commit["parent"] else ""
            snapshot = commit["snapshot"]["id"] if commit["snapshot"] else None
            history = self.commits[parent]
            if snapshot is None and not commit["segments"]:
                history = frozenset()  # abandoned
            if snapshot != self.standing_on[parent] and snapshot in self.expiring:
                oldest = commit["created_at"] - retention.TOMBSTONE
                history = frozenset(
                    (key, fact)
                    for key, fact in history
                    if fact.kind != TOMBSTONE or fact.looked_at >= oldest
                )
            for ref in commit["segments"]:
                written, merged = self.segments[ref["id"]]
                if not merged:
                    history |= written
            self.commits[commit["id"]] = history
            self.standing_on[commit["id"]] = snapshot
        elif key.startswith("heads/"):
            commit = json.loads(data)
            parent = commit["parent"]["id"] if commit["parent"] else ""
            assert parent == self.heads.get(key, ""), "a commit was overwritten"
            self.heads[key] = commit["id"]

    def visible(self, commit_id: str) -> dict[str, Fact]:
        """The photos that a commit shows, by key."""
        found = newest(self.commits[commit_id])
        return {key: fact for key, fact in found.items() if fact.kind == PHOTO}


def newest(facts: Iterable[tuple[str, Fact]]) -> dict[str, Fact]:
    """The winning fact of each key."""
    found: dict[str, Fact] = {}
    for key, fact in facts:
        if key not in found or _order(fact) > _order(found[key]):
            found[key] = fact
    return found


def _order(fact: Fact) -> Fact:
    return fact._replace(sequencer=fact.sequencer.ljust(40, "0"))
