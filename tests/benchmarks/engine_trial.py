"""The trial of an engine beyond one function: LanceDB on an S3 whose every request is late.

    python -m venv ../lance && ../lance/bin/pip install lancedb
    export PYTHONPATH=$PYTHONPATH:$PWD/../lance/lib/python3.11/site-packages
    python -m tests.benchmarks.engine_trial write PHOTOS FOLDER --rows 10000000
    python -m tests.benchmarks.engine_trial index FOLDER --kind IVF_SQ --lists 2048
    python -m tests.benchmarks.engine_trial ask FOLDER --effort 16,2 32,2
    python -m tests.benchmarks.engine_trial rules FOLDER

PHOTOS is a catalog, or the photos.npz of `make bench`. LanceDB is none of this project's packages:
it lies behind them on the path. Ten million rows want 7 GB of disk. `rules` plays on a copy.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.benchmarks.engine_rules import play
from tests.benchmarks.engine_search import HEAD, Effort, open_table, run_pass
from tests.benchmarks.engine_table import filters, write_table
from tests.benchmarks.s3_disk import s3_disk
from tests.benchmarks.synthetic_gallery import real_photos

LATENCY = 0.03  # s, of each request
RATE = 75e6  # bytes a second, of each request


def index(folder: Path, kind: str, lists: int) -> str:
    """Build the vectors' index in the folder itself."""
    import lancedb
    from lancedb.index import BTree, HnswSq, IvfPq, IvfRq, IvfSq

    kinds = {"IVF_SQ": IvfSq, "IVF_RQ": IvfRq, "IVF_PQ": IvfPq, "IVF_HNSW_SQ": HnswSq}
    table = lancedb.connect(str(folder / "trial")).open_table("gallery")
    since, cpu_since = time.perf_counter(), time.process_time()
    if kind == "SCALAR":
        for column in ("commit", "beaten", "category"):
            table.create_index(column, config=BTree())
    else:
        table.create_index("vector", config=kinds[kind](distance_type="l2", num_partitions=lists))
    wall, cpu = time.perf_counter() - since, time.process_time() - cpu_since
    size = sum(file.stat().st_size for file in folder.rglob("_indices/*/*"))
    return (
        f"{kind}, {lists} lists: {wall:.0f} s, {cpu:.0f} CPU s, peak {_peak_gib():.1f} GiB, "
        f"files {size / 2**20:.0f} MiB"
    )


def ask(
    folder: Path, efforts: Sequence[Effort], names: Sequence[str], count: int, latency: float
) -> Iterator[str]:
    """A searcher that has nothing yet, then pass by pass what its questions cost."""
    answers = np.load(folder / "answers.npz")
    category = json.loads((folder / "facts.json").read_text())["category"]
    with s3_disk(folder, latency=latency, rate=RATE) as disk:
        since = time.perf_counter()
        table = open_table(disk)
        yield f"Opened in {time.perf_counter() - since:.2f} s.\n\n{HEAD}"
        for name in names:
            where, exact = filters(category)[name], answers[f"{name}: ids"]
            every = np.ones(len(exact), np.bool_)
            askers = {name: every}
            if name.endswith("category"):
                askers = {
                    f"{name}, of others": every,
                    f"{name}, of its own": answers["of_category"],
                }
            for told, these in askers.items():
                chosen = np.flatnonzero(these)[:count]
                for effort in efforts:
                    asked = answers["asked"][chosen]
                    yield run_pass(table, disk, asked, exact[chosen], told, where, effort).line()


def rules(folder: Path, latency: float) -> Iterator[str]:
    """Play the gallery's rules on a copy of the folder."""
    with TemporaryDirectory(dir=folder.parent) as place:
        copy = Path(place) / "copy"
        shutil.copytree(folder, copy)
        with s3_disk(copy, latency=latency, rate=RATE) as disk:
            yield from play(disk, np.load(copy / "answers.npz")["asked"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what the chosen part found, in Markdown."""
    parser = argparse.ArgumentParser(description="LanceDB on an S3 that is late.")
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("write", "index", "ask", "rules"):
        part = parts.add_parser(name)
        if name == "write":
            part.add_argument("photos", metavar="PHOTOS")
            part.add_argument("--rows", type=int, default=100_000)
        part.add_argument("folder", type=Path)
        if name == "index":
            part.add_argument("--kind", default="IVF_SQ", help="or SCALAR: of what is filtered by")
            part.add_argument("--lists", type=int, default=512)
        if name in ("ask", "rules"):
            part.add_argument("--latency", type=float, default=LATENCY)
        if name == "ask":
            part.add_argument("--effort", nargs="+", type=_effort, default=[Effort(32, 2)])
            part.add_argument("--filter", nargs="+", default=["all", "newest commit"])
            part.add_argument("--questions", type=int, default=100)
    options = parser.parse_args(arguments)
    if options.part == "write":
        write_table(real_photos(options.photos), options.rows, options.folder)
    elif options.part == "index":
        print(index(options.folder, options.kind, options.lists))
    elif options.part == "ask":
        lines = ask(
            options.folder, options.effort, options.filter, options.questions, options.latency
        )
        _tell(lines)
    else:
        _tell(rules(options.folder, options.latency))


def _tell(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _effort(text: str) -> Effort:
    nprobe, refine = (int(number) for number in text.split(","))
    return Effort(nprobe, refine or None)


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
