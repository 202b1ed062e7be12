"""The table of the engine trial: a synthetic gallery in LanceDB, with questions and exact answers.

Its rows came in 100 commits, in order; one in sixteen was beaten by a later commit. The vectors are
unit vectors, so the engine's squared distance d is the similarity 1 - d / 2.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.synthetic_gallery import Photos, Vectors, synthetic_photos

ALIVE = 2**31 - 1  # `beaten` of a row that nothing has beaten
COMMITS = 100
QUESTIONS = 400
TOP = 10
_BEATEN = 1 / 16
_DRAWN = 500_000  # rows at a time

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Some rows of the table, column by column; `vector` is (N, D) float32."""

    id: Positions
    commit: NDArray[np.int32]
    beaten: NDArray[np.int32]
    category: NDArray[np.int16]
    vector: Vectors


def filters(category: int) -> dict[str, str]:
    """What is asked, in the engine's words: everything, a commit's rows, and a category's."""
    at = "commit <= {0} AND beaten > {0}"
    return {
        "all": "",
        "newest commit": at.format(COMMITS),
        "pinned at 50": at.format(COMMITS // 2),
        "pinned, a category": f"{at.format(COMMITS // 2)} AND category = {category}",
    }


def rows_of(real: Photos, count: int) -> Iterator[Rows]:
    """The table's rows, in their order; the same for the same photos and count."""
    names = np.unique(real.category)
    for start in range(0, count, _DRAWN):
        photos = synthetic_photos(real, min(_DRAWN, count - start), seed=1_000 + start)
        number = np.arange(start, start + len(photos))
        commit = (number * COMMITS // count + 1).astype(np.int32)
        chance = np.random.default_rng(start)
        later = commit + 1 + (chance.random(len(photos)) * (COMMITS - commit)).astype(np.int32)
        beats = (chance.random(len(photos)) < _BEATEN) & (later <= COMMITS)
        beaten = np.where(beats, later, ALIVE).astype(np.int32)
        category = np.searchsorted(names, photos.category).astype(np.int16)
        yield Rows(number, commit, beaten, category, photos.vectors)


def questions(real: Photos) -> Photos:
    """QUESTIONS photos of other items than the table's, drawn alike."""
    return synthetic_photos(real, QUESTIONS, seed=7)


def commonplace(real: Photos) -> int:
    """A category that is neither the largest nor the smallest."""
    sizes = np.unique(real.category, return_counts=True)[1]
    return int(np.argsort(sizes)[len(sizes) // 2])


def chosen(rows: Rows, name: str, category: int) -> NDArray[np.bool_]:
    """Which of these rows a filter lets through: what `filters` says, computed here."""
    mask = np.ones(len(rows.id), np.bool_)
    if name == "newest commit":
        mask &= rows.beaten > COMMITS
    if name.startswith("pinned"):
        mask &= (rows.commit <= COMMITS // 2) & (rows.beaten > COMMITS // 2)
    if name.endswith("category"):
        mask &= rows.category == category
    return mask


class Answers:
    """The exact TOP rows for each question, filter by filter, while the rows pass by."""

    def __init__(self, asked: Vectors, category: int) -> None:
        self.asked, self.category = asked, category
        nothing = np.full((len(asked), TOP), -np.inf, np.float32), np.full((len(asked), TOP), -1)
        self.best = dict.fromkeys(filters(category), nothing)

    def see(self, rows: Rows) -> None:
        """Keep the better ones."""
        for name, (similarities, ids) in self.best.items():
            mask = chosen(rows, name, self.category)
            if not mask.any():
                continue
            found, places = faiss.knn(
                self.asked, rows.vector[mask], TOP, metric=faiss.METRIC_INNER_PRODUCT
            )
            here = np.where(places >= 0, rows.id[mask][places], -1)
            found = np.concatenate([similarities, found], axis=1)
            here = np.concatenate([ids, here], axis=1)
            order = np.argsort(-found, axis=1, kind="stable")[:, :TOP]
            self.best[name] = (
                np.take_along_axis(found, order, 1),
                np.take_along_axis(here, order, 1),
            )


def write_table(real: Photos, count: int, folder: Path) -> None:
    """Write `folder/trial/gallery.lance` and the exact answers beside it."""
    import lancedb

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asked, category = questions(real), commonplace(real)
    answers = Answers(asked.vectors, category)

    def batches() -> Iterator[Any]:
        for rows in rows_of(real, count):
            answers.see(rows)
            yield batch(rows)

    from pyarrow import RecordBatchReader

    reader = RecordBatchReader.from_batches(schema(real.vectors.shape[1]), batches())
    lancedb.connect(str(folder / "trial")).create_table("gallery", reader)
    arrays: dict[str, Any] = {f"{name}: ids": ids for name, (_, ids) in answers.best.items()}
    of_category = asked.category == np.unique(real.category)[category]
    np.savez(folder / "answers.npz", asked=asked.vectors, of_category=of_category, **arrays)
    facts = {"rows": count, "category": category}
    (folder / "facts.json").write_text(json.dumps(facts))


def schema(dim: int) -> Any:
    """The table's columns. Only of a declared key do racing merges leave one row (lance#4585)."""
    import pyarrow

    declared = {"lance-schema:unenforced-primary-key": "true"}
    return pyarrow.schema(
        [
            pyarrow.field("id", pyarrow.int64(), nullable=False, metadata=declared),
            ("commit", pyarrow.int32()),
            ("beaten", pyarrow.int32()),
            ("category", pyarrow.int16()),
            ("vector", pyarrow.list_(pyarrow.float32(), dim)),
        ]
    )


def batch(rows: Rows) -> Any:
    """Rows as Arrow has them."""
    import pyarrow

    dim = rows.vector.shape[1]
    vector = pyarrow.FixedSizeListArray.from_arrays(rows.vector.reshape(-1), dim)
    columns = [rows.id, rows.commit, rows.beaten, rows.category, vector]
    return pyarrow.RecordBatch.from_arrays(
        [pyarrow.array(column) for column in columns], schema=schema(dim)
    )
