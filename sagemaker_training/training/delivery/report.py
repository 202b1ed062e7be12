"""The report: one run in a self-contained HTML file, optionally compared with another run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lens.evaluation.score import KS
from lens.photos.decoding import decode, thumbnail
from lens.settings import Limits
from training.data.dataset import Photo
from training.delivery.runs import Run
from training.loop.scoring import Answer, ProtocolScores

_FAILURES = 16  # the worst queries of a protocol that are shown
_HITS = 8  # the best ones
_SIDE = 112  # pixels of a thumbnail
_WIDTH, _HEIGHT = 520, 200  # pixels of a curve
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem .2rem 0; text-align: right } th:first-child { text-align: left }
td:first-child { text-align: left } thead th { border-bottom: 1px solid }
.row { display: flex; gap: .5rem; margin: .6rem 0; align-items: flex-start; overflow-x: auto }
figure { margin: 0; width: 7.2rem; flex: none; font-size: .75rem; overflow-wrap: anywhere }
figure img { width: 7rem; height: 7rem; object-fit: contain; background: #fff; display: block;
  border: 3px solid transparent; box-sizing: border-box }
.right img { border-color: #1a7f37 } .wrong img { border-color: #cf222e }
.ours { stroke: #0969da } .theirs { stroke: #bc6c00 } path { fill: none; stroke-width: 2 }
svg text { font-size: 11px; fill: currentColor } svg line { stroke: currentColor; opacity: .3 }
.minor { opacity: .75 }
"""


def write_report(
    file: Path, run: Run, root: Path, photos: Sequence[Photo], other: Run | None = None
) -> Path:
    """Write the report; `other` is the run to compare with. Photos are read from `root`."""
    items = {photo.key: photo.item_id for photo in photos}
    parts = [
        f"<h1>{escape(run.model_id)}</h1>",
        f"<p>{escape(run.name)}; trained in {run.seconds / 60:.1f} min on "
        f"{escape(str(run.machine.get('device', '')))}"
        + (f"; beside {escape(other.name)} ({escape(other.model_id)})" if other else "")
        + ".</p>",
        _figures(run, other),
        "<h2>Curves</h2>",
        _curve("Loss", "loss", run, other),
        _curve("Validation, loss", "validation_loss", run, other),
        _curve("Validation, Recall@1", "recall_at_1", run, other),
        _curve("Validation, MAP@R", "map_at_r", run, other),
    ]
    for name, scores in run.scores.items():
        theirs = other.scores.get(name) if other else None
        parts += [
            f"<h2>{escape(name)}</h2>",
            _categories(scores, theirs),
            _grid("Worst failures", _worst(scores), items, root, theirs),
            _grid("Best hits", _best(scores), items, root, theirs),
        ]
    parts.append(_recipes(run, other))
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(run.model_id)}</title><style>{_STYLE}</style><body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page)
    return file


def _figures(run: Run, other: Run | None) -> str:
    heads = [f"R@{k}" for k in KS] + ["MAP@R"]
    rows = []
    for name, scores in run.scores.items():
        ours = _row_of(scores)
        rows.append([name, "this run", *(_percent(value) for value in ours)])
        if other and name in other.scores:
            theirs = _row_of(other.scores[name])
            rows.append(["", "the other", *(_percent(value) for value in theirs)])
            gains = [100 * (a - b) for a, b in zip(ours, theirs, strict=True)]
            rows.append(["", "difference", *(f"{gain:+.1f}" for gain in gains)])
    return _table(["protocol", "", *heads], rows)


def _categories(scores: ProtocolScores, other: ProtocolScores | None) -> str:
    rows = []
    for name, figures in scores.by_category.items():
        row = [name or "(none)", f"{figures['queries']:.0f}", _percent(figures["recall_at_1"])]
        if other:
            theirs = other.by_category.get(name)
            row.append(_percent(theirs["recall_at_1"]) if theirs else "")
        rows.append([*row, _percent(figures["map_at_r"])])
    heads = ["category", "queries", "R@1", *(["the other's"] if other else []), "MAP@R"]
    return _table(heads, rows)


def _recipes(run: Run, other: Run | None) -> str:
    rows = []
    for field, value in run.recipe.items():
        theirs = other.recipe.get(field) if other else None
        mark = " *" if other and theirs != value else ""
        rows.append([field + mark, str(value), *([str(theirs)] if other else [])])
    rows += [[field, str(value)] for field, value in run.data.items()]
    return "<h2>Recipe and data</h2>" + _table(
        ["", "this run", "the other"][: 3 if other else 2], rows
    )


def _curve(title: str, field: str, run: Run, other: Run | None) -> str:
    """Draw a field by epoch as an inline SVG; empty if the run did not measure it."""
    curves = [
        (style, [(entry["epoch"], entry[field]) for entry in each.history if field in entry])
        for style, each in (("theirs", other), ("ours", run))
        if each is not None
    ]
    points = [point for _, curve in curves for point in curve]
    if not any(style == "ours" and curve for style, curve in curves):
        return ""
    last = max(max(epoch for epoch, _ in points), 2)
    low, high = min(value for _, value in points), max(value for _, value in points)
    span = (high - low) or 1.0

    def place(epoch: float, value: float) -> str:
        x = 50 + (epoch - 1) / (last - 1) * (_WIDTH - 60)
        return f"{x:.1f} {_HEIGHT - 25 - (value - low) / span * (_HEIGHT - 40):.1f}"

    paths = "".join(
        f'<path class="{style}" d="M{" L".join(place(*point) for point in curve)}"/>'
        for style, curve in curves
        if curve
    )
    bottom = _HEIGHT - 25
    return (
        f"<h3>{escape(title)}</h3>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'aria-label="{escape(title)} by epoch">'
        f'<line x1="50" y1="{bottom}" x2="{_WIDTH - 10}" y2="{bottom}"/>'
        f'<text x="0" y="19">{high:.4g}</text><text x="0" y="{bottom}">{low:.4g}</text>'
        f'<text x="50" y="{_HEIGHT - 8}">1</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 8}" text-anchor="end">epoch {last}</text>'
        f"{paths}</svg>"
    )


def _worst(scores: ProtocolScores) -> list[Answer]:
    """Return the wrong answers: first those whose right photo has the lowest rank or none, and of
    equal ones first those with the most similar hit."""
    wrong = [answer for answer in scores.answers if answer.first_right != 1]
    return sorted(
        wrong,
        key=lambda answer: (-(answer.first_right or 10**9), -max(answer.similarities, default=0)),
    )[:_FAILURES]


def _best(scores: ProtocolScores) -> list[Answer]:
    """Return the right answers, those with the most similar first hit first."""
    right = [answer for answer in scores.answers if answer.first_right == 1]
    return sorted(right, key=lambda answer: -answer.similarities[0])[:_HITS]


def _grid(
    title: str,
    answers: Sequence[Answer],
    items: dict[str, str],
    root: Path,
    other: ProtocolScores | None,
) -> str:
    theirs = {answer.key: answer.first_right for answer in other.answers} if other else {}
    rows = []
    for answer in answers:
        caption = f"query; right at rank {answer.first_right or 'none'}"
        if answer.key in theirs:
            caption += f", in the other {theirs[answer.key] or 'none'}"
        cells = [_figure(root, answer.key, caption, "")]
        for key, similarity in zip(answer.hits, answer.similarities, strict=True):
            style = "right" if items[key] == items[answer.key] else "wrong"
            cells.append(_figure(root, key, f"{similarity:.3f} {style}", style))
        rows.append(f'<div class="row">{"".join(cells)}</div>')
    return f"<h3>{escape(title)}</h3>" + ("".join(rows) or "<p>There are none.</p>")


def _figure(root: Path, key: str, caption: str, style: str) -> str:
    image = thumbnail(decode((root / key).read_bytes(), Limits()), _SIDE)
    source = f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"
    return (
        f'<figure class="{style}"><img src="{source}" alt="{escape(key)}">'
        f'<figcaption>{escape(caption)}<br><span class="minor">{escape(key)}</span></figcaption>'
        "</figure>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row_of(scores: ProtocolScores) -> list[float]:
    return [*(scores.recall_at_k[str(k)] for k in KS), scores.map_at_r]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
