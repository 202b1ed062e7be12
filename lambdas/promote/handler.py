"""The promote handler: takes one step towards making a trained model, or a default model, live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.again import list_within, seconds_left
from lambdas.promote.limit import beyond
from lens.errors import PinnedError
from lens.gallery.current import KEY, read_current
from lens.gallery.versions import Look
from lens.models.manifest import read_manifest
from lens.photos.catalog import Catalog
from lens.pipeline.listing import Cut, Listing
from lens.pipeline.promote import nominate, owed_since, still_lacking, switch
from lens.pipeline.queues import Queue
from lens.pipeline.reconcile import compare_newest
from lens.pipeline.verdict import read_verdict
from lens.pipeline.waiting import never
from lens.storage import Storage

# While fewer messages than this wait, what is owed and not on its way costs little to send twice.
_QUIET = 1_000
# Looks that are queued at a time, in about two minutes; the next follow once these are embedded.
_MOST_ASKED = 500_000
# An execution of the state machine has at most 25,000 events, and a round is about a dozen.
_MOST_ROUNDS = 1_800
_AGAIN = "`lens train --promote {job}` goes on with it"


class PromoteHandler:
    """Answers {"job": a training job's name}; or, without one, goes on with the default model that
    `setup` has nominated. A repeated call is harmless, so the state machine may retry a step or be
    started again.

    The state machine hands each answer back as `before`, and says with `patience` how many rounds
    in a row may bring nothing, with `limit` what the first may begin. A catalog that one call has
    no time to list is listed in several rounds, once for all that follow: what is embedded later
    is newer than the listing.
    """

    def __init__(self, catalog: Catalog, artifacts: Storage, queue: Queue) -> None:
        self._catalog = catalog
        self._artifacts = artifacts
        self._queue = queue

    def __call__(self, event: dict[str, Any], context: object = None) -> dict[str, Any]:
        """Lambda's calling convention. `status`: "filling" (call again), "live", "kept" with the
        reason why the live model stays, or "stuck" with what to do. An answer that has no "behind"
        yet has how many files are "listed"."""
        if "job" not in event:
            return self._go_on_with_default(context)
        verdict = read_verdict(self._artifacts, event["job"])
        answer = {"model_id": verdict.model_id, "reason": verdict.reason}
        if not verdict.passed:
            return {**answer, "status": "kept"}
        before = event.get("before") or {}
        limit = None if before else event.get("limit")
        if refused := beyond(self._artifacts, verdict.model_id, event["job"], limit):
            return {**answer, "status": "stuck", "reason": refused}
        return {
            **answer,
            **self._step(verdict.model_id, context, before, **_limits(event)),
        }

    def _go_on_with_default(self, context: object) -> dict[str, Any]:
        current = read_current(self._artifacts)
        candidate = current.candidate if current else None
        if candidate and read_manifest(self._artifacts, candidate).default_number:
            return {"model_id": candidate, **self._step(candidate, context)}
        return {"status": "kept", "reason": "no default model is a candidate"}

    def _step(
        self,
        model_id: str,
        context: object,
        before: Mapping[str, Any] | None = None,
        *,
        job: str = "",
        patience: int = 0,
    ) -> dict[str, Any]:
        """One round. Without `before` nobody counts: the next run on the schedule goes on."""
        whole = seconds_left(context)
        try:
            nominate(self._artifacts, model_id)
            current = self._artifacts.head(KEY)
            nominated = current.modified if current else 0.0
            listing = self._listing(f"{model_id} {nominated}")
            listed = list_within(listing, context, whole, _nobody)
            if isinstance(listed, Cut):
                return _listing_so_far(listed, before)
            comparison = compare_newest(
                self._catalog, self._artifacts, model_id, retry=never, listed=listed
            )
            owed = owed_since(comparison, nominated)
            if not owed:
                switch(self._artifacts, model_id)
                listing.end(listed)
                return {"status": "live"}
        except PinnedError as error:
            return {"status": "kept", "reason": str(error)}
        if before is None:
            self._ask(comparison.looks, at_once=False)
            return {"status": "filling", "behind": len(owed)}
        answer = _counted(len(owed), before)
        if patience and answer["idle"] >= patience:
            return {"status": "stuck", "reason": _stuck(owed, answer["idle"], job)}
        if answer["round"] >= _MOST_ROUNDS:
            return {"status": "stuck", "reason": _endless(owed, job)}
        first = "idle" not in before
        if first or answer["idle"]:
            self._ask(comparison.looks, at_once=first)
        return {**answer, "status": "filling"}

    def _listing(self, of: str) -> Listing:
        """Of the catalog, begun after the model was nominated: `of` says when."""
        catalog = self._catalog
        return Listing(self._artifacts, "promotion", catalog.files_after, catalog.wanted(), of=of)

    def _ask(self, looks: list[Look], *, at_once: bool) -> None:
        """Queue the looks, unless a full queue has them already. A shop that uploads all the time
        never leaves it empty."""
        depth = self._queue.depth()
        if at_once or depth.waiting + depth.taken < _QUIET:
            self._queue.send_looks(looks[:_MOST_ASKED])


def _nobody() -> None:
    """Who calls again: the state machine does by itself, or the schedule."""


def _listing_so_far(cut: Cut, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The answer of a round that only listed: it counts as a round, and keeps what was counted."""
    answer: dict[str, Any] = {"status": "filling", "listed": cut.count}
    if before is None:
        return answer
    kept = {name: before[name] for name in ("behind", "idle") if name in before}
    return {**kept, **answer, "round": before.get("round", 0) + 1}


def _limits(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"job": event["job"], "patience": int(event.get("patience", 0))}


def _counted(behind: int, before: Mapping[str, Any]) -> dict[str, int]:
    """How much is owed, in which round, and for how many rounds that has not become less."""
    idle = before["idle"] + 1 if "idle" in before and behind >= before["behind"] else 0
    return {"behind": behind, "round": before.get("round", 0) + 1, "idle": idle}


def _stuck(owed: list[Look], rounds: int, job: str) -> str:
    return (
        f"{still_lacking(owed)}, and {rounds} checks brought nothing: read the dead letters and "
        f"the log of embed, mend the cause, run `lens redrive`; then {_AGAIN.format(job=job)}"
    )


def _endless(owed: list[Look], job: str) -> str:
    return (
        f"{still_lacking(owed)} after {_MOST_ROUNDS} checks, the most that one execution can "
        f"make: {_AGAIN.format(job=job)}; a larger promote_seconds lets it wait longer"
    )
