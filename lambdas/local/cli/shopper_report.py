"""The shopper report: the figures of the shopper protocol, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.local.shopper.composites import CompositeFigures
from lambdas.local.shopper.kinds import KindFigures
from lambdas.local.shopper.no_match import NoMatchAnswer
from lambdas.local.shopper.protocol import ShopperEvaluation
from lambdas.local.shopper.street import StreetFigures
from lens.evaluation.intervals import Figure
from lens.evaluation.no_match import KindOfPhoto

_WIDTH = 44


def shopper_report(found: ShopperEvaluation) -> str:
    """A line a figure: percent, its 95 % interval, the queries, and one query's worth in points."""
    models = ", ".join(dict.fromkeys(found.model_ids))
    lines = [
        f"{'':<{_WIDTH}} {'%':>6}   {'95 %':^13} {'queries':>8} {'one is':>7}",
        *_composites(found.composites),
        *_kinds(found.kinds),
        *_street(found.street),
        *_no_match(found.no_match),
        f"{found.embedding_dim}-D, model {models}",
    ]
    return "\n".join(lines)


def _composites(of: CompositeFigures) -> Iterator[str]:
    yield f"composites: another background, light and size ({of.gallery} photos)"
    for k, each in of.whole.items():
        yield _line(f"R@{k}, the photo as it is", each)
    for k, each in of.true_box.items():
        yield _line(f"R@{k}, cut to the true box", each)
    yield _line("overlap of the searched box (IoU)", of.box_overlap)
    yield _line("a part of the photo was searched", of.box_found)


def _kinds(of: KindFigures) -> Iterator[str]:
    yield (
        f"kinds: photos by {of.senders} people, mean over {len(of.by_kind)} kinds "
        f"({of.gallery} photos; by chance {100 * of.chance:.1f})"
    )
    yield _line("precision@1", of.first)
    yield _line("precision@12", of.of_12)
    for kind, alone in of.by_kind.items():
        yield (
            f"    {kind:<{_WIDTH - 4}} {100 * alone.first:6.1f}   "
            f"@12: {100 * alone.of_12:<8.1f} {alone.photos:>8}"
        )
    yield _line("a part of the photo was searched", of.box_found)
    if of.color:
        yield _line("color difference, first 5 / all of the kind", of.color.ratio)
        yield (
            f"    CIEDE2000 {of.color.first:.1f} / {of.color.everything:.1f}; "
            f"the nearest five would give {100 * of.color.reachable:.1f} %"
        )


def _street(of: StreetFigures) -> Iterator[str]:
    yield f"street: {of.photos} photos of people, {of.regions:.1f} regions seen in each"
    for name, group in of.groups.items():
        yield _line(f"{name}: a region on it (IoU .5)", group.found)
        yield _line("  its box chosen, kind right first", group.box_first)
        yield _line("  among the first 5 products", group.box_first_five)
        yield _line("  the photo as it is, kind right first", group.whole_first)
        yield _line("  among the first 5 products", group.whole_first_five)


def _no_match(of: NoMatchAnswer) -> Iterator[str]:
    figures = of.figures
    yield f"no match: by {of.score.replace('_', ' ')}, above {figures.threshold:.3f} is accepted"
    yield _line("AUROC, garments sold / no garment", figures.auroc)
    yield _line("false rejects at 5 % false accepts", figures.false_rejects)
    for side, kinds in (
        ("sold", figures.sold),
        ("no garment", figures.no_garment),
        ("not sold", figures.not_sold),
    ):
        for name, kind in kinds.items():
            yield from _kind_of_photo(f"{side}: {name}", kind)


def _kind_of_photo(name: str, of: KindOfPhoto) -> Iterator[str]:
    yield _line(f"  {name}, AUROC", of.auroc)
    yield _line("    accepted", of.accepted)


def _line(name: str, of: Figure) -> str:
    if of.value is None or of.low is None or of.high is None or of.one_query is None:
        return f"  {name:<{_WIDTH - 2}} {'–':>6}   {'':13} {of.queries:>8}"
    interval = f"{100 * of.low:.1f} to {100 * of.high:.1f}"
    return (
        f"  {name:<{_WIDTH - 2}} {100 * of.value:6.1f}   {interval:^13} {of.queries:>8} "
        f"{100 * of.one_query:7.2f}"
    )
