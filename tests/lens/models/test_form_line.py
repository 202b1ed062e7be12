"""The form's line: what a function computes with, and how fast, or nothing where nobody knows."""

from __future__ import annotations

import json
from pathlib import Path

from lens.models.cpu import cpu_kind
from lens.models.embedder import RUNTIME, load_embedder
from lens.models.form_line import FORM, METRIC, form_line
from lens.storage import FileStorage
from tests.support.tiny_model import write_tiny_model


def test_the_form_its_milliseconds_and_the_cpu_are_told(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    model_id = write_tiny_model(storage).model_id
    named = load_embedder(storage, model_id, "fp32")
    assert form_line("Shop-search", named) is None, "named, and measured by nobody"
    embedder = load_embedder(storage, model_id)
    told = json.loads(form_line("Shop-search", embedder) or "")
    assert told[METRIC] == embedder.milliseconds and told[METRIC] > 0
    assert (told[FORM], told["Model"]) == ("fp32", model_id)
    assert (told["Cpu"], told["Runtime"]) == (cpu_kind(), RUNTIME)
    (metrics,) = told["_aws"]["CloudWatchMetrics"]
    assert metrics["Dimensions"] == [["FunctionName"], ["FunctionName", FORM]]
