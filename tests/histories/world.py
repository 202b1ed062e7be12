"""The world of a history: a catalog, its queues, every stage, and readers that miss nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import ArtifactError, LensError, NotFoundError, PinnedError, UsageError
from lens.feed.feed import read_feed
from lens.gallery import retention
from lens.gallery.commits import Commit, read_head
from lens.gallery.current import read_current
from lens.gallery.gallery import Gallery
from lens.gallery.holds import allow_deletions, read_held
from lens.gallery.loading import load_gallery
from lens.gallery.product_tables import is_manifest_key, parse_products_key
from lens.gallery.rows import Kind, Row
from lens.gallery.segments import parse_segment_key
from lens.gallery.versions import Look
from lens.models.embedder import Embedder
from lens.models.manifest import HeadInfo, ModelManifest, Variant
from lens.photos.catalog import FEED_KEYS, Catalog, is_feed, is_photo
from lens.photos.decoding import photo_id
from lens.photos.layouts.stored import read_layout
from lens.photos.thumbnail_store import thumb_key
from lens.pipeline import compact as compaction
from lens.pipeline.collect import collect
from lens.pipeline.commit import commit_feed, commit_segments
from lens.pipeline.embed import Embedding
from lens.pipeline.events import (
    answer_batch,
    looks_in,
    looks_message,
    s3_notification,
    sqs_event,
)
from lens.pipeline.feed import entries_of
from lens.pipeline.layouts import decide_layout
from lens.pipeline.promote import promote
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.rollback import release, rollback
from lens.search.searcher import Searcher
from lens.search.serving import Serving
from lens.search.wanted import Wanted
from lens.storage import Storage
from lens.storage.formats import announce_format
from tests.histories.interrupting_storage import (
    CrashError,
    InterruptingStorage,
    Interruption,
    Step,
)
from tests.histories.ledger import Ledger
from tests.histories.quick import Inline
from tests.support.tiny_model import DIM, PREPROCESSING, png, tiny_graph, write_tiny_model

KEYS = ("1.png", "a/2.png", "a/b/3.png", "a/b/4.png", "ü x/5.png")
PHOTOS = tuple(png(seed) for seed in range(6))
UNUSABLE_FEEDS = (b"nothing", b"id,title\n")
FEEDS = (
    *(f"id,title\n{rows}".encode() for rows in ("a,A\n", "a,B\nb,B\n", "b,B\nc,C\n", "c,D\n")),
    *UNUSABLE_FEEDS,
)
# What LENS_LAYOUT may say: each groups the keys otherwise.
LAYOUTS = ("", "folders", "{category}/{item}", "{item}/{variant}/*")
UNUSABLE = (b"not a photo", PHOTOS[0][:40])
PAUSES = (60.0, 3_600.0, 13 * 3_600.0, 25 * 3_600.0, 15 * 86_400.0, 31 * 86_400.0)
# Whose clock may be wrong: by less than the difference between the collector's grace and the age at
# which a segment is not applied any more. The collector asks the storage.
ACTORS = "embedder", "committer", "compactor", "operator"
AHEAD = (0.0, 0.0, 90.0, -90.0, 5 * 3_600.0, -5 * 3_600.0)
OTHERS = (
    "stock",
    "take_down",
    "put",
    "embed_all",
    "commit_all",
    "fold",
    "merge",
    "put_feed",
    "reconcile",
)
START = 4_000_000_000.0  # later than any time the storage itself may give
KEPT_COMMITS = 4  # what the collector and `lens rollback` are patched to


class World:
    """Everything that happens to one catalog and its artifacts."""

    def __init__(self, catalog: Storage, artifacts: Storage, models: int = 3) -> None:
        self.ledger = Ledger()
        announce_format(artifacts, 0.0)
        self.time = START  # the storage's
        self.clocks = dict.fromkeys(ACTORS, 0.0)  # seconds that each actor's is ahead
        self.bare = artifacts
        self.artifacts = InterruptingStorage(
            artifacts, self.meanwhile, self._written, clock=self.now
        )
        self.catalog = Catalog(
            InterruptingStorage(
                catalog,
                self.meanwhile,
                name="catalog ",
                clock=self.now,
                interruptions=self.artifacts.interruptions,
            )
        )
        self.sequencer = 0x10
        self.feeds: dict[str, bytes] = {}  # every product file that ever was, by ETag
        self.messages: list[str] = []  # of the embed queue
        self.part_events: list[str] = []  # keys of segments, and of looks at the product file
        self.layout = ""  # LENS_LAYOUT
        self.warm = Searcher(self.artifacts)
        self.warm_is_busy = False
        self.warm_saw: tuple[int, Commit] | None = None
        self.models = [write_tiny_model(artifacts, seed).model_id for seed in range(models)]
        self.embedding = Embedding(
            self.catalog,
            self.artifacts,
            self.artifacts,
            embedder=self.embedder,
            executor=Inline(),
            clock=partial(self.now, "embedder"),
        )

    def now(self, actor: str = "") -> float:
        """An actor's clock, or the storage's, which never shows a time twice."""
        self.time += 0.001
        return self.time + self.clocks.get(actor, 0.0)

    def embedder(self, model_id: str) -> Embedder:
        """A model, loaded once."""
        return embedder(self.models.index(model_id), model_id)

    # What may happen, by name.

    def perform(self, step: Step, plan: Sequence[Interruption] = ()) -> None:
        """Take one step; a crash ends it, and so may an answer that it never got."""
        action: Callable[[random.Random], object] = getattr(self, step.name)
        with self.artifacts.interrupted(plan), suppress(CrashError):
            try:
                action(random.Random(step.choice))
            except LensError as error:
                if not self._excused(error):
                    raise

    def _excused(self, error: LensError) -> bool:
        """Whether the action under way may fail so; it is tried again later."""
        # Whoever slept for days may miss what was the newest before.
        overtaken = self.artifacts.interruptions.slept
        missing = isinstance(error, NotFoundError | ArtifactError)
        return self.artifacts.failed or (overtaken and missing)

    def meanwhile(self, step: Step) -> None:
        """Take a step in the middle of another."""
        self.perform(step)

    def put(self, chance: random.Random) -> None:
        """The shop adds or replaces a photo."""
        self._put(chance.choice(KEYS), chance.choice(PHOTOS))

    def put_unusable(self, chance: random.Random) -> None:
        """The shop adds a photo that cannot be used, or replaces one by it."""
        self._put(chance.choice(KEYS), chance.choice(UNUSABLE))

    def remove(self, chance: random.Random) -> None:
        """The shop deletes a photo."""
        self._remove(chance.choice(KEYS))

    def replace_after_removal(self, chance: random.Random) -> None:
        """The shop deletes a photo and, often once that is known, puts another in its place."""
        key = chance.choice(KEYS)
        self._remove(key)
        if chance.random() < 0.8:
            self.embed_all()
        if chance.random() < 0.8:
            self.commit_all()
        self._put(key, chance.choice(PHOTOS))

    def put_feed(self, chance: random.Random) -> None:
        """The shop writes its product file, one with other products or one that is none."""
        self._put(FEED_KEYS[0], chance.choice(FEEDS))

    def remove_feed(self, chance: random.Random) -> None:
        """The shop deletes its product file."""
        self._remove(FEED_KEYS[0])

    def lay_out(self, chance: random.Random) -> None:
        """The shop says otherwise which photos are one product."""
        self.layout = chance.choice(LAYOUTS)
        decide_layout(self.catalog, self.artifacts, self.layout)

    def stock(self, chance: random.Random) -> None:
        """The shop adds photos, and everything works at once."""
        for key in chance.sample(KEYS, chance.randint(1, 3)):
            self._put(key, chance.choice(PHOTOS))
        self.embed_all()
        self.commit_all()

    def take_down(self, chance: random.Random) -> None:
        """The shop deletes a photo, and everything works at once."""
        self._remove(chance.choice(KEYS))
        self.embed_all()
        self.commit_all()

    def lose(self, chance: random.Random) -> None:
        """A message or an event is lost."""
        for queue in _shuffled(chance, [self.messages, self.part_events]):
            if queue:
                queue.pop(chance.randrange(len(queue)))
                return

    def duplicate(self, chance: random.Random) -> None:
        """A message or an event will be delivered twice."""
        for queue in _shuffled(chance, [self.messages, self.part_events]):
            if queue:
                queue.append(chance.choice(queue))
                return

    def embed(self, chance: random.Random) -> None:
        """A worker takes some messages, in any order."""
        self._embed(_some(chance, self.messages))

    def embed_all(self, chance: object = None) -> None:
        """A worker takes all messages."""
        self._embed(list(self.messages))

    def commit(self, chance: random.Random) -> None:
        """A worker takes some segment events, in any order."""
        self._commit(_some(chance, self.part_events))

    def commit_all(self, chance: object = None) -> None:
        """A worker takes all segment events."""
        self._commit(list(self.part_events))

    def compact(self, chance: random.Random) -> None:
        """A compactor brings a gallery's tail within its bounds, for a head's event or on its
        schedule."""
        model_id, now = chance.choice(self.models), self.now("compactor")
        compaction.compact(self.artifacts, model_id, now=now, aged=chance.random() < 0.5)

    def fold(self, chance: random.Random) -> None:
        """A compactor folds though the bounds do not ask for it."""
        if (head := read_head(self.artifacts, self._followed(chance))).number:
            compaction.fold(self.artifacts, head, now=self.now("compactor"))

    def merge(self, chance: random.Random) -> None:
        """A compactor merges though the bounds do not ask for it."""
        if (head := read_head(self.artifacts, self._followed(chance))).number:
            compaction.merge(self.artifacts, head, now=self.now("compactor"))

    def pin(self, chance: random.Random) -> None:
        """Somebody rolls back: one commit, or to one, or to an earlier model."""
        current = read_current(self.bare)
        models = current.retained if current and chance.random() < 0.9 else self.models
        model_id = chance.choice(models)
        number = chance.choice([commit.number for commit in self.kept(model_id)] or [1])
        asked = chance.choice([(None, None), (model_id, None), (model_id, number)])
        with suppress(NotFoundError, UsageError):
            rollback(self.artifacts, model_id=asked[0], commit=asked[1], now=self.now("operator"))

    def unpin(self, chance: random.Random) -> None:
        """Somebody ends the pin."""
        with suppress(UsageError):
            release(self.artifacts)

    def promote(self, chance: random.Random) -> None:
        """Somebody makes a model live, or goes on doing so."""

        def look(looks: list[Look]) -> None:
            self.embedding.run(looks)
            self.commit_all()

        try:
            model_id, clock = chance.choice(self.models), partial(self.now, "operator")
            promote(self.artifacts, self.catalog, model_id, look, clock=clock)
        except PinnedError:
            pass
        except LensError as error:
            if "candidate meanwhile" not in str(error) and "kept changing" not in str(error):
                raise

    def reconcile(self, chance: object = None) -> int:
        """The schedule compares the catalog with every gallery that is kept up."""
        looks: list[Look] = []
        current = read_current(self.artifacts)
        decide_layout(self.catalog, self.artifacts, self.layout)
        differing = 0
        for hold in read_held(self.artifacts):  # its owner knows that the shop deletes photos
            allow_deletions(self.artifacts, hold.id)
        for model_id in current.followed if current else ():
            found = compare_newest(
                self.catalog, self.artifacts, model_id, partial(self.now, "operator")
            )
            found.regroup(self.artifacts)
            looks += found.looks
            differing += len(found.looks) + len(found.misplaced) + found.held
        self._queue(looks)
        return differing

    def collect(self, chance: random.Random) -> None:
        """The schedule removes what nothing reaches."""
        collect(self.artifacts, self.artifacts, self._queue)
        self.check_parts()

    def wait(self, chance: random.Random) -> None:
        """Time passes."""
        self.time += chance.choice(PAUSES)

    def set_clock(self, chance: random.Random) -> None:
        """Somebody's clock is set, right or wrong."""
        self.clocks[chance.choice(ACTORS)] = chance.choice(AHEAD)

    def sleep(self, chance: random.Random) -> None:
        """Whoever is interrupted sleeps for days, while the others go on and much is collected."""
        for _ in range(chance.randint(2, 4)):
            for name in chance.sample(OTHERS, chance.randint(0, 3)):
                self.perform(Step(name, chance.randrange(1_000)))
            self.perform(Step("collect", 0))
            self.time += 25 * 3_600.0
        self.perform(Step("collect", 0))

    def read_cold(self, chance: random.Random) -> None:
        """A new searcher loads what is newest."""
        with self._reading() as seen:
            seen.append(Searcher(self.artifacts).refresh())

    def read_warm(self, chance: random.Random) -> None:
        """The searcher that has lived all along loads what is newest, or answers as it is."""
        if self.warm_is_busy:
            return
        if chance.random() < 0.1 and self.warm.serving:
            self._check_serving(self.warm.serving)
            return
        self.warm_is_busy = True
        try:
            with self._reading() as seen:
                seen.append(self.warm.refresh())
                if self.warm.trouble is not None:
                    here = self.artifacts.interruptions
                    assert here.failed or here.slept, self.warm.trouble
                    seen.clear()  # it goes on with what it had
            if seen and seen[0] is not None:
                self._check_progress(seen[0])
        finally:
            self.warm_is_busy = False

    # What must hold.

    def check_parts(self) -> None:
        """Everything that a head, a pin or a kept commit names is there."""
        current = read_current(self.bare)
        if current is None:
            return
        there = {info.key for info in self.bare.list()}
        commits = [c for model in {*current.followed, *current.previous} for c in self.kept(model)]
        if current.pin:
            commits.append(self.ledger.commits[current.pin.commit_id])
        for commit in commits:
            assert f"commits/{commit.model_id}/{commit.number:08d}-{commit.id}.json" in there
            for ref in commit.segments:
                assert f"segments/{commit.model_id}/{ref.id}.npz" in there
            if commit.snapshot:
                for name in ("vectors.npy", "rows.npz", "manifest.json"):
                    assert f"snapshots/{commit.model_id}/{commit.snapshot.id}/{name}" in there
            for folder in self.ledger.product_folders(commit):
                assert f"{folder}/manifest.json" in there or f"{folder}/table.npz" in there
            for row in self.ledger.content(commit).values():
                assert row.kind != Kind.PHOTO or thumb_key(row.photo_id) in there

    def kept(self, model_id: str) -> list[Commit]:
        """The newest commits of a model's history, newest first, as the ledger knows it, as far as
        the collector keeps them."""
        head: Commit | None = read_head(self.bare, model_id)
        commits: list[Commit] = []
        replaced_at = self.time
        while head is not None and head.number and len(commits) < KEPT_COMMITS:
            if replaced_at < self.time - retention.PIN:
                break
            commits.append(head)
            replaced_at = head.created_at
            head = self.ledger.commits[head.parent.id] if head.parent else None
        return commits

    @contextmanager
    def _reading(self) -> Iterator[list[Serving | None]]:
        """Check what a reader saw that began and ended with the block."""
        first = max(len(self.ledger.currents) - 1, 0)
        heads = {model: known[-1] for model, known in self.ledger.heads.items() if known}
        seen: list[Serving | None] = []
        yield seen
        if not seen:
            return
        serving = seen[0]
        if serving is None:
            assert not self.ledger.currents
            return
        self._check_serving(serving)
        commit = serving.gallery.commit
        possible = [
            current
            for current in self.ledger.currents[first:]
            if current.pin == serving.pin and (current.pin or current.live == commit.model_id)
        ]
        assert possible, "what was shown was neither live nor pinned at the time"
        if serving.pin is None:
            then = heads.get(commit.model_id)
            assert then is None or commit.number >= then.number, "what was shown is outdated"
        else:
            models = (possible[0].live, *possible[0].previous)
            for model in models[: models.index(commit.model_id) + 1]:
                if model in heads:
                    self._check_takedowns(serving, heads[model])

    def _check_serving(self, serving: Serving) -> None:
        """A reader shows one commit, whole, of one model, and hides only what it must."""
        gallery = serving.gallery
        commit = gallery.commit
        assert serving.embedder.model_id == commit.model_id
        if commit.number:
            assert commit == self.ledger.commits[commit.id]
            assert commit in self.ledger.heads[commit.model_id]
        content = self.ledger.content(commit)
        shown = {row.key: row for row in content.values() if row.kind == Kind.PHOTO}
        if serving.pin is not None:
            assert (serving.pin.model_id, serving.pin.commit_id) == (commit.model_id, commit.id)
            for key in (key.decode() for key in gallery.hidden):
                row = shown.pop(key)
                tombstones = (t for guard in serving.guards for t in self._tombstones(guard.commit))
                live = self.ledger.content(serving.guards[0].commit).get(key)
                gone = live is None or live.kind == Kind.TOMBSTONE
                assert gone or any(_takes_down(each, row) for each in tombstones)
        else:
            assert not gallery.hidden
        assert {row.key: row for row in gallery.photos()} == shown
        assert gallery.photo_count == len(shown)
        rejected = {key: row for key, row in content.items() if row.kind == Kind.REJECTION}
        known = [gallery.known[position] for position in range(len(gallery.known))]
        assert {row.key: row for row in known if row.kind == Kind.REJECTION} == rejected
        assert all(row.reason for row in rejected.values())
        self._check_search(serving, shown)
        self._check_products(gallery)

    def _check_products(self, gallery: Gallery) -> None:
        """The products are those of one file, whole."""
        shelf = gallery.shelf
        assert (shelf.manifest.id if shelf else None) == (
            gallery.commit.products.id if gallery.commit.products else None
        )
        if shelf is not None:
            assert dict(shelf.assortment) == self._products(self.ledger.sold_from(shelf.manifest))

    def _products(self, etag: str) -> dict[str, bytes]:
        """The products of a product file that has been in the catalog."""
        data = self.feeds.get(etag, b"")
        if not data or data in UNUSABLE_FEEDS:
            return {}
        return {entry.id: entry.text for entry in entries_of(read_feed("f.csv", data).products)}

    def _check_search(self, serving: Serving, shown: dict[str, Row]) -> None:
        """Similarities are those of the shown photos under this one model; ties in key order."""
        model_id = serving.gallery.commit.model_id
        seed = self.models.index(model_id)
        query = vector_of(seed, model_id, photo_id(PHOTOS[0]))
        vectors = {key: vector_of(seed, model_id, row.photo_id) for key, row in shown.items()}
        similarities = {key: float(query @ vector) for key, vector in vectors.items()}
        order = sorted(shown, key=lambda key: (-round(similarities[key], 4), key))
        for top_k in (1, 2, 100):
            found = serving.gallery.search(query, top_k)
            assert [match.row.key for match in found] == order[:top_k]
            for match in found:
                assert match.row == shown[match.row.key]
                assert abs(match.similarity - similarities[match.row.key]) < 1e-5

    def _check_takedowns(self, serving: Serving, head: Commit) -> None:
        """Under a pin nothing is shown that a head knows to have been deleted since."""
        for row in serving.gallery.photos():
            for tombstone in self._tombstones(head):
                assert not _takes_down(tombstone, row), f"{row.key} was taken down"

    def _tombstones(self, commit: Commit) -> list[Row]:
        return self.ledger.tombstones(commit)

    def _check_progress(self, serving: Serving) -> None:
        """A warm reader's commits never go backwards, unless somebody pinned or promoted."""
        commit = serving.gallery.commit
        if self.warm_saw is not None:
            first, before = self.warm_saw
            since = self.ledger.currents[first:]
            steady = {(each.live, each.pin) for each in since} == {(commit.model_id, None)}
            if steady and before.model_id == commit.model_id:
                assert commit.number >= before.number
        self.warm_saw = len(self.ledger.currents) - 1, commit

    # Settling.

    def settle(self, chance: object = None) -> None:
        """Deliver all that is queued and reconcile until nothing differs; then look closely."""
        current = read_current(self.artifacts)
        if current is None:
            return
        for _ in range(6):
            for _ in range(6):
                if not self.messages and not self.part_events:
                    break
                self.embed_all()
                self.commit_all()
            else:
                raise AssertionError("the queues never become empty")
            if not self.reconcile():
                break
        else:
            raise AssertionError("the gallery never comes to equal the catalog")
        expected, unusable = self._photos()
        for model_id in current.followed:
            if (head := read_head(self.artifacts, model_id)).number:
                gallery = load_gallery(self.artifacts, head)
                rows = [gallery.known[position] for position in range(len(gallery.known))]
                assert {row.key: row.photo_id for row in gallery.photos()} == expected
                assert {row.key for row in rows if row.kind == Kind.REJECTION} == unusable
                self._check_grouping(gallery)
            else:
                assert not expected
                assert not unusable
            assert not compare_newest(self.catalog, self.artifacts, model_id).looks
            self._check_newest_feed(model_id)
        self.read_cold(random.Random(0))
        self.read_warm(random.Random(0))
        self.check_parts()
        if current.pin is None:
            self._check_each_finds_itself(expected)
        else:
            serving = self.warm.serving
            assert serving is not None
            assert {row.key for row in serving.gallery.photos()} <= expected.keys() | unusable

    def _check_grouping(self, gallery: Gallery) -> None:
        """Every photo is where the layout has it, with the vector that its bytes give."""
        layout = read_layout(self.artifacts)
        assert layout.given == self.layout
        model_id = gallery.commit.model_id
        for row in gallery.photos():
            place = layout.place(row.key, {})
            assert (row.item_id, row.category) == (place.item_id, place.category)
            vectors = [v for each, v in gallery.item_vectors(row.item_id) if each.key == row.key]
            expected = vector_of(self.models.index(model_id), model_id, row.photo_id)
            assert np.allclose(vectors, [expected], atol=1e-6)

    def _check_newest_feed(self, model_id: str) -> None:
        """What a head has looked at is the product file as it is."""
        products = read_head(self.artifacts, model_id).products
        info = self.catalog.feed()
        if products is None:
            assert info is None
        else:
            look = self.ledger.looks[products.id]
            assert look.etag == (info.etag if info else "")
            assert bool(look.trouble) == (self.feeds.get(look.etag) in UNUSABLE_FEEDS)

    def _photos(self) -> tuple[dict[str, str], set[str]]:
        """The catalog's usable photos by key, and the keys of the others."""
        photos, unusable = {}, set()
        for info in self.catalog.storage.list():
            if is_photo(info.key):
                data, _ = self.catalog.storage.read(info.key)
                if data in UNUSABLE:
                    unusable.add(info.key)
                else:
                    photos[info.key] = photo_id(data)
        return photos, unusable

    def _check_each_finds_itself(self, expected: dict[str, str]) -> None:
        for key, name in expected.items():
            data, _ = self.catalog.storage.read(key)
            results = self.warm.search(data, Wanted(len(expected)))
            best = [hit.key for hit in results.hits if hit.similarity > 0.9999]
            assert best == sorted(k for k, other in expected.items() if other == name)

    # The stages.

    def _put(self, key: str, data: bytes) -> None:
        self.catalog.storage.write(key, data)
        if is_feed(key):
            info = self.catalog.storage.head(key)
            self.feeds[info.etag if info else ""] = data
        self._announce("ObjectCreated:Put", key)

    def _remove(self, key: str) -> None:
        self.catalog.storage.delete(key)
        self._announce("ObjectRemoved:Delete", key)

    def _embed(self, batch: list[str]) -> None:
        reply = answer_batch(
            sqs_event(batch), lambda message: looks_in(message["body"], ""), self.embedding.run
        )
        failed = {int(failure["itemIdentifier"]) for failure in reply["batchItemFailures"]}
        here = self.artifacts.interruptions
        excused = here.failed or here.slept or read_current(self.bare) is None
        assert excused or not failed, "a message failed though nothing had gone wrong"
        _acknowledge(self.messages, [body for i, body in enumerate(batch) if i not in failed])

    def _commit(self, batch: list[str]) -> None:
        for prefix, parse, commit in (
            ("segments/", parse_segment_key, commit_segments),
            ("products/", parse_products_key, commit_feed),
        ):
            parts = [parse(key) for key in batch if key.startswith(prefix)]
            for model_id in dict.fromkeys(model for model, _ in parts):
                names = [name for model, name in parts if model == model_id]
                self._queue(commit(self.artifacts, model_id, names, now=self.now("committer")))
        _acknowledge(self.part_events, batch)

    def _queue(self, looks: list[Look]) -> None:
        self.messages += [looks_message([look]) for look in looks]

    def _announce(self, name: str, key: str) -> None:
        self.sequencer += 1
        # S3 pads its sequencers to no fixed length.
        padding = "00" if self.sequencer % 3 == 0 else ""
        self.messages.append(s3_notification(name, key, f"{self.sequencer:06X}{padding}"))

    def _written(self, key: str, data: bytes) -> None:
        self.ledger.written(key, data)
        if key.startswith("segments/") or is_manifest_key(key):
            self.part_events.append(key)

    def _followed(self, chance: random.Random) -> str:
        current = read_current(self.bare)
        return chance.choice(current.followed if current else self.models)


def _takes_down(tombstone: Row, row: Row) -> bool:
    """Whether the key's deletion was seen after this row was."""
    return tombstone.key == row.key and tombstone.looked_at > row.looked_at


def _shuffled(chance: random.Random, queues: list[Any]) -> list[Any]:
    return chance.sample(queues, len(queues))


def _some(chance: random.Random, queue: list[Any]) -> list[Any]:
    return chance.sample(queue, chance.randint(min(1, len(queue)), len(queue)))


def _acknowledge(queue: list[Any], batch: list[Any]) -> None:
    for each in batch:
        if each in queue:  # a worker beside this one may have been faster
            queue.remove(each)


@cache
def embedder(seed: int, model_id: str) -> Embedder:
    """The tiny model with this seed."""
    manifest = ModelManifest(
        model_id=model_id,
        backbone="tiny",
        embedding_dim=DIM,
        preprocessing=PREPROCESSING,
        head=HeadInfo(kind="trained"),
        variants={"fp32": Variant(file="model.onnx", sha256="")},
    )
    return Embedder(manifest, tiny_graph(seed))


@cache
def vector_of(seed: int, model_id: str, name: str) -> NDArray[np.float32]:
    """The vector that a model gives to one of the photos."""
    data = next(photo for photo in PHOTOS if photo_id(photo) == name)
    return embedder(seed, model_id).embed(Image.open(BytesIO(data)).convert("RGB"))
