"""The commands: what each `lens` command does with what it was given, and what it prints."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lambdas.local.progress import progress_bar
from lens.errors import FilterError, LensError, UsageError

# Imported inside the commands otherwise: `lens --help` should not wait for a model's runtime.
if TYPE_CHECKING:
    from lambdas.local.pipeline import Pipeline
    from lambdas.local.stack.outputs import Deployment
    from lens.gallery.versions import Look
    from lens.settings import Settings
    from lens.storage import Storage


def index(options: Namespace) -> None:
    if options.explain:
        from lambdas.local.cli.explanation import explain

        found = explain(_settings(options))
        print(json.dumps(found.to_json(), indent=1) if options.json else found.text())
        return
    if options.json:
        raise UsageError("--json: it is for --explain; for the gallery's state use `lens status`")
    from lambdas.local.cli.reports import status_report
    from lambdas.local.indexer import index_catalog, refuse_empty, renew_default
    from lambdas.local.pictures import LocalPictures

    pipeline = _pipeline(options)
    if options.allow_deletions:
        _allow_deletions(pipeline, options.allow_deletions)
    else:
        refuse_empty(pipeline)
    began = time.monotonic()
    looked = index_catalog(pipeline)
    print(f"{looked} photos looked at in {time.monotonic() - began:.1f} s", flush=True)
    if pipeline.settings.feed_pictures and not pipeline.settings.stack:
        with progress_bar("Fetching", "pictures") as progress:
            print(f"{LocalPictures(pipeline).fetch(progress)} pictures fetched", flush=True)
    if renewed := renew_default(pipeline):
        print(f"this release's default model, {renewed}, has taken the place of the earlier one")
    print(status_report(pipeline))


def serve(options: Namespace) -> None:
    from lambdas.local.server import app as server

    settings = _settings(options)
    server.serve(settings, lambda line: print(line, flush=True))


def search(options: Namespace) -> None:
    from lambdas.local.cli.reports import results_report
    from lens.feed.filter import parse_filter
    from lens.search.examples import MOST_PHOTOS, Examples
    from lens.search.queries import asked_region
    from lens.search.searcher import Searcher
    from lens.search.thumbnail_reader import thumbnails_of
    from lens.search.wanted import Wanted

    try:
        region = asked_region(options.region)
    except UsageError as error:
        raise UsageError(f"--region: {error}") from error
    if region is not None and options.also:
        raise UsageError("--region: it is for one photo; search without --also")
    if len(options.also) >= MOST_PHOTOS:
        raise UsageError(f"--also: at most {MOST_PHOTOS} photos are searched as one")
    examples = Examples(tuple(options.like), tuple(options.unlike))
    try:
        wanted_filter = parse_filter(options.filter)
    except FilterError as error:
        raise UsageError(f"--filter: {error}") from error
    pipeline = _pipeline(options)
    settings = pipeline.settings
    searcher = Searcher(
        pipeline.artifacts,
        settings.query_limits,
        precision=settings.precision,
        thumbnails=thumbnails_of(settings),
        currency=settings.shop_currency,
    )
    photos = [_photo(name) for name in (options.photo, *options.also)]
    wanted = Wanted(options.top_k, options.category, filter=wanted_filter)
    results = searcher.search(photos, wanted, examples=examples, region=region)
    print(results_report(results, as_json=options.json))


def evaluate(options: Namespace) -> None:
    from lambdas.local import evaluation
    from lambdas.local.cli.reports import evaluation_report
    from lens.evaluation.protocols import PROTOCOLS

    settings = _settings(options)
    if options.protocol == "shopper":
        _evaluate_shopper(settings, options)
        return
    if options.shopper:
        raise UsageError("--shopper is for the shopper protocol: add --protocol shopper")
    protocols = [options.protocol] if options.protocol else PROTOCOLS
    found = [evaluation.evaluate(settings, each, options.model) for each in protocols]
    if options.json:
        figures = [each.to_json() for each in found]
        print(json.dumps(figures[0] if options.protocol else figures, indent=1))
    else:
        print(evaluation_report(found))


def _evaluate_shopper(settings: Settings, options: Namespace) -> None:
    from lambdas.local.cli.shopper_report import shopper_report
    from lambdas.local.shopper.protocol import evaluate_shopper

    if not options.shopper:
        raise UsageError("name the folder of shoppers' photos: --shopper FOLDER")
    found = evaluate_shopper(settings, Path(options.shopper), options.model)
    print(json.dumps(found.to_json(), indent=1) if options.json else shopper_report(found))


def status(options: Namespace) -> None:
    from lambdas.local.cli.reports import status_report
    from lambdas.local.stack.outputs import read_deployment

    pipeline = _pipeline(options)
    stack = pipeline.settings.stack
    if not stack:
        print(status_report(pipeline, as_json=options.json))
        return
    deployment = read_deployment(stack)
    lost = deployment.lost_events()
    print(status_report(pipeline, deployment.depths(), lost, as_json=options.json))


def tune(options: Namespace) -> None:
    from lambdas.local.cli.speed_report import tune_report
    from lens.gallery.current import read_current
    from lens.models.embedder import load_embedder

    artifacts = _pipeline(options).artifacts
    current = read_current(artifacts)
    model_id = options.model or (current.live if current else None)
    if model_id is None:
        raise UsageError("there is no model yet: run `lens index`, or name one with --model")

    def told(form: str) -> None:
        print(f"measuring {form} ...", file=sys.stderr, flush=True)

    embedder = load_embedder(artifacts, model_id, seconds=math.inf, anew=True, told=told)
    assert embedder.speeds is not None
    print(tune_report(embedder.speeds, as_json=options.json))
    if embedder.damaged:
        raise embedder.damaged


def check_feed(options: Namespace) -> None:
    from lambdas.local.cli.feed_report import feed_report
    from lens.feed.feed import read_feed

    path = Path(options.file)
    try:
        feed = read_feed(path.name, path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    print(feed_report(path.name, feed, as_json=options.json))
    lost = sum(problem.costs == "product" for problem in feed.problems)
    if lost or not feed.products:
        rows = f"{lost} of its rows" if lost else "its rows"
        raise LensError(f"{path.name}: {rows} cannot be used")


def report(options: Namespace) -> None:
    from contextlib import ExitStack
    from datetime import UTC, datetime, timedelta

    from lambdas.local.cli.search_report import search_report
    from lambdas.local.searches.figures import count
    from lambdas.local.searches.reading import Lines, open_logs
    from lambdas.local.stack.search_lines import stack_lines
    from lens.settings import settings_from

    settings = settings_from(os.environ)
    if options.logs and options.stack:
        raise UsageError("a stack has its own log: name logs or --stack, not both")
    kept_in = settings.search_log
    names = options.logs or ([kept_in] if kept_in not in ("", "-") and not options.stack else [])
    stack = options.stack or settings.stack
    if not names and not stack:
        raise UsageError("name a search log, or set LENS_SEARCH_LOG to its file, or --stack")
    since = datetime.now(UTC) - timedelta(days=options.since) if options.since else None
    with ExitStack() as opened:
        logs = open_logs(names, opened) if names else [stack_lines(stack, since)]
        lines = Lines(logs, since)
        figures = count(lines)
    print(search_report(figures, lines.unreadable, as_json=options.json))


def reconcile(options: Namespace) -> None:
    from lambdas.local.cli.holds_report import held_lines

    pipeline = _pipeline(options)
    if options.allow_deletions:
        _allow_deletions(pipeline, options.allow_deletions)
    _reconcile(pipeline)
    for line in held_lines(pipeline):
        print(line)


def _allow_deletions(pipeline: Pipeline, hold: str) -> None:
    from lens.gallery.holds import allow_deletions

    pipeline.claim_catalog()
    print(f"{allow_deletions(pipeline.artifacts, hold).photos} photos are let go", flush=True)


def _reconcile(pipeline: Pipeline) -> None:
    if pipeline.settings.embed_queue:
        _queue_differences(pipeline)
        return
    with progress_bar("Reconciling") as progress:
        count = pipeline.reconcile(progress)
    print(f"{count} photos differed and were looked at again" if count else "nothing differed")


def verify(options: Namespace) -> None:
    from lambdas.local.cli.repair_report import verify_report
    from lens.pipeline.verify import inspect
    from lens.storage import open_storage

    with progress_bar("Checking", "parts") as progress:
        found = inspect(open_storage(_settings(options).artifacts), progress)
    print(verify_report(found, as_json=options.json), flush=True)
    if not found.whole:
        raise LensError(f"damaged artifacts: {len(found.damages)}; run `lens repair`")


def repair(options: Namespace) -> None:
    from lambdas.local.cli.repair_report import repair_report
    from lambdas.local.repairing import repair_artifacts

    pipeline = _pipeline(options)
    repaired = repair_artifacts(
        pipeline, model_id=options.model, copies=options.copies, forget=options.forget
    )
    print(repair_report(repaired, queued=bool(pipeline.settings.embed_queue)))


def backup(options: Namespace) -> None:
    from lens.pipeline.backup import back_up
    from lens.storage import open_storage

    pipeline, target = _pipeline(options), open_storage(options.target)
    for line in back_up(pipeline.artifacts, pipeline.catalog, target):
        print(f"backed up: {line}")


def restore(options: Namespace) -> None:
    from lens.pipeline.backup import bring_back
    from lens.storage import open_storage

    pipeline = _pipeline(options)
    model_id = bring_back(open_storage(options.source), pipeline.artifacts, now=time.time())
    print(f"{model_id} is live; the photos are embedded again", flush=True)
    _reconcile(pipeline)


def _queue_differences(pipeline: Pipeline) -> None:
    """Do now what the stack's reconcile function does on its schedule."""
    from lambdas.reconcile.handler import ReconcileHandler
    from lens.pipeline.queues import Queue

    queue = Queue(pipeline.settings.embed_queue)
    # A stack's own reconciliation decides its layout: LENS_LAYOUT here is not the stack's.
    layout = None if pipeline.settings.stack else pipeline.settings.layout
    handler = ReconcileHandler(pipeline.catalog, pipeline.artifacts, queue, layout=layout)
    reply = handler()
    differing, queued = reply["differing"], reply["queued"]
    if not differing:
        print("nothing differed")
    elif queued < differing:
        print(f"{differing} photos differ, {queued} are queued: the queue is full, run it again")
    else:
        print(f"{queued} photos differed and are queued to be looked at again")


def purge(options: Namespace) -> None:
    from lambdas.local.takedown import take_down

    take_down(_pipeline(options), options.keys, lambda line: print(line, flush=True))


def sync(options: Namespace) -> None:
    from lambdas.local.stack.sync import synchronize

    catalog, kept = _destination(options)
    print(f"into {catalog.location}" + (" (dry run: no change)" if options.dry_run else ""))
    with progress_bar("Uploading") as progress:
        done = synchronize(
            options.folder,
            catalog,
            delete=options.delete,
            dry_run=options.dry_run,
            progress=progress,
            kept=kept,
            allow=options.allow_deletions,
        )
    print(
        f"{done.uploaded} uploaded, {done.skipped} there already, {done.removed} removed, "
        f"{done.ignored} ignored (no photos)"
    )
    if done.held:
        target = [options.bucket] if options.bucket else ["--stack", _deployment(options).stack]
        words = ["lens", "sync", options.folder, *target, "--delete", "--allow-deletions"]
        raise LensError(
            f"{done.held} photos more of {catalog.location} are not in {options.folder}; so many "
            f"are not removed by chance, and none was: `{shlex.join([*words, done.hold])}` does"
        )


def redrive(options: Namespace) -> None:
    from lens.pipeline.queues import Queue
    from lens.pipeline.queues import redrive as move

    for name, urls in _deployment(options).queues.items():
        with progress_bar(f"Moving {name}", "messages") as progress:
            moved = move(Queue(urls.dead_letters), Queue(urls.queue), progress)
        print(f"{name:<9} {moved} messages moved back")


def rollback(options: Namespace) -> None:
    from lens.pipeline import rollback as pins

    artifacts = _pipeline(options).artifacts
    pin = pins.rollback(
        artifacts,
        commit=options.commit,
        model_id=options.model,
        undo_deletions=options.undo_deletions,
        now=time.time(),
    )
    print(f"searches are pinned to commit {pin.commit} of {pin.model_id}; `lens release` ends it")


def release(options: Namespace) -> None:
    from lens.pipeline import rollback as pins

    current = pins.release(_pipeline(options).artifacts)
    print(f"searches follow the newest commit of {current.live}")


def promote(options: Namespace) -> None:
    from lens.pipeline import promote as promotion

    pipeline = _pipeline(options)
    with progress_bar("Embedding") as progress:

        def look(looks: list[Look]) -> None:
            pipeline.look(looks, progress)

        promotion.promote(pipeline.artifacts, pipeline.catalog, options.model, look)
    print(f"{options.model} is live")


def train(options: Namespace) -> None:
    here = any(each.partition("=")[0] == "--output" for each in options.arguments)
    if not here and (options.stack or os.environ.get("LENS_STACK")):
        from lambdas.local.stack.training_job import parse_options, train_deployed

        job = parse_options(options.arguments)
        train_deployed(_deployment(options), job, lambda line: print(line, flush=True))
    else:
        from lambdas.local import training

        training.train(options.arguments)


def draw(options: Namespace) -> None:
    from lambdas.local.sample.catalog import draw_catalog

    with progress_bar("Drawing the sample catalog") as progress:
        draw_catalog(Path(options.folder), progress=progress)


def _photo(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error


def _settings(options: Namespace) -> Settings:
    from lambdas.local.cli.targets import local_settings

    return local_settings(os.environ, options.location, options.stack)


def _pipeline(options: Namespace) -> Pipeline:
    from lambdas.local.pipeline import Pipeline

    return Pipeline(_settings(options))


def _deployment(options: Namespace) -> Deployment:
    from lambdas.local.cli.targets import deployment_of

    return deployment_of(os.environ, options.stack)


def _destination(options: Namespace) -> tuple[Storage, Storage]:
    """Where `lens sync` uploads to, the bucket that was named, else the stack's; and where it is
    kept how much was removed."""
    from lambdas.local.cli.targets import artifacts_of
    from lambdas.local.stack.sync import catalog_in
    from lens.storage import open_storage

    if options.bucket and options.stack:
        raise UsageError("a stack has its own bucket: name s3://bucket or --stack, not both")
    if options.bucket:
        catalog = catalog_in(options.bucket)
        return catalog, open_storage(artifacts_of(catalog))
    deployment = _deployment(options)
    return open_storage(deployment.catalog), open_storage(deployment.artifacts)
