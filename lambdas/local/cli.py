"""The `lens` command: index, serve, search and tend a catalog on this machine."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from lens.errors import LensError, UsageError

# Imported inside the commands otherwise: `lens --help` should not wait for a model's runtime.
if TYPE_CHECKING:
    from lambdas.local.pipeline import Pipeline
    from lens.config import Settings
    from lens.versions import Look

_EPILOG = """\
LOCATION is a folder of photos, or s3://bucket/prefix; without one, LENS_CATALOG is used.
What is made of it (models, galleries, thumbnails) lies in .lens/ here, or in LENS_ARTIFACTS;
nothing is ever written into the photos' folder.

exit codes: 0 done, 1 failed, 2 not understood
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every failure is one line on standard error."""
    options = _parser().parse_args(arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `lens status | head`: nobody reads on, and that is no failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except UsageError as error:
        return _fail(error, 2)
    except (LensError, OSError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted; run it again to go on from here", 130)
    return 0


def _index(options: argparse.Namespace) -> None:
    from lambdas.local.indexer import index_catalog, refuse_empty
    from lambdas.local.reports import status_report

    pipeline = _pipeline(options)
    refuse_empty(pipeline)
    began = time.monotonic()
    looked = index_catalog(pipeline, bars)
    print(f"{looked} photos looked at in {time.monotonic() - began:.1f} s")
    print(status_report(pipeline))


def _serve(options: argparse.Namespace) -> None:
    from lambdas.local.server import serve

    serve(_settings(options), bars, lambda address: print(f"Image Lens: {address}", flush=True))


def _search(options: argparse.Namespace) -> None:
    from lambdas.local.reports import results_report
    from lens.search import Searcher

    pipeline = _pipeline(options)
    searcher = Searcher(pipeline.artifacts, pipeline.settings.limits)
    try:
        photo = Path(options.photo).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {options.photo}: {error.strerror}") from error
    results = searcher.search(photo, top_k=options.top_k, category=options.category)
    print(results_report(results, as_json=options.json))


def _evaluate(options: argparse.Namespace) -> None:
    from lambdas.local.evaluate import PROTOCOLS, evaluate
    from lambdas.local.reports import evaluation_report

    protocols = [options.protocol] if options.protocol else PROTOCOLS
    settings = _settings(options)
    found = [evaluate(settings, protocol, bars, options.model) for protocol in protocols]
    if options.json:
        figures = [evaluation.to_json() for evaluation in found]
        print(json.dumps(figures[0] if options.protocol else figures, indent=1))
    else:
        print(evaluation_report(found))


def _status(options: argparse.Namespace) -> None:
    from lambdas.local.reports import status_report

    print(status_report(_pipeline(options), as_json=options.json))


def _reconcile(options: argparse.Namespace) -> None:
    pipeline = _pipeline(options)
    with bars("Reconciling") as progress:
        count = pipeline.reconcile(progress)
    print(f"{count} photos differed and were looked at again" if count else "nothing differed")


def _rollback(options: argparse.Namespace) -> None:
    from lens.pins import rollback

    artifacts = _pipeline(options).artifacts
    pin = rollback(artifacts, commit=options.commit, model_id=options.model, now=time.time())
    print(f"searches are pinned to commit {pin.commit} of {pin.model_id}; `lens release` ends it")


def _release(options: argparse.Namespace) -> None:
    from lens.pins import release

    print(f"searches follow the newest commit of {release(_pipeline(options).artifacts).live}")


def _promote(options: argparse.Namespace) -> None:
    from lens.promotion import promote

    pipeline = _pipeline(options)
    with bars("Embedding") as progress:

        def look(looks: list[Look]) -> None:
            pipeline.look(looks, progress)

        promote(pipeline.artifacts, pipeline.catalog, options.model, look)
    print(f"{options.model} is live")


def _draw(options: argparse.Namespace) -> None:
    from lambdas.local.sample.catalog import draw_catalog

    with bars("Drawing the sample catalog") as progress:
        draw_catalog(Path(options.folder), progress=progress)


@contextmanager
def bars(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, shown once it has something to show for a second."""
    with tqdm(
        desc=label, unit=" photos", delay=1.0, leave=False, dynamic_ncols=True, disable=None
    ) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _settings(options: argparse.Namespace) -> Settings:
    from lambdas.local.locations import local_settings

    return local_settings(os.environ, options.location)


def _pipeline(options: argparse.Namespace) -> Pipeline:
    from lambdas.local.pipeline import Pipeline

    return Pipeline(_settings(options))


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="lens",
        allow_abbrev=False,
        description="Photograph a garment, find the product.",
        epilog=_EPILOG,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        child = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        child.set_defaults(run=run)
        return child

    def location(child: argparse.ArgumentParser, metavar: str = "LOCATION") -> None:
        child.add_argument("location", nargs="?", metavar=metavar, help="the photos")

    def as_json(child: argparse.ArgumentParser) -> None:
        child.add_argument("--json", action="store_true", help="print JSON")

    location(command("index", _index, "make a catalog searchable, or bring it up to date"))
    location(command("serve", _serve, "index, watch the folder, and serve page and API"))

    child = command("search", _search, "find the catalog photos most similar to a photo")
    child.add_argument("photo", metavar="PHOTO", help="the photo to search by")
    location(child)
    child.add_argument("--top-k", type=_count, default=12, metavar="K", help="results (12)")
    child.add_argument("--category", metavar="NAME", help="only this category and those under it")
    as_json(child)

    child = command("evaluate", _evaluate, "score retrieval on photos with a partition file")
    location(child, "PHOTOS")
    child.add_argument("--protocol", choices=("benchmark", "strict"), help="both by default")
    child.add_argument("--model", metavar="ID", help="use this model as it is, refit nothing")
    as_json(child)

    child = command("status", _status, "show model, gallery, pin and rejected photos")
    location(child)
    as_json(child)

    location(command("reconcile", _reconcile, "compare the gallery with the catalog and mend it"))

    child = command("rollback", _rollback, "hold searches at an earlier commit or model")
    location(child)
    child.add_argument("--commit", type=int, metavar="N", help="its number (the one before)")
    child.add_argument("--model", metavar="ID", help="an earlier model")

    location(command("release", _release, "end a rollback"))

    child = command("promote", _promote, "re-embed the catalog with a model and make it live")
    child.add_argument("model", metavar="MODEL", help="its id")
    location(child)

    child = command("sample", _draw, "draw the sample catalog")
    child.add_argument("folder", metavar="FOLDER", help="where to draw it")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100")
    return int(text)


def _fail(error: object, code: int) -> int:
    print(f"lens: {' '.join(str(error).split())}", file=sys.stderr)
    return code


class _OneLine(logging.Formatter):
    """Log records as one line: an exception's own words instead of its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        text = f"lens: {record.getMessage()}" + (f": {error}" if error else "")
        return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
