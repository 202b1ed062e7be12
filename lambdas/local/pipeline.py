"""The pipeline: the functions' own handlers wired together on this machine, queues included."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence

from lambdas.build_index.handler import BuildIndexHandler
from lambdas.embed.handler import EmbedHandler
from lens.errors import LensError
from lens.gallery.commits import HEADS
from lens.gallery.current import followed_models
from lens.gallery.segments import segment_key
from lens.gallery.versions import Look
from lens.photos.origin import claim_origin
from lens.pipeline.collect import collect
from lens.pipeline.commit import uncommitted_segments
from lens.pipeline.compact import compact
from lens.pipeline.events import looks_message, s3_notification, sqs_event
from lens.pipeline.layouts import decide_layout
from lens.pipeline.reconcile import Comparison, compare_newest
from lens.pipeline.sources import open_catalog
from lens.pipeline.waiting import Retry, always
from lens.progress import Progress, Underway
from lens.right_of_way import RightOfWay
from lens.settings import Settings
from lens.storage import FileStorage, key_prefix, open_storage

# Batches grow from the first size to the last: the first photos can be found soon, and a new photo
# never waits for long behind a batch of a long indexing.
_FIRST_BATCH, _BATCH = 8, 64
# A commit is written after the first batch, and when this much time of embedding has passed, so
# that a long first indexing can be searched meanwhile and loses little when it is killed.
_COMMIT_SECONDS = 2.0
# Disks keep times to so much at worst (FAT), and round them down; as a float they lose a bit more.
_ROUNDED_SECONDS = 2.1


class Pipeline:
    """Catalog events in, commits out; one batch at a time, from any thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.underway = Underway()
        self.right_of_way = RightOfWay()
        self._segment_events: list[str] = []
        self._again: list[Look] = []
        self._lock = threading.RLock()
        self.artifacts = open_storage(settings.artifacts)
        self.thumbs = open_storage(settings.thumbs) if settings.thumbs else self.artifacts
        self.catalog = open_catalog(settings)
        self._embed = EmbedHandler(
            settings, self.artifacts, self._announce, self.right_of_way.give, self.catalog
        )
        self._build_index = BuildIndexHandler(self.artifacts, self._again.extend)
        if isinstance(self.artifacts, FileStorage):
            # What was seen was committed later, whatever the clock says today. The next
            # reconciliation knows it exactly, but events come before.
            for info in self.artifacts.list(HEADS):
                go_on_above(f"{int((info.modified + _ROUNDED_SECONDS) * 1e9):0{_DIGITS}X}")

    def look(self, looks: Sequence[Look], progress: Progress | None = None) -> None:
        """Look at these keys and commit what is found before returning.

        Raises LensError when some could not be; the others are committed all the same.
        """
        self.handle([looks_message([look]) for look in looks], progress)

    def handle(self, messages: Sequence[str], progress: Progress | None = None) -> None:
        """Embed and commit what these messages of the embed queue ask for."""
        failed = done = 0
        size, committed = _FIRST_BATCH, -math.inf
        while done < len(messages):
            batch = messages[done : done + size]
            with self._lock:  # for a batch: a new photo need not wait for a long reconciliation
                failed += self._deliver(batch)
                if time.monotonic() - committed > _COMMIT_SECONDS:
                    failed += self._commit()
                    committed = time.monotonic()
            done, size = done + len(batch), min(2 * size, _BATCH)
            if progress:
                progress(done, len(messages))
        with self._lock:
            failed += self._commit()
            again, self._again[:] = list(self._again), []
        if again:
            self.look(again)
        if failed:
            raise LensError(f"{failed} messages failed (see above); run `lens reconcile`")

    def _deliver(self, messages: Sequence[str]) -> int:
        """Embed what these ask for, as often as a message is received; how many failed."""
        for receives in range(1, self.settings.receives + 1):
            failures = self._embed(sqs_event(messages, receives))["batchItemFailures"]
            messages = [messages[int(failure["itemIdentifier"])] for failure in failures]
            if not messages:
                break
        return len(messages)

    def claim_catalog(self) -> None:
        """Let the artifacts belong to this catalog. UsageError where they belong to another."""
        claim_origin(self.artifacts, self.catalog)

    def recover(self) -> None:
        """Take in the segments that a killed process wrote but did not commit."""
        for model_id in followed_models(self.artifacts):
            for segment_id in uncommitted_segments(self.artifacts, model_id):
                self._announce(segment_key(model_id, segment_id))
        self.handle([])

    def decide_layout(self) -> None:
        """Decide which photos are one product. A stack's own reconciliation does that there."""
        if not self.settings.stack:
            decide_layout(self.catalog, self.artifacts, self.settings.layout)

    def reconcile(
        self,
        progress: Progress | None = None,
        models: Sequence[str] | None = None,
        retry: Retry = always,
    ) -> int:
        """Bring these models' galleries, by default every followed one's, in line with the catalog;
        how many keys differed. `retry` says of photos that could not be read whether they are tried
        again."""
        self.claim_catalog()
        self.decide_layout()
        count = 0
        for model_id in followed_models(self.artifacts) if models is None else models:
            comparison = compare_newest(self.catalog, self.artifacts, model_id, retry=retry)
            go_on_above(comparison.newest_sequencer)
            self._regroup(comparison)
            self.look(comparison.looks, progress)
            count += len(comparison.looks)
        return count

    def collect(self) -> int:
        """Fold what was deleted long ago out of the galleries, and remove what nothing reaches any
        more; how many objects went."""
        with self._lock:
            self._compact(aged=True)
            return collect(self.artifacts, self.thumbs, self.look)

    def _regroup(self, comparison: Comparison) -> None:
        with self._lock:
            for segment_id in comparison.regroup(self.artifacts):
                self._announce(segment_key(comparison.gallery.commit.model_id, segment_id))

    def _commit(self) -> int:
        self.right_of_way.give()
        events, self._segment_events[:] = list(self._segment_events), []
        if not events:
            return 0
        failures = self._build_index(sqs_event(events))["batchItemFailures"]
        self._compact(aged=False)
        return len(failures)

    def _compact(self, *, aged: bool) -> None:
        for model_id in followed_models(self.artifacts):
            while compact(self.artifacts, model_id, now=time.time(), aged=aged):
                pass

    def _announce(self, key: str) -> None:
        """What the artifacts bucket's notification does on AWS."""
        self._segment_events.append(
            s3_notification("ObjectCreated:Put", key_prefix(self.artifacts) + key, next_sequencer())
        )


_DIGITS = 16
_sequencers = threading.Lock()
_last_sequencer = 0


def next_sequencer() -> str:
    """A sequencer above all that this machine has given before, and all that it was shown."""
    global _last_sequencer
    with _sequencers:
        _last_sequencer = max(time.time_ns(), _last_sequencer + 1)
        return f"{_last_sequencer:0{_DIGITS}X}"


def go_on_above(sequencer: str) -> None:
    """Give no sequencer below this one any more: it is a gallery's, from before a clock was set
    back, and would beat every later event."""
    global _last_sequencer
    with _sequencers:
        shown = int(sequencer[:_DIGITS].ljust(_DIGITS, "0"), 16)
        _last_sequencer = max(_last_sequencer, shown)
