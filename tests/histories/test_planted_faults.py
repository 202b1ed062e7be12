"""Planted faults: each breaks one rule of the commit protocol, and few histories are played until
one notices it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from lens.gallery import rows as gallery_rows
from lens.gallery.gallery import Gallery
from lens.gallery.rows import Positions, Rows, keepers
from lens.pipeline import collect, compact
from lens.storage import Storage, documents
from tests.histories.seeded import trouble_of

pytestmark = pytest.mark.slow

# When these were written, the first to notice was 2, 19, 19, 22 and 0.
HISTORIES = 60

Fault = Callable[[], AbstractContextManager[Any]]


def no_condition() -> AbstractContextManager[Any]:
    """A document is replaced whatever is there by now."""

    def replace(storage: Storage, key: str, document: documents.Document, etag: object) -> None:
        storage.write(key, documents._encode(storage, document))

    return patch.object(documents, "replace_document", replace)


def forgetful_fold() -> AbstractContextManager[Any]:
    """A compactor drops all tombstones."""

    def kept(rows: Rows, *, tombstones_since: float) -> Positions:
        return keepers(rows, tombstones_since=np.inf)

    return patch.object(compact, "keepers", kept)


def last_come() -> AbstractContextManager[Any]:
    """The row that came last wins, whatever its version."""

    def by_key(rows: Rows) -> Positions:
        return np.argsort(rows.key, kind="stable")

    return patch.object(gallery_rows, "order_by_version", by_key)


def no_fence() -> AbstractContextManager[Any]:
    """A collector does not make commits fail that have begun."""
    return patch.object(collect, "_fence", lambda storage, due, now: None)


def nothing_hidden() -> AbstractContextManager[Any]:
    """A pin shows what was deleted since."""
    return patch.object(Gallery, "hiding_deleted", lambda self, guards, undo=False: self)


@pytest.mark.parametrize(
    "fault", [no_condition, forgetful_fold, last_come, no_fence, nothing_hidden]
)
def test_a_planted_fault_is_noticed_by_a_history(fault: Fault) -> None:
    with fault():
        assert any(trouble_of(seed)[1] for seed in range(HISTORIES))
