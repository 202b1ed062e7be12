"""The `lens` command: its arguments, and every failure as one line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from lambdas.local.cli import commands
from lens.correlation import Correlated
from lens.errors import LensError, UsageError

_EPILOG = """\
LOCATION is a folder of photos, or s3://bucket/prefix; without one, LENS_CATALOG is used, or the
deployed stack that --stack or LENS_STACK names.
What is made of it (models, galleries, thumbnails) lies in .lens/ here, or in LENS_ARTIFACTS;
nothing is ever written into the photos' folder.

exit codes: 0 done, 1 failed, 2 wrong usage
"""

_MOST_DAYS = 36_500


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every failure is one line on standard error."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run is not commands.train:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.arguments = rest
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    handler.addFilter(Correlated())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `lens status | head` stops reading early; that is no failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except UsageError as error:
        return _fail(error, 2)
    except (LensError, OSError) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted; run it again to go on from here", 130)
    return 0


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="lens",
        allow_abbrev=False,
        description="Photograph a garment, find the product.",
        epilog=_EPILOG,
        formatter_class=raw,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        child = subparsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        child.set_defaults(run=run)
        return child

    def stack(child: argparse.ArgumentParser) -> None:
        child.add_argument("--stack", metavar="NAME", help="a deployed stack (LENS_STACK)")

    def location(child: argparse.ArgumentParser, metavar: str = "LOCATION") -> None:
        child.add_argument("location", nargs="?", metavar=metavar, help="the photos")
        stack(child)

    def allows(child: argparse.ArgumentParser) -> None:
        child.add_argument(
            "--allow-deletions",
            default="",
            metavar="HOLD",
            help="let the photos of this hold go, which `lens status` names",
        )

    def as_json(child: argparse.ArgumentParser) -> None:
        child.add_argument("--json", action="store_true", help="print JSON")

    child = command("index", commands.index, "make a catalog searchable, or bring it up to date")
    location(child)
    child.add_argument(
        "--explain",
        action="store_true",
        help="only say which photos are one product, and what is doubtful",
    )
    child.add_argument("--json", action="store_true", help="of --explain, as JSON")
    allows(child)
    location(command("serve", commands.serve, "index, watch the folder, and serve page and API"))

    child = command("search", commands.search, "find the catalog photos most similar to a photo")
    child.add_argument("photo", metavar="PHOTO", help="the photo to search by")
    location(child)
    child.add_argument("--top-k", type=_count, default=12, metavar="K", help="results (12)")
    child.add_argument("--category", metavar="NAME", help="only this category and those under it")
    child.add_argument(
        "--filter",
        default="",
        metavar="WHAT",
        help="what the product must be like: 'price<=50;color=Blue|Black'",
    )
    child.add_argument(
        "--region",
        default="",
        metavar="BOX",
        help="a part of the photo, x0,y0,x1,y1 from 0 to 1, or whole (the main garment)",
    )
    child.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="PHOTO",
        help="another photo of the same garment; may be repeated, as the next two",
    )
    child.add_argument(
        "--like", action="append", default=[], metavar="ID", help="an item or photo to be like"
    )
    child.add_argument(
        "--unlike", action="append", default=[], metavar="ID", help="one not to be like"
    )
    as_json(child)

    child = command(
        "evaluate", commands.evaluate, "score retrieval on photos with a partition file"
    )
    location(child, "PHOTOS")
    child.add_argument(
        "--protocol",
        choices=("benchmark", "strict", "shopper"),
        help="benchmark and strict by default",
    )
    child.add_argument("--shopper", metavar="FOLDER", help="shoppers' photos, for that protocol")
    child.add_argument("--model", metavar="ID", help="use this model, not the default one")
    as_json(child)

    child = command("status", commands.status, "show model, gallery, pin and rejected photos")
    location(child)
    as_json(child)

    child = command(
        "tune", commands.tune, "measure which form of the model is the fastest on this machine"
    )
    location(child)
    child.add_argument("--model", metavar="ID", help="another model than the live one")
    as_json(child)

    child = command(
        "reconcile", commands.reconcile, "compare the gallery with the catalog and repair it"
    )
    location(child)
    allows(child)

    child = command("verify", commands.verify, "read and check everything that was made")
    location(child)
    as_json(child)

    child = command(
        "repair", commands.repair, "set damaged parts aside, and embed again only what was lost"
    )
    location(child)
    child.add_argument(
        "--model", metavar="ID", help="the model to be live, where that cannot be told or is lost"
    )
    child.add_argument(
        "--from",
        dest="copies",
        metavar="LOCATION",
        help="artifacts that may have a lost model's files",
    )
    child.add_argument(
        "--forget", metavar="ID", help="a damaged model, not the live one, to be let go"
    )

    child = command(
        "backup", commands.backup, "copy models, layout and product file to another location"
    )
    child.add_argument("target", metavar="BACKUP", help="a folder, or s3://bucket/prefix")
    location(child)
    child = command(
        "restore", commands.restore, "begin lost artifacts anew with a backup, and embed the photos"
    )
    child.add_argument("source", metavar="BACKUP", help="what `lens backup` wrote")
    location(child)

    child = command("rollback", commands.rollback, "hold searches at an earlier commit or model")
    location(child)
    child.add_argument("--commit", type=int, metavar="N", help="its number (the one before)")
    child.add_argument("--model", metavar="ID", help="an earlier model")
    child.add_argument(
        "--undo-deletions",
        action="store_true",
        help="show what was removed since because a listing lacked it; never what was deleted",
    )

    location(command("release", commands.release, "end a rollback"))

    child = command(
        "promote", commands.promote, "re-embed the catalog with a model and make it live"
    )
    child.add_argument("model", metavar="MODEL", help="its id")
    location(child)

    child = command("purge", commands.purge, "take photos down for good, their versions included")
    child.add_argument(
        "keys",
        nargs="+",
        metavar="KEY",
        help="a photo's path within the catalog; - reads them from standard input, one a line",
    )
    child.add_argument(
        "--catalog", dest="location", metavar="LOCATION", help="the photos (LENS_CATALOG)"
    )
    stack(child)

    checked = subparsers.add_parser("feed", help="check a product file")
    feeds = checked.add_subparsers(title="commands", metavar="COMMAND", required=True)
    text = "say what is understood of a product file, and per row what cannot be used"
    child = feeds.add_parser("check", help=text, description=f"{text[0].upper()}{text[1:]}.")
    child.set_defaults(run=commands.check_feed)
    child.add_argument(
        "file",
        metavar="FILE",
        help="CSV, TSV or JSON lines: Google Merchant's fields, or an export of Shopify, "
        "WooCommerce or Magento",
    )
    as_json(child)

    child = command("report", commands.report, "tell what people searched for, found and clicked")
    child.add_argument(
        "logs",
        nargs="*",
        metavar="LOG",
        help="files that LENS_SEARCH_LOG named, their older parts too; - is standard input "
        "(LENS_SEARCH_LOG)",
    )
    stack(child)
    child.add_argument("--since", type=_days, metavar="DAYS", help="only so many days back")
    as_json(child)

    child = command("sync", commands.sync, "upload a folder's photos that its bucket lacks")
    child.add_argument("folder", metavar="FOLDER", help="the photos")
    child.add_argument("bucket", nargs="?", metavar="s3://BUCKET", help="means its catalog/")
    stack(child)
    child.add_argument("--delete", action="store_true", help="remove what the folder lacks")
    child.add_argument("--dry-run", action="store_true", help="change nothing, say what would be")
    allows(child)

    stack(command("redrive", commands.redrive, "try again what failed: bring back dead letters"))

    # Its other options are the program's own, or the job's; --help too.
    child = subparsers.add_parser(
        "train",
        help="train a model, here (with torch) or by a stack",
        add_help=False,
        allow_abbrev=False,
    )
    child.set_defaults(run=commands.train)
    stack(child)

    child = command("sample", commands.draw, "draw the sample catalog")
    child.add_argument("folder", metavar="FOLDER", help="where to draw it")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days, like 7 or 0.5")
    return days


def _fail(error: object, code: int) -> int:
    print(f"lens: {' '.join(str(error).split())}", file=sys.stderr)
    return code


class _OneLine(logging.Formatter):
    """Log records as one line: an exception's own words instead of its traceback, and at its end
    the id of the request or upload that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        text = f"lens: {record.getMessage()}" + (f": {error}" if error else "")
        about = getattr(record, "correlation_id", "")
        return " ".join(text.split()) + (f" [{about}]" if about else "")
