"""The local server: API, page and photos on one port, over a folder that is watched."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import uvicorn
from fastapi import Header, Response
from starlette.types import ASGIApp

from lambdas.local.indexer import index_catalog, reconcile_catalog, renew_default
from lambdas.local.pictures import LocalPictures
from lambdas.local.pipeline import Pipeline
from lambdas.local.server.access_log import access_log
from lambdas.local.server.listener import listen
from lambdas.local.server.metrics import CONTENT_TYPE, Metrics
from lambdas.local.server.observation import Answered, Observed
from lambdas.local.server.page import page
from lambdas.local.server.patience import PatientProtocol
from lambdas.local.server.summary import summary
from lambdas.local.server.walls import declare_walls, walls_of
from lambdas.local.server.watcher import watch_folder
from lambdas.search.app import create_app
from lambdas.search.background import Background
from lambdas.search.http_rules import is_still_good
from lens import traces
from lens.errors import LensError, NotFoundError, UsageError
from lens.photos.catalog import Catalog, media_type
from lens.pipeline.disappearance import many_gone
from lens.pipeline.events import keys_in
from lens.pipeline.waiting import with_growing_pauses
from lens.search.searcher import Searcher
from lens.search.thumbnail_reader import thumbnails_of
from lens.settings import Settings
from lens.storage import FileStorage, ObjectInfo

log = logging.getLogger(__name__)

_RECONCILE_SECONDS = 300.0  # events can be lost here too: a network drive, a full inotify queue
_COLLECT_SECONDS = 3_600.0
_FETCH_SECONDS = 60.0
# A full line takes a few; without an end, one upload that stands still holds the process for ever.
_STOP_SECONDS = 20


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until interrupted; requests that run then are answered. `say` is called with the
    address as soon as it answers, and with a summary when the catalog is indexed; photos can be
    found while a first indexing still runs.

    Raises UsageError when the port is taken, the address is open to others and unnamed, or what
    OpenTelemetry's variables say cannot be understood.
    """
    traces.start_as(os.environ, "image-lens")
    pipeline = Pipeline(settings)
    searcher = Searcher(
        pipeline.artifacts,
        settings.query_limits,
        settings.cached_results,
        settings.precision,
        thumbnails_of(settings),
        settings.sold_out,
        settings.shop_currency,
        filters_ahead=True,
    )
    pictures = LocalPictures(pipeline)
    background = Background(pipeline.underway, pictures.underway, pipeline.right_of_way)
    app = local_app(settings, searcher, pipeline.catalog, background)
    listener, address = listen(settings.host, settings.port)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            lifespan="off",
            ws="none",
            http=PatientProtocol,
            timeout_graceful_shutdown=_STOP_SECONDS,
            proxy_headers=bool(settings.trusted_proxy),  # anybody can send X-Forwarded-For
            forwarded_allow_ips=list(settings.trusted_proxy),
        )
    )
    stop, indexed = threading.Event(), threading.Event()
    threads = [threading.Thread(target=server.run, args=([listener],), name="server")]
    fetcher = _Fetcher(pictures, searcher, stop)
    if settings.feed_pictures:
        threads.append(threading.Thread(target=fetcher.run, name="pictures"))
    catalog = pipeline.catalog.storage
    if isinstance(catalog, FileStorage):
        watching = threading.Event()
        follow = _Follower(pipeline, searcher, indexed, fetcher.wake)
        threads.append(
            threading.Thread(
                target=watch_folder,
                args=(catalog.root, follow.events, follow.reconcile, watching, stop),
                name="watcher",
            )
        )
    signal.signal(signal.SIGTERM, _interrupt)
    if not settings.stack:
        pipeline.underway.expect()
    for thread in threads:
        thread.start()
    try:
        if isinstance(catalog, FileStorage):
            # The folder is listed only once it is watched, so that no change is missed in between.
            watching.wait()
        say(f"Image Lens: {address}")
        if settings.stack:  # its own functions follow its catalog
            searcher.refresh()
            stop.wait()
        else:
            with _tried_again(but=UsageError):
                index_catalog(pipeline)
            indexed.set()
            with _tried_again():
                searcher.refresh()
                say(summary(searcher.serving))
            fetcher.wake()
            _maintain(pipeline, searcher, stop, fetcher.wake)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        indexed.set()
        fetcher.wake()
        server.should_exit = True
        for thread in threads:
            thread.join()
        listener.close()
        traces.stop()


def local_app(
    settings: Settings,
    searcher: Searcher,
    catalog: Catalog,
    background: Background | None = None,
) -> ASGIApp:
    """The API, metrics, and what CloudFront serves on AWS: the catalog's photos and the page."""
    app = create_app(settings, searcher, walls_of(settings), background)
    declare_walls(app.openapi(), settings)
    metrics = Metrics(app.state.health)

    @app.get("/metrics", include_in_schema=False)
    async def read_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    @app.get("/catalog/{key:key}", include_in_schema=False)
    def photo(
        key: str, if_none_match: Annotated[str, Header(include_in_schema=False)] = ""
    ) -> Response:
        """A photo of the gallery; nothing else that lies in its folder."""
        serving = searcher.serving
        if serving is None or serving.gallery.has_photo_at(key) is None:
            raise NotFoundError(f"no photo of the gallery is named {key!r}")
        seen = catalog.head(key)
        if seen and is_still_good(f'"{seen.etag}"', if_none_match):
            return Response(status_code=304, headers=_revalidated(seen))
        data, info = catalog.read(key)
        return Response(data, media_type=media_type(key), headers=_revalidated(info))

    app.router.routes.append(page(settings.frame_ancestors))
    observers: list[Callable[[Answered], None]] = [metrics.observe]
    if settings.access_log:
        observers.append(access_log(settings.access_log))
    return Observed(app, observers)


def _revalidated(info: ObjectInfo) -> dict[str, str]:
    return {"ETag": f'"{info.etag}"', "Cache-Control": "no-cache"}


class _Follower:
    """Applies the watcher's reports to the gallery, once the first indexing has made one."""

    def __init__(
        self,
        pipeline: Pipeline,
        searcher: Searcher,
        indexed: threading.Event,
        followed: Callable[[], None],
    ) -> None:
        self._pipeline = pipeline
        self._searcher = searcher
        self._indexed = indexed
        self._followed = followed

    def events(self, messages: list[str]) -> None:
        self._indexed.wait()
        if self._many_gone(messages):
            reconcile_catalog(self._pipeline)
        else:
            self._pipeline.handle(messages)
        self._searcher.refresh()
        self._followed()

    def _many_gone(self, messages: list[str]) -> bool:
        """A drive that goes looks like a shop that has removed its photos: a listing tells more."""
        serving = self._searcher.serving
        if serving is None:
            return False
        newest = serving.guards[0] if serving.guards else serving.gallery
        keys = [key for message in messages for key in keys_in(message, "")]
        return many_gone(self._pipeline.catalog, newest, keys, time.time())

    def reconcile(self) -> None:
        self._indexed.wait()
        reconcile_catalog(self._pipeline)
        self._searcher.refresh()
        self._followed()


class _Fetcher:
    """Fetches the product file's pictures whenever something may have changed, until `stop`."""

    def __init__(self, pictures: LocalPictures, searcher: Searcher, stop: threading.Event) -> None:
        self._pictures = pictures
        self._searcher = searcher
        self._stop = stop
        self._awake = threading.Event()
        self._began = 0.0

    def wake(self) -> None:
        """Look soon whether there is something to fetch."""
        self._awake.set()

    def run(self) -> None:
        while True:
            self._awake.wait()
            self._awake.clear()
            if self._stop.is_set():
                return
            self._began = time.monotonic()
            with _tried_again():
                self._pictures.fetch(stop=self._is_over, shown=self._searcher.refresh)

    def _is_over(self) -> bool:
        """A long run makes room for what has changed meanwhile, but not for each change."""
        long = time.monotonic() - self._began > _FETCH_SECONDS
        return self._stop.is_set() or (long and self._awake.is_set())


def _maintain(
    pipeline: Pipeline, searcher: Searcher, stop: threading.Event, followed: Callable[[], None]
) -> None:
    """Renew the default model, collect and reconcile, on a schedule until interrupted."""
    since_collected = _COLLECT_SECONDS
    while True:
        with _tried_again():
            if renew_default(pipeline):
                searcher.refresh()
        with _tried_again():
            if since_collected >= _COLLECT_SECONDS:
                pipeline.collect()
                since_collected = 0.0
        if stop.wait(_RECONCILE_SECONDS):
            return
        since_collected += _RECONCILE_SECONDS
        with _tried_again():
            reconcile_catalog(pipeline, with_growing_pauses)
            searcher.refresh()
        followed()


@contextmanager
def _tried_again(but: type[LensError] | tuple[()] = ()) -> Iterator[None]:
    """Log a failure, `but` some: no drive that is gone, and no slip of ours, may end the server."""
    try:
        yield
    except but:
        raise
    except LensError as error:
        log.error("this will be tried again: %s", error)
    except Exception:
        log.exception("this will be tried again")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
