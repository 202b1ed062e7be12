"""The search handler: Lambda's entry to the HTTP API, its model and gallery loaded at import."""

from __future__ import annotations

import gc

# Nothing that is imported is garbage: to look for it takes 120 ms of a start's 900 ms of imports.
gc.disable()

import contextlib
import os
import sys

from lens.config import settings_from
from lens.errors import LensError
from lens.search import Searcher
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts"))
_searcher = Searcher(open_storage(_settings.artifacts), _settings.limits, _settings.cached_results)
# The model's bytes are waited for while the web's modules are imported.
_loading = _searcher.begin()

# FastAPI imports all of pydantic 1, for 60 ms, to see that no schema is a model of it.
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]

from mangum import Mangum

from lambdas.search.app import create_app

# "auto" would start the app anew in every invocation (Mangum 0.22).
handler = Mangum(create_app(_settings, _searcher), lifespan="off")
# A gallery that cannot be loaded is told by health and tried again by every search; failing here
# would leave the caller with a bare 500.
with contextlib.suppress(LensError):
    _loading.result()
gc.freeze()  # what is there now stays, and need not be looked through ever again
gc.enable()
