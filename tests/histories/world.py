"""The world of a history: a catalog, queues, workers, readers, and what must hold between them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any

from lens.catalog import Catalog
from lens.collector import KEPT_COMMITS, collect
from lens.commits import commit_key, history, read_head
from lens.compaction import compact, fold, merge
from lens.current import read_current
from lens.embedder import Embedder, load_embedder
from lens.embedding import Embedding
from lens.errors import NotFoundError, PinnedError, UsageError
from lens.events import looks_in, looks_message, s3_notification
from lens.gallery import Gallery, load_gallery
from lens.images import photo_id
from lens.indexing import commit_segments
from lens.pins import release, rollback
from lens.promotion import catalog_differences, empty_commit, promote
from lens.rows import Kind
from lens.search import Pair, Searcher
from lens.segments import parse_segment_key, segment_key
from lens.storage import Storage
from lens.versions import Look
from tests.histories.interrupting import Crash, InterruptingStorage, Interruption
from tests.histories.oracle import PHOTO, REJECTION, TOMBSTONE, Oracle, newest
from tests.tiny_model import png, write_tiny_model

UNUSABLE = b"not a photo"
Action = tuple[str, tuple[Any, ...]]


class Inline(Executor):
    """Runs at once and in order, so that a history repeats."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@lru_cache(maxsize=8)
def photo(number: int) -> bytes:
    return png(number) if number else UNUSABLE


class World:
    """Everything on one catalog and one place for artifacts."""

    def __init__(self, catalog: Storage, artifacts: Storage) -> None:
        self.now = time.time()
        self.truth: dict[str, int] = {}  # the catalog: a photo's number by key, 0 unusable
        self.oracle = Oracle()
        self.messages: list[str] = []  # the embed queue
        self.segments: list[tuple[str, str]] = []  # the build_index queue: (model_id, segment_id)
        self.lossy = False  # has an event been lost since all was settled?
        self._sequence = 0
        self.plain = artifacts
        self.catalog = InterruptingStorage(catalog, lambda key, data: None)
        self.artifacts = InterruptingStorage(artifacts, self._written)
        self.models = [write_tiny_model(artifacts, seed).model_id for seed in (0, 1)]
        embedders: dict[str, Embedder] = {m: load_embedder(artifacts, m) for m in self.models}
        self.embedding = Embedding(
            catalog=Catalog(self.catalog),
            artifacts=self.artifacts,
            thumbs=artifacts,
            embedder=embedders.__getitem__,
            executor=Inline(),
            clock=lambda: self.now,
        )
        self.warm = Searcher(artifacts)
        self.warm_seen: dict[str, int] = {}
        promote(self.artifacts, Catalog(self.catalog), self.models[0], self._look)

    # What happens in the shop.

    def put(self, key: str, number: int, deliveries: int) -> None:
        """A photo is put under a key; its event comes this many times (0: it is lost)."""
        self.catalog.inner.write(key, photo(number))
        self.truth[key] = number
        self._event("ObjectCreated:Put", key, deliveries)

    def delete(self, key: str, deliveries: int) -> None:
        """A photo is removed."""
        self.catalog.inner.delete(key)
        self.truth.pop(key, None)
        self._event("ObjectRemoved:Delete", key, deliveries)

    # What the system does.

    def perform(self, action: Action, interruption: Interruption | None = None) -> None:
        """Run an action; a crash or a refusal that a person would be told ends it early."""
        name, arguments = action
        outer = self.artifacts.interruption
        self.artifacts.interruption = self.catalog.interruption = interruption
        try:
            getattr(self, name)(*arguments)
        except Crash:
            assert interruption is not None
        finally:
            self.artifacts.interruption = self.catalog.interruption = outer

    def embed(self, seed: int, again: bool) -> None:
        """A worker takes some messages in any order; `again`: its acknowledgement is lost."""
        chosen = self._some(self.messages, seed)
        looks = [look for message in chosen for look in looks_in(message, "")]
        if not looks:
            return
        self.embedding.run(looks)
        if not again:
            self._acknowledge(self.messages, chosen)

    def build(self, seed: int, again: bool) -> None:
        """A worker takes some segment events in any order."""
        chosen = self._some(self.segments, seed)
        for model_id in self.models:
            ids = [segment_id for model, segment_id in chosen if model == model_id]
            if ids:
                looks = commit_segments(self.artifacts, model_id, ids, now=self.now)
                self._queue(looks)
        if not again:
            self._acknowledge(self.segments, chosen)

    def lose(self, seed: int) -> None:
        """Some segment events never arrive."""
        self.lossy = True
        self._acknowledge(self.segments, self._some(self.segments, seed))

    def compacts(self, how: str, candidate: bool) -> None:
        """A compactor runs: by its own bounds, or folding or merging whatever there is."""
        current = read_current(self.artifacts)
        assert current is not None
        model_id = current.candidate if candidate and current.candidate else current.live
        if how == "compact":
            compact(self.artifacts, model_id, now=self.now)
        elif head := read_head(self.artifacts, model_id):
            (fold if how == "fold" else merge)(self.artifacts, head, now=self.now)

    def collects(self) -> None:
        """The collector runs."""
        collect(self.artifacts, self.plain, self._queue, now=self.now)

    def reconciles(self) -> None:
        """The schedule compares every gallery that is kept up with the listing."""
        current = read_current(self.artifacts)
        for model_id in current.kept_up if current else ():
            self._queue(catalog_differences(Catalog(self.catalog), self.artifacts, model_id))

    def pins(self, back: int, earlier_model: bool) -> None:
        """Somebody rolls back to one of the kept commits."""
        current = read_current(self.artifacts)
        assert current is not None
        model_id = current.previous[0] if earlier_model and current.previous else current.live
        commits = list(islice(history(self.artifacts, model_id), KEPT_COMMITS))
        if commits:
            number = commits[back % len(commits)].number
            # Refused when it is too old, or out of the kept history by another's action.
            with suppress(UsageError, NotFoundError):
                rollback(self.artifacts, commit=number, model_id=model_id, now=self.now)

    def releases(self) -> None:
        """Somebody ends the pin."""
        current = read_current(self.artifacts)
        if current and current.pin:
            with suppress(UsageError):  # another was faster
                release(self.artifacts)

    def promotes(self) -> None:
        """Somebody makes the other model live, or goes on with a promotion that was cut off."""
        current = read_current(self.artifacts)
        assert current is not None
        other = next(m for m in self.models if m != current.live)
        with suppress(PinnedError):
            promote(self.artifacts, Catalog(self.catalog), other, self._look)

    def waits(self, hours: float) -> None:
        """Time passes."""
        self.now += 3600 * hours

    # What readers see.

    def reads(self) -> None:
        """A new searcher and one that lived through the whole history both look."""
        cold = Searcher(self.plain)
        for reader in (cold, self.warm):
            pair = reader.refresh()
            assert reader.trouble is None
            assert pair is not None
            self._check(pair)
        assert self.warm.pair is not None and cold.pair is not None
        assert self.warm.pair.gallery.commit == cold.pair.gallery.commit
        assert shown(self.warm.pair.gallery) == shown(cold.pair.gallery)
        commit = cold.pair.gallery.commit
        if cold.pair.pin is None:
            assert commit.number >= self.warm_seen.get(commit.model_id, 0), "went backwards"
            self.warm_seen[commit.model_id] = commit.number

    def _check(self, pair: Pair) -> None:
        """It shows exactly one commit, and under a pin nothing that was deleted since."""
        gallery = pair.gallery
        assert gallery.commit.model_id == pair.embedder.model_id
        committed = self.oracle.visible(gallery.commit.id)
        seen = shown(gallery)
        assert gallery.photo_count == len(seen)
        if pair.pin is None:
            assert seen == {key: fact.photo_id for key, fact in committed.items()}
            return
        assert seen.items() <= {key: fact.photo_id for key, fact in committed.items()}.items()
        assert pair.live is not None and pair.own_head is not None
        live = newest(self.oracle.commits[pair.live.commit.id])
        guards = [self.oracle.commits[g.commit.id] for g in (pair.live, pair.own_head)]
        for key, fact in committed.items():
            there = key in live and live[key].kind in (PHOTO, REJECTION)
            tombstones = [
                newest((k, f) for k, f in guard if k == key and f.kind == TOMBSTONE).get(key)
                for guard in guards
            ]
            deleted = any(t is not None and t.looked_at >= fact.looked_at for t in tombstones)
            assert not (key in seen and (deleted or not there)), "a deleted photo is shown"
            if there and not any(
                k == key and f.kind == TOMBSTONE and f.looked_at >= fact.looked_at
                for guard in guards
                for k, f in guard
            ):
                assert key in seen, "a photo that was never deleted is hidden"

    def check_parts(self) -> None:
        """Everything that a head, a pin or a kept commit names is there."""
        there = {info.key for info in self.plain.list()}
        current = read_current(self.plain)
        assert current is not None
        models = {*current.kept_up, *current.previous}
        commits = [c for m in models for c in islice(history(self.plain, m), KEPT_COMMITS)]
        if current.pin:
            pin = current.pin
            name = f"commits/{pin.model_id}/{pin.commit:08d}-{pin.commit_id}.json"
            assert name in there
        for commit in commits:
            assert commit_key(commit.model_id, commit.name) in there
            assert len(commit.tail_ids) == len(commit.segments), "a segment is named twice"
            for ref in commit.segments:
                assert segment_key(commit.model_id, ref.id) in there
            if commit.snapshot:
                folder = f"snapshots/{commit.model_id}/{commit.snapshot.id}/"
                for part in ("gallery.index", "rows.npz", "manifest.json"):
                    assert folder + part in there

    def settle(self) -> None:
        """All is delivered and reconciled; then the galleries are exactly the catalog.

        Where no event was lost, the live one is so before anything is reconciled.
        """
        self.artifacts.interruption = self.catalog.interruption = None
        self._deliver_all()
        if not self.lossy:
            current = read_current(self.plain)
            assert current is not None
            self._check_equals_catalog(current.live)
        for _ in range(12):
            self._deliver_all()
            before = len(self.messages)
            self.reconciles()
            if len(self.messages) == before:
                break
        else:
            raise AssertionError("it never settles")
        current = read_current(self.plain)
        assert current is not None
        for model_id in current.kept_up:
            self._check_equals_catalog(model_id)
        self.lossy = False
        self.reads()
        self.check_parts()
        if current.pin is None:
            self._check_searches()

    def _check_equals_catalog(self, model_id: str) -> None:
        head = read_head(self.plain, model_id) or empty_commit(model_id)
        gallery = load_gallery(self.plain, head)
        photos = {key: photo_id(photo(n)) for key, n in self.truth.items() if n}
        assert shown(gallery) == photos
        known = gallery.known
        rejected = [known[i] for i in range(len(known)) if known.kind[i] == Kind.REJECTION]
        assert {row.key for row in rejected} == {key for key, n in self.truth.items() if not n}
        assert all("not a photo" in row.reason for row in rejected)

    def _check_searches(self) -> None:
        for number in {n for n in self.truth.values() if n}:
            hits = self.warm.search(photo(number), top_k=1).hits
            assert self.truth[hits[0].key] == number
            assert hits[0].similarity > 0.9999

    def _deliver_all(self) -> None:
        while self.messages or self.segments:
            messages, self.messages[:] = list(self.messages), []
            looks = [look for message in messages for look in looks_in(message, "")]
            if looks:
                self.embedding.run(looks)
            segments, self.segments[:] = list(self.segments), []
            for model_id in self.models:
                ids = [segment_id for model, segment_id in segments if model == model_id]
                self._queue(commit_segments(self.artifacts, model_id, ids, now=self.now))

    def _look(self, looks: list[Look]) -> None:
        """Promotion's own worker: embed and commit at once."""
        waiting = len(self.segments)
        self.embedding.run(looks)
        mine, self.segments[waiting:] = self.segments[waiting:], []
        for model_id in self.models:
            ids = [segment_id for model, segment_id in mine if model == model_id]
            self._queue(commit_segments(self.artifacts, model_id, ids, now=self.now))

    def _queue(self, looks: list[Look]) -> None:
        self.messages += [looks_message([look]) for look in looks]

    def _event(self, name: str, key: str, deliveries: int) -> None:
        self.lossy |= deliveries == 0
        self._sequence += 1
        self.messages += [s3_notification(name, key, f"{self._sequence:016X}")] * deliveries

    def _written(self, key: str, data: bytes) -> None:
        self.oracle.written(key, data)
        if key.startswith("segments/"):
            self.segments.append(parse_segment_key(key))

    @staticmethod
    def _some(waiting: list[Any], seed: int) -> list[Any]:
        """Some of them in any order; often all."""
        chooser = random.Random(seed)
        chosen = [each for each in waiting if seed % 3 == 0 or chooser.random() < 0.6]
        chooser.shuffle(chosen)
        return chosen

    @staticmethod
    def _acknowledge(waiting: list[Any], done: list[Any]) -> None:
        for each in done:
            if each in waiting:  # a worker beside this one may have been faster
                waiting.remove(each)


def shown(gallery: Gallery) -> dict[str, str]:
    """Photo ids by key, each key once."""
    rows = list(gallery.photos())
    found = {row.key: row.photo_id for row in rows}
    assert len(found) == len(rows), "a key is shown twice"
    return found
