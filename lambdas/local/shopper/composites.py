"""Composites: the strict queries' garments on other backgrounds, asked whole and cut out."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.local.evaluation import Trial
from lambdas.local.progress import progress_bar
from lambdas.local.shopper.folder import ShopperFolder
from lens.evaluation.boxes import WHOLE
from lens.evaluation.composites import Composite, compose, cut_out, cut_to, generator
from lens.evaluation.intervals import Figure, mean_figure
from lens.models.regions import overlap
from lens.photos.decoding import decode
from lens.search.results import Results
from lens.search.wanted import Wanted
from lens.settings import Limits

KS = (1, 5, 10)


@dataclass(frozen=True)
class CompositeFigures:
    """Recall by K, as text; the boxes' figures are of the box that the product searched."""

    queries: int
    gallery: int
    whole: dict[str, Figure]  # the photo as it is, answered as the product answers it
    true_box: dict[str, Figure]  # the photo cut to its garment: what a perfect box would reach
    box_overlap: Figure  # mean intersection over union with the true box
    box_found: Figure  # share of photos of which a part was searched, right or wrong


@dataclass(frozen=True)
class AskedComposite:
    """What the product answered to one."""

    item_id: str
    results: Results


def measure(trial: Trial, folder: ShopperFolder) -> tuple[CompositeFigures, list[AskedComposite]]:
    """Ask all of them; what was answered to the whole photos serves the question of no match."""
    limits = trial.searcher.limits
    backgrounds = [decode(path.read_bytes(), limits) for path in folder.backgrounds()]
    asked: list[AskedComposite] = []
    cut: list[Results] = []
    overlaps: list[float] = []
    with progress_bar("Searching, composites") as progress:
        for done, key in enumerate(trial.split.queries, start=1):
            rng = generator(key)
            background = backgrounds[int(rng.integers(len(backgrounds)))]
            photo = decode(trial.catalog.storage.read(key)[0], limits)
            composite = compose(cut_out(photo), background, rng)
            results = trial.searcher.search(composite.jpeg(), Wanted(max(KS)))
            asked.append(AskedComposite(trial.partition[key].item_id, results))
            overlaps.append(overlap(composite.box, results.region or WHOLE))
            within = _cut(composite, limits)
            cut.append(trial.searcher.search(within, Wanted(max(KS)), region="whole"))
            progress(done, len(trial.split.queries))
    items = [each.item_id for each in asked]
    figures = CompositeFigures(
        queries=len(items),
        gallery=len(trial.split.gallery),
        whole=_recalls(items, [each.results for each in asked]),
        true_box=_recalls(items, cut),
        box_overlap=mean_figure(overlaps, items),
        box_found=mean_figure([each.results.region is not None for each in asked], items),
    )
    return figures, asked


def _cut(composite: Composite, limits: Limits) -> bytes:
    """As the product would cut it: out of the photo as it arrives, compressed."""
    return cut_to(decode(composite.jpeg(), limits), composite.box)


def _recalls(items: list[str], answers: list[Results]) -> dict[str, Figure]:
    """An item's queries are drawn together: they show one garment."""
    return {
        str(k): mean_figure(
            [
                item in [hit.item_id for hit in results.hits[:k]]
                for item, results in zip(items, answers, strict=True)
            ],
            items,
        )
        for k in KS
    }
