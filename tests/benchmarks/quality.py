"""Quality: what each precision of a model finds, against the same model in fp32.

    LENS_BENCH_ARTIFACTS=FOLDER   take the models that are there, instead of the default model

Photos with an In-Shop partition file are split as `lens evaluate` splits them. Of others nobody
knows what is right: there "right" is what fp32 finds first. In every pairing that can
occur, queries in one precision search a gallery in the same one, or one that fp32 embedded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens.default_model.shipped import shipped_manifest, write_shipped
from lens.evaluation.protocols import PROTOCOLS, Split, split_of
from lens.gallery.index import Index
from lens.models.embedder import Embedder
from lens.models.manifest import list_models, read_manifest, read_network
from lens.photos.catalog import Catalog
from lens.photos.decoding import decode
from lens.settings import Limits
from lens.storage import FileStorage, Storage
from tests.benchmarks.figures import markdown
from tests.benchmarks.workload import FOLDER, photo_folder

ARTIFACTS = "LENS_BENCH_ARTIFACTS"
WANTED_QUERIES = 2  # fewer right at rank 1, a protocol
WANTED_OVERLAP = 0.98  # of the first ten
_QUICK_QUERIES = 24
_LEAST_PHOTOS = 22  # so that ten are found of eleven
Vectors = NDArray[np.float32]


def run(quick: bool) -> dict[str, Any]:
    """Every model's precisions on both protocols."""
    folder = photo_folder()
    catalog = Catalog(FileStorage(folder))
    partition = catalog.partition()
    items = {key: entry.item_id for key, entry in partition.items()}
    splits: dict[str, Split]
    if partition:
        splits = {protocol: split_of(partition, protocol) for protocol in PROTOCOLS}
    else:
        splits = {"photos alone": _halves([info.key for info in catalog.photos()])}
    if quick:
        splits = {name: _shortened(split, items) for name, split in splits.items()}
    artifacts = _artifacts()
    return {
        "photos": len(_keys(splits)),
        "models": {
            model_id: compare(embedders(artifacts, model_id), folder, items, splits)
            for model_id in list_models(artifacts)
        },
    }


def embedders(artifacts: Storage, model_id: str) -> dict[str, Embedder]:
    """A model in every precision that it has."""
    manifest = read_manifest(artifacts, model_id)
    return {
        precision: Embedder(manifest, read_network(artifacts, manifest, precision), precision)
        for precision in manifest.variants
    }


def compare(
    precisions: Mapping[str, Embedder],
    folder: Path,
    item_of: Mapping[str, str],
    splits: Mapping[str, Split],
) -> list[dict[str, Any]]:
    """For each precision and protocol: queries that find their item first, and how much of the
    first ten is what fp32 finds. Where no item is known, the right one is what fp32 finds first."""
    keys = _keys(splits)
    vectors = {name: _embedded(each, folder, keys) for name, each in precisions.items()}
    place = {key: position for position, key in enumerate(keys)}
    items = np.array([item_of.get(key, key) for key in keys])
    lines = []
    for protocol, split in splits.items():
        queries = np.array([place[key] for key in split.queries])
        gallery = np.array([place[key] for key in split.gallery])
        exact = _first_ten(vectors["fp32"][queries], vectors["fp32"][gallery])
        if not item_of:
            items[queries] = items[gallery[[each[0] for each in exact]]]
        right = _right(items, queries, gallery, exact)
        for query, beside in _pairings(precisions):
            found = _first_ten(vectors[query][queries], vectors[beside][gallery])
            lines.append(
                {
                    "protocol": protocol,
                    "precision": query,
                    "gallery": beside,
                    "queries": len(queries),
                    "right": _right(items, queries, gallery, found),
                    "fewer": right - _right(items, queries, gallery, found),
                    "overlap": _overlap(exact, found),
                }
            )
    return lines


def table(figures: dict[str, Any]) -> str:
    """Every precision, protocol and pairing."""
    lines = [
        (
            f"{model_id}, {line['precision']}",
            line["gallery"],
            line["protocol"],
            f"{line['right'] / line['queries']:.1%}",
            f"{line['fewer']:+d} of {line['queries']}",
            f"{line['overlap']:.3f}",
            "yes" if admitted(line) else "no",
        )
        for model_id, of in figures["models"].items()
        for line in of
    ]
    header = ("queries", "gallery", "protocol", "R@1", "fewer right", "top-10 overlap", "admitted")
    return (
        f"{markdown(header, lines)}\n\n{figures['photos']} photos. Wanted: at most "
        f"{WANTED_QUERIES} queries fewer a protocol, overlap ≥ {WANTED_OVERLAP}."
    )


def admitted(line: Mapping[str, Any]) -> bool:
    """Whether it loses no more than is wanted."""
    return bool(line["fewer"] <= WANTED_QUERIES and line["overlap"] >= WANTED_OVERLAP)


def _keys(splits: Mapping[str, Split]) -> list[str]:
    return sorted({key for split in splits.values() for key in (*split.queries, *split.gallery)})


def _pairings(precisions: Mapping[str, Embedder]) -> list[tuple[str, str]]:
    faster = [name for name in precisions if name != "fp32"]
    return [("fp32", "fp32"), *((name, side) for name in faster for side in (name, "fp32"))]


def _embedded(embedder: Embedder, folder: Path, keys: Sequence[str]) -> Vectors:
    def embed(key: str) -> Vectors:
        return embedder.embed_main(decode((folder / key).read_bytes(), Limits()))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(embed, keys)))


def _first_ten(queries: Vectors, gallery: Vectors) -> list[list[int]]:
    index = Index(gallery)
    return [index.search(query, 10)[1].tolist() for query in queries]


def _right(
    items: NDArray[np.str_],
    queries: NDArray[np.intp],
    gallery: NDArray[np.intp],
    found: Sequence[Sequence[int]],
) -> int:
    firsts = gallery[[each[0] for each in found]]
    return int((items[firsts] == items[queries]).sum())


def _overlap(expected: Sequence[Sequence[int]], found: Sequence[Sequence[int]]) -> float:
    shares = [len({*a} & {*b}) / len(a) for a, b in zip(expected, found, strict=True)]
    return float(np.mean(shares))


def _halves(keys: Sequence[str]) -> Split:
    """Every second photo searches the others; no photo searches itself."""
    if len(keys) < _LEAST_PHOTOS:
        raise RuntimeError(f"there are {len(keys)} photos; quality needs {_LEAST_PHOTOS}")
    return Split(tuple(keys[::2]), tuple(keys[1::2]))


def _shortened(split: Split, item_of: Mapping[str, str]) -> Split:
    """The first queries; of the gallery the photos of their items, and others."""
    queries = split.queries[:_QUICK_QUERIES]
    wanted = {item_of[key] for key in queries if key in item_of}
    first = [key for key in split.gallery if item_of.get(key) in wanted]
    others = [key for key in split.gallery if item_of.get(key) not in wanted]
    return Split(queries, tuple([*first, *others][: 4 * _QUICK_QUERIES]))


def _artifacts() -> Storage:
    """Those that were named, or new ones with the default model."""
    if given := os.environ.get(ARTIFACTS):
        return FileStorage(Path(given))
    artifacts = FileStorage(FOLDER / shipped_manifest().model_id)
    write_shipped(artifacts)
    return artifacts
