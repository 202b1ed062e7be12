"""The search function: what Lambda calls with an HTTP request; model and gallery load at import."""

from __future__ import annotations

import gc

# Imports make no garbage, and collecting would take 120 ms of a start's 900 ms of imports.
gc.disable()

import contextlib
import os

from lens.errors import LensError
from lens.models.form_line import form_line
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import thumbnails_of
from lens.settings import settings_from
from lens.storage import open_storage

_settings = settings_from(os.environ, required=("catalog", "artifacts"))
_searcher = Searcher(
    open_storage(_settings.artifacts),
    _settings.query_limits,
    _settings.cached_results,
    _settings.precision,
    thumbnails_of(_settings),
    _settings.sold_out,
    _settings.shop_currency,
)
# The model's bytes arrive while the web framework is imported.
_loading = _searcher.begin()

from mangum import Mangum
from starlette.middleware import Middleware

from lambdas.search.app import create_app
from lambdas.search.origin_wall import OriginWall
from lambdas.search.viewer import Viewed
from lambdas.telemetry import observed

# Lambda's own Python has this; a function that starts from a snapshot runs it first (SnapStart).
with contextlib.suppress(ImportError):
    from snapshot_restore_py import register_after_restore

    register_after_restore(_searcher.resume)

# "auto" would start the app anew in every invocation (Mangum 0.22).
_walls = [Middleware(OriginWall, keys=_settings.origin_keys)] if _settings.origin_keys else []
handler = observed(Mangum(Viewed(create_app(_settings, _searcher, _walls)), lifespan="off"))
# Health reports a gallery that cannot be loaded, and every search tries again; failing here would
# give the caller a bare 500.
with contextlib.suppress(LensError):
    _serving = _loading.result()
    _name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if _name and _serving and (_line := form_line(_name, _serving.embedder)):
        print(_line, flush=True)
gc.freeze()  # all objects so far stay for good: garbage collection skips them from now on
gc.enable()
