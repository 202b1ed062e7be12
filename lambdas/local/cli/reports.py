"""Reports: what the `lens` command prints, as text for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from lambdas.local.cli.feed_status import feed_lines, feed_status
from lambdas.local.cli.holds_report import held_lines, holds_status
from lambdas.local.cli.layout_status import layout_lines, layout_status
from lambdas.local.cli.picture_status import picture_lines, picture_status
from lambdas.local.cli.speed_report import speeds_lines, speeds_status
from lambdas.local.cli.unread_feeds import unread_feeds, unread_lines
from lambdas.local.counted import counted
from lambdas.local.evaluation import Evaluation
from lambdas.local.pipeline import Pipeline
from lambdas.local.stack.outputs import QueueDepth
from lens.errors import ArtifactError
from lens.evaluation.score import KS
from lens.feed.encoding import encode
from lens.gallery.commits import read_head
from lens.gallery.current import read_current
from lens.gallery.loading import load_gallery
from lens.gallery.rows import Kind
from lens.models.manifest import read_manifest
from lens.photos.catalog import is_feed, is_photo
from lens.search.results import Hit, Results

_SHOWN = 20


def status_report(
    pipeline: Pipeline,
    depths: Mapping[str, QueueDepth] | None = None,
    lost_events: Sequence[str] = (),
    *,
    as_json: bool = False,
) -> str:
    """Model, gallery, pin, photos that cannot be used or read, the files that are none, and a
    stack's queues and the events that no longer reach them."""
    status = _status(pipeline)
    if depths is not None:
        status["queues"] = {name: _depth(depth) for name, depth in depths.items()}
        status["lost_events"] = list(lost_events)
    if as_json:
        return json.dumps(status, indent=1)
    if status["model_id"] is None:
        return f"{status['catalog']} has not been indexed yet: run `lens index`"
    rejected: dict[str, str] = status["rejected"]
    waiting = {
        key: f"{each['reason']} (since {each['since']})" for key, each in status["waiting"].items()
    }
    lines = [
        f"catalog    {status['catalog']}",
        f"artifacts  {status['artifacts']}",
        f"model      {status['model_id']} ({status['head']})",
        f"gallery    {status['photos']} photos, commit {status['commit']}"
        + (f", {len(rejected)} photos rejected" if rejected else "")
        + (f", {len(waiting)} photos waiting" if waiting else "")
        + (f", {status['other_files']} other files" if status["other_files"] else ""),
    ]
    lines[3:3] = speeds_lines(status["speeds"])
    lines += [f"left out   {counted(n, 'photo')}: {why}" for why, n in status["left_out"].items()]
    lines += layout_lines(status)
    feed = status["feed"]
    lines += feed_lines(feed) if feed else []
    lines += unread_lines(status["unread_feeds"], feed["file"] if feed else "")
    lines += picture_lines(status["pictures"]) if status["pictures"] else []
    if status["candidate"]:
        filled = f"{status['candidate_photos']} of {status['photos']} photos"
        if status["candidate_photos"] is None:
            filled = "its gallery cannot be read, `lens verify` says why"
        lines.append(f"candidate  {status['candidate']}: {filled} (`lens promote` goes on with it)")
    if status["pin"]:
        pin = status["pin"]
        lines.append(f"pinned     commit {pin['commit']} of {pin['model_id']} (`lens release`)")
    if status["belongs_to"]:
        lines.append(f"belongs to {status['belongs_to']}: the catalog is another, and not followed")
    lines += held_lines(pipeline)
    lines += _named("rejected", rejected) + _named("waiting", waiting)
    for name, depth in status.get("queues", {}).items():
        dead = f", {depth['dead']} dead letters (`lens redrive`)" if depth["dead"] else ""
        lines.append(f"queue      {name}: {depth['waiting']} waiting, {depth['taken']} taken{dead}")
    if lost_events:
        lines.append(
            f"events     the bucket no longer tells of {', '.join(lost_events)}: changes are found "
            "by reconcile alone (docs/operations.md#a-bucket-that-no-longer-tells)"
        )
    return "\n".join(lines)


def results_report(results: Results, *, as_json: bool) -> str:
    """A search's hits."""
    if as_json:
        fields = asdict(replace(results, hits=(), cursor=None))
        del fields["cursor"], fields["facets"]  # there are no pages here
        return json.dumps({**fields, "hits": [_hit(hit) for hit in results.hits]}, indent=1)
    if results.model_id is None:
        return "nothing has been indexed yet: run `lens index`"
    lines = [
        f"{hit.rank:4}  {hit.similarity:.4f}  {hit.item_id:<16} {hit.key}" for hit in results.hits
    ]
    return "\n".join([*_seen(results), "rank  similar  item             photo", *lines])


def _hit(hit: Hit) -> dict[str, Any]:
    """A hit's fields, and those of its product where there is one."""
    fields = asdict(replace(hit, sold=None))
    del fields["sold"]
    if hit.sold:
        fields["product"] = json.loads(encode(hit.sold.product))
    return fields


# What the answer's word means to who asked.
_WORDS = {
    "same": "the first is most likely the product",
    "very_similar": "the first is very similar",
    "similar_style": "the first is of a similar style",
    "none": "nothing like this is here; the nearest are",
}


def _seen(results: Results) -> Iterator[str]:
    """What of the photo was searched for, and whether that is here."""
    if results.regions:
        box = ",".join(f"{side:g}" for side in results.region or ())
        kinds = ", ".join(f"{each.kind} {each.confidence:.2f}" for each in results.regions)
        yield f"searched   {box or 'the whole photo'} (seen: {kinds})"
    if results.match is not None:
        yield f"match      {_WORDS[results.match]} ({results.match_probability:.2f})"


def evaluation_report(evaluations: Sequence[Evaluation]) -> str:
    """One line a protocol, in percent."""
    heads = "".join(f"{f'R@{k}':>7}" for k in KS)
    lines = [f"{'protocol':<10} {'queries':>7} {'gallery':>7} {heads} {'MAP@R':>7}"]
    for each in evaluations:
        recalls = "".join(f"{100 * each.recall_at_k[str(k)]:7.1f}" for k in KS)
        lines.append(
            f"{each.protocol:<10} {each.queries:>7} {each.gallery:>7} {recalls} "
            f"{100 * each.map_at_r:7.1f}"
        )
    first = evaluations[0]
    models = ", ".join(dict.fromkeys(each.model_id for each in evaluations))
    lines.append(f"{first.embedding_dim}-D, model {models}")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _named(what: str, reasons: Mapping[str, str]) -> list[str]:
    """The first photos, each with its reason."""
    lines = [f"{what:<10} {key}: {reasons[key]}" for key in list(reasons)[:_SHOWN]]
    if len(reasons) > _SHOWN:
        lines.append(f"           and {len(reasons) - _SHOWN} more (see --json)")
    return lines


def _depth(depth: QueueDepth) -> dict[str, int]:
    return {"waiting": depth.queue.waiting, "taken": depth.queue.taken, "dead": depth.dead}


def _photos_of(pipeline: Pipeline, model_id: str | None) -> int | None:
    """How far a candidate's gallery is filled; None without one that can be read."""
    if model_id is None:
        return None
    artifacts = pipeline.artifacts
    try:
        return load_gallery(artifacts, read_head(artifacts, model_id)).photo_count
    except ArtifactError:
        return None


def _status(pipeline: Pipeline) -> dict[str, Any]:
    current = read_current(pipeline.artifacts)
    status: dict[str, Any] = {
        "catalog": pipeline.settings.catalog,
        "artifacts": pipeline.settings.artifacts,
        "model_id": current.live if current else None,
    }
    if current is None:
        return status
    head = read_head(pipeline.artifacts, current.live)
    gallery = load_gallery(pipeline.artifacts, head)
    manifest = read_manifest(pipeline.artifacts, current.live)
    known = gallery.known
    rejections = (known[i] for i, kind in enumerate(known.kind) if kind == Kind.REJECTION)
    waiting = (gallery.waiting[i] for i in range(len(gallery.waiting)))
    files = (info.key for info in pipeline.catalog.files())
    fit_on = manifest.head.fit_on
    return {
        **status,
        "head": manifest.head.kind + (f" head, fit on {fit_on} photos" if fit_on else " head"),
        "speeds": speeds_status(pipeline.artifacts, current.live),
        "candidate": current.candidate,
        "candidate_photos": _photos_of(pipeline, current.candidate),
        "pin": current.pin.model_dump() if current.pin else None,
        "commit": head.number,
        "photos": gallery.photo_count,
        **holds_status(pipeline),
        "rejected": {row.key: row.reason for row in rejections},
        "waiting": {
            row.key: {"reason": row.reason, "since": _time(row.looked_at)} for row in waiting
        },
        **layout_status(pipeline.catalog, pipeline.artifacts, pipeline.settings),
        "feed": feed_status(gallery, pipeline.catalog.pictures is not None),
        "unread_feeds": unread_feeds(pipeline.catalog),
        "pictures": picture_status(pipeline.catalog, pipeline.artifacts, gallery),
        "left_out": pipeline.catalog.left_out(),
        "other_files": sum(not is_photo(key) and not is_feed(key) for key in files),
    }
