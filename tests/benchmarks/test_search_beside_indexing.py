"""The measurement of searches beside indexing, on a few drawn photos: what it times and prints."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.benchmarks.search_beside_indexing import main, queries
from tests.lambdas.local.photos import write_photos


def test_no_query_is_of_the_same_bytes_as_another(tmp_path: Path) -> None:
    write_photos(tmp_path, range(3))
    sent = list(itertools.islice(queries(tmp_path), 9))
    assert len(set(sent)) == 9


@pytest.mark.slow
def test_searches_are_timed_beside_indexing_and_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, range(300))
    main([str(photos), "--times", "1", "--stretch", "0.5", "--pause", "0", "--json"])
    ((heard,),) = json.loads(capsys.readouterr().out).values()
    assert len(heard["idle"]) == 40
    assert heard["beside"]
    assert all(done > 0 and seconds > 0 for done, seconds in heard["alone"] + heard["searched"])
