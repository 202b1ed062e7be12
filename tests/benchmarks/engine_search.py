"""A searcher of the engine trial: one fresh process that opens the table on S3 and asks it.

Every question is asked once in a pass and no two are alike. The process begins with nothing, so the
first passes read lists that later ones find in memory, as a function's first minutes do.
"""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tests.benchmarks.engine_table import TOP
from tests.benchmarks.s3_disk import Disk
from tests.benchmarks.synthetic_gallery import Vectors


@dataclass(frozen=True)
class Effort:
    """How much a question may cost."""

    nprobe: int
    refine: int | None = None  # candidates ranked exactly, as a multiple of what is asked for


@dataclass(frozen=True)
class Pass:
    """What some questions cost, and how many of the exact TOP were found."""

    effort: Effort
    name: str
    recall: float
    p50_ms: float
    p95_ms: float
    most_ms: float
    cpu_ms: float
    requests: float
    kib: float
    peak_mib: float

    def line(self) -> str:
        """A row of the report's table."""
        asked = f"nprobe {self.effort.nprobe}, refine {self.effort.refine or '-'}, {self.name}"
        return (
            f"| {asked} | {self.recall:.3f} | {self.p50_ms:.0f} | {self.p95_ms:.0f} | "
            f"{self.most_ms:.0f} | {self.cpu_ms:.0f} | {self.requests:.1f} | {self.kib:.0f} | "
            f"{self.peak_mib:.0f} |"
        )


HEAD = (
    "| | recall@10 | p50 ms | p95 ms | most ms | CPU ms | requests | KiB | peak MiB |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: |"
)


def open_table(disk: Disk, bucket: str = "trial", name: str = "gallery") -> Any:
    """The table, through S3."""
    import lancedb

    return lancedb.connect(f"s3://{bucket}", storage_options=disk.options).open_table(name)


def ask(table: Any, question: Vectors, where: str, effort: Effort) -> list[int]:
    """Ids of the nearest rows that the filter lets through, filtered before they are ranked."""
    query = table.search(question).distance_type("l2").limit(TOP).nprobes(effort.nprobe)
    if effort.refine:
        query = query.refine_factor(effort.refine)
    if where:
        query = query.where(where, prefilter=True)
    found: list[int] = query.select(["id", "_distance"]).to_arrow()["id"].to_pylist()
    return found


def run_pass(
    table: Any, disk: Disk, asked: Vectors, exact: Any, name: str, where: str, effort: Effort
) -> Pass:
    """Ask each question once, one after the other."""
    disk.counts()
    walls, cpus, hits = [], [], 0
    for question, right in zip(asked, exact, strict=True):
        since, cpu_since = time.perf_counter(), time.process_time()
        found = ask(table, question, where, effort)
        walls.append((time.perf_counter() - since) * 1e3)
        cpus.append((time.process_time() - cpu_since) * 1e3)
        hits += len(set(found) & set(right.tolist()))
    counts = disk.counts()
    requests = sum(counts.get(method, 0) for method in ("GET", "HEAD", "PUT", "POST"))
    return Pass(
        effort,
        name,
        hits / int(np.count_nonzero(exact >= 0)),
        float(np.percentile(walls, 50)),
        float(np.percentile(walls, 95)),
        max(walls),
        float(np.median(cpus)),
        requests / len(asked),
        counts.get("bytes", 0) / len(asked) / 1024,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def recorded(passes: list[Pass]) -> str:
    """For a program that reads them."""
    return json.dumps([asdict(each) for each in passes])
