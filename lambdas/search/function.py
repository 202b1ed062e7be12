"""The search function: what Lambda calls with an HTTP request; model and gallery load at import."""

from __future__ import annotations

import gc

# Imports make no garbage, and collecting would take 120 ms of a start's 900 ms of imports.
gc.disable()

import contextlib
import os

from lens.errors import LensError
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import thumbnails_of
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts"))
_searcher = Searcher(
    open_storage(_settings.artifacts),
    _settings.limits,
    _settings.cached_results,
    _settings.precision,
    thumbnails_of(_settings),
    _settings.sold_out,
    _settings.shop_currency,
)
# The model's bytes arrive while the web framework is imported.
_loading = _searcher.begin()

from mangum import Mangum

from lambdas.search.app import create_app
from lambdas.search.viewer import Viewed

# Lambda's own Python has this; a function that starts from a snapshot runs it first (SnapStart).
with contextlib.suppress(ImportError):
    from snapshot_restore_py import register_after_restore

    register_after_restore(_searcher.resume)

# "auto" would start the app anew in every invocation (Mangum 0.22).
handler = Mangum(Viewed(create_app(_settings, _searcher)), lifespan="off")
# Health reports a gallery that cannot be loaded, and every search tries again; failing here would
# give the caller a bare 500.
with contextlib.suppress(LensError):
    _loading.result()
gc.freeze()  # all objects so far stay for good: garbage collection skips them from now on
gc.enable()
