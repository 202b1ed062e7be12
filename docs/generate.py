"""Writes the parts of the documents that the code knows better: `make docs`.

A part lies between `<!-- generated: name -->` and `<!-- end -->`; tests/test_docs.py compares.
"""

import io
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import fields
from pathlib import Path
from unittest.mock import patch

from docs.markdown import allowed, block, default, limits, table

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "layers/lens/python/lens/": "the domain: photos, models, gallery, search; imports no other",
    "lambdas/": "what runs: one folder for each function; local/ runs them on this machine",
    "layers/": "the layers of the functions in zips: the domain, and the packages it needs",
    "frontend/": "the page, which is also a widget: plain HTML, CSS and ES modules, no build step",
    "sagemaker_training/": "how models are trained, with torch",
    "cdk/": "what is deployed on AWS: one stack, one construct a file",
    "environments/": "settings of deployments: dev, staging, prod",
    "runs/": "training runs as scripts",
    "tests/": "the same folders again; histories/, e2e/ (browser), aws/ (emulator), benchmarks/",
    "docs/": "the pages listed below, and the program that writes parts of them",
}
_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Defaults that depend on the machine or on the catalog.
_DEFAULTS = {"artifacts": "`.lens/…`", "threads": "all cores", "queued_searches": "8 a thread"}
# S3 acts on a lifecycle's day in the night after, and takes its time; a thumbnail's max-age.
_LIFECYCLE_DAYS, _CACHED_DAYS = 2, 365
_TERMINAL = {"COLUMNS": "140", "NO_COLOR": "1"}  # so wide that argparse breaks no usage line


def generated(text: str) -> str:
    """A document with its generated parts written anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n\n{part[3]}", text)


def documents() -> list[Path]:
    """Every document that may have generated parts."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _folders() -> str:
    width = max(map(len, FOLDERS)) + 1
    return block("".join(f"{name:<{width}}{text}\n" for name, text in FOLDERS.items()))


def _commands() -> str:
    from lambdas.local.cli import main
    from lambdas.local.stack.training_job import parse_options

    overview = _help(main)
    names = re.findall(r"^    (\w+)", overview, re.MULTILINE)
    # `lens train` has no help of its own: here it is the program's, on a stack the job's.
    texts = [_help(main, name) if name != "train" else _help(parse_options) for name in names]
    texts.insert(names.index("feed") + 1, _help(main, "feed", "check"))
    return "\n\n".join(map(block, (overview, *texts)))


def _help(command: Callable[[Sequence[str]], object], *words: str) -> str:
    told = io.StringIO()
    with patch.dict("os.environ", _TERMINAL), redirect_stdout(told), suppress(SystemExit):
        command([*words, "--help"])
    return told.getvalue()


def _settings() -> str:
    from lens.settings import Settings, variable

    rows = (
        (f"`{variable(name)}`", _DEFAULTS.get(name) or default(field), field.description)
        for name, field in Settings.model_fields.items()
    )
    return table(("setting", "default", "meaning"), rows)


def _deployment() -> str:
    from cdk.config import Config

    rows = (
        (f"`{name}`", default(field), allowed(field), field.description)
        for name, field in Config.model_fields.items()
    )
    return table(("setting", "default", "allowed", "meaning"), rows)


def _targets() -> str:
    lines = re.findall(r"^([a-z-]+):.*?## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return table(("command", "what it does"), ((f"`make {name}`", text) for name, text in lines))


def _recipes() -> str:
    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    from training.presets import PRESETS, Recipe

    names = [field.name for field in fields(Recipe) if field.name != "name"]
    rows = ((f"`{name}`", *(getattr(each, name) for each in PRESETS.values())) for name in names)
    return table(("field", *(f"`{name}`" for name in PRESETS)), rows)


def _phases() -> str:
    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    from training.garment.plan import GARMENT, Phase

    rows = (
        (f"`{field.name}`", *(getattr(phase, field.name) for phase in GARMENT.phases))
        for field in fields(Phase)
    )
    numbers = (f"phase {number}" for number, _ in enumerate(GARMENT.phases, start=1))
    return table(("field", *numbers), rows)


def _endpoints() -> str:
    from lambdas.search.app import create_app
    from lambdas.search.errors import INTERNAL
    from lens.search.searcher import Searcher
    from lens.settings import Settings
    from lens.storage import open_storage

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(catalog=folder, artifacts=folder)
        document = create_app(settings, Searcher(open_storage(folder))).openapi()
    rows = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            parameters = {each["name"]: each["schema"] for each in about.get("parameters", ())}
            for form in about.get("requestBody", {}).get("content", {}).values():
                schema = form["schema"]["$ref"].rpartition("/")[2]
                parameters |= document["components"]["schemas"][schema]["properties"]
            told = "<br>".join(
                f"`{name}` {limits(each)}".strip() for name, each in parameters.items()
            )
            replies = [reply.get("content", {}) for reply in about["responses"].values()]
            examples = [each.get("examples", {}) for reply in replies for each in reply.values()]
            codes = (code for each in examples for code in each if code != INTERNAL.code)
            errors = ", ".join(f"`{code}`" for code in codes)
            rows.append((f"`{method.upper()} {path}`", about["description"], told, errors))
    return table(("endpoint", "answer", "parameters", "errors"), sorted(rows))


def _errors() -> str:
    from lambdas.search import errors

    found = {each for each in vars(errors).values() if isinstance(each, errors.Refusal)}
    found |= set(errors.REFUSALS.values())
    rows = sorted((each.status, f"`{each.code}`", each.example) for each in found)
    return table(("status", "code", "message, for example"), rows)


def _removal() -> str:
    """How long what is deleted is still somewhere: each line begins where the one before ends."""
    from cdk.config import Config
    from lens.gallery import retention

    config = Config.model_construct()
    a_run = config.collect_hours / 24
    tail, pin, grace = (x / 86_400 for x in (retention.TAIL, retention.PIN, retention.GRACE))
    newest = tail + a_run
    artifacts = newest + pin + a_run + grace + a_run
    kept = config.noncurrent_days + _LIFECYCLE_DAYS
    rows = (
        (
            "searches, and the API's lists",
            "seconds",
            f"the event; if it is lost, `reconcile_hours` ({config.reconcile_hours} h)",
        ),
        (
            "the newest commit's files: vector and row",
            _days(newest),
            f"{tail:.0f} until a fold is due, and a run of `compact`, {a_run:.0f}",
        ),
        (
            "the artifacts: vector, row and thumbnail",
            _days(artifacts),
            f"and history, {pin:.0f}, a run of `collect` that marks, {a_run:.0f}, the grace, "
            f"{grace:.0f}, and a run that removes, {a_run:.0f}",
        ),
        (
            "earlier versions in the buckets",
            _days(artifacts + kept),
            f"and `noncurrent_days`, {config.noncurrent_days}, and S3's own time for it, "
            f"{_LIFECYCLE_DAYS}",
        ),
        (
            "the photo's own file, earlier versions",
            _days(kept),
            "the same from the deletion on; in a bucket of the shop's, its own rules",
        ),
        (
            "CloudFront and browsers: the photo",
            "1 hour",
            "unless the photo's own `Cache-Control` says more",
        ),
        (
            "CloudFront and browsers: the thumbnail",
            _days(artifacts + _CACHED_DAYS),
            f"its address names its content, so it is kept for {_CACHED_DAYS} days",
        ),
    )
    return table(("gone from", "after at most", "because"), rows)


def _days(days: float) -> str:
    return f"{days:.0f} days"


PARTS: dict[str, Callable[[], str]] = {
    "folders": _folders,
    "commands": _commands,
    "settings": _settings,
    "deployment": _deployment,
    "targets": _targets,
    "recipes": _recipes,
    "phases": _phases,
    "endpoints": _endpoints,
    "errors": _errors,
    "removal": _removal,
}

if __name__ == "__main__":
    for document in documents():
        document.write_text(generated(document.read_text()))
