"""The watcher: a folder's changes as the events that a bucket would send."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from watchfiles import Change, watch

from lambdas.local.pipeline import next_sequencer
from lambdas.local.server.links import links_in
from lens.correlation import new_id
from lens.gallery.triggers import Trigger
from lens.photos.catalog import Catalog, is_feed, is_photo
from lens.photos.ignored import IGNORE_KEY
from lens.photos.system_folders import system_part
from lens.pipeline.events import s3_notification
from lens.storage import FileStorage

log = logging.getLogger(__name__)

# A burst of changes is one batch once it has been quiet for the step, or after the debounce.
_STEP_MS = 100
_DEBOUNCE_MS = 600
_POLL_MS = 3_000
_AGAIN_SECONDS = 60.0
_GONE_SECONDS = 1.0
_TIMEOUT_MS = 200  # how soon a quiet watcher says that it watches, and notices that it must stop


def watch_folder(
    folder: Path,
    on_events: Callable[[list[str]], None],
    on_unclear: Callable[[], None],
    watching: threading.Event,
    stop: threading.Event,
) -> None:
    """Report changes until `stop` is set: `on_events` gets S3 notifications for photos;
    `on_unclear` is called when only a comparison with the listing can tell what changed (a folder
    was moved in or out, the partition file or `.lensignore` was edited). Sets `watching` when it
    misses none.

    Where another folder is in its place (a drive was mounted, a folder swapped), that one is
    watched. Where the system has no more watches, the folder is looked at every few seconds. What
    ends even that is told, and it begins anew; `watching` is set all the same: listings find the
    rest.
    """
    polling = missed = False
    while not stop.is_set():
        if _place(folder) is None:
            watching.set()
            _wait_for(folder, stop)
            missed = True
            continue
        try:
            missed = _watch(
                folder, on_events, on_unclear, watching, stop, polling=polling, missed=missed
            )
        except Exception as error:  # what the system says differs; none of it may end the server
            log.error(
                "%s cannot be watched (%s): it is %s; raise fs.inotify.max_user_watches and "
                "max_user_instances if they are the matter",
                folder,
                error,
                "compared every few minutes" if polling else "looked at every few seconds instead",
            )
            watching.set()
            stop.wait(_AGAIN_SECONDS if polling else 0)
            polling = True
            _safely(folder, on_unclear)


def _watch(
    folder: Path,
    on_events: Callable[[list[str]], None],
    on_unclear: Callable[[], None],
    watching: threading.Event,
    stop: threading.Event,
    *,
    polling: bool,
    missed: bool,
) -> bool:
    """True when something else is to be watched: another folder is in this one's place, or links
    lead elsewhere than before. `missed` is whether changes may have been missed before."""
    place, links = _place(folder), links_in(folder)
    catalog = Catalog(FileStorage(links.root))
    for changes in watch(
        *links.watched,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=stop,
        raise_interrupt=False,
        rust_timeout=_TIMEOUT_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
        force_polling=polling,
        poll_delay_ms=_POLL_MS,
    ):
        watching.set()
        events, unclear, missed = [], missed, False
        ignored = catalog.ignored()
        seen = [(key, change, name) for change, name in changes for key in links.keys(Path(name))]
        for key, change, name in sorted(seen):
            unclear |= key == IGNORE_KEY
            if system_part(key):
                continue
            if (is_photo(key) or is_feed(key)) and not Path(name).is_dir():
                if is_photo(key) and ignored.has(key):
                    continue
                kind = "ObjectRemoved:Delete" if change is Change.deleted else "ObjectCreated:Put"
                upload = Trigger(new_id(), time.time())
                events.append(s3_notification(kind, key, next_sequencer(), upload))
            elif not (change is Change.modified and Path(name).is_dir()):
                unclear = True
        if _place(folder) != place:
            return True
        if events:
            _safely(folder, partial(on_events, events))
        if unclear:
            _safely(folder, on_unclear)
            if links_in(folder) != links:
                return True
    return False


def _place(folder: Path) -> tuple[int, int] | None:
    """Which folder of which file system this is; None where there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _wait_for(folder: Path, stop: threading.Event) -> None:
    log.error("%s is not there: it is looked for every second, and watched again then", folder)
    while _place(folder) is None and not stop.wait(_GONE_SECONDS):
        pass


def _safely(folder: Path, act: Callable[[], None]) -> None:
    """No failure may end the watcher; reconciling repairs."""
    try:
        act()
    except Exception as error:
        log.error("changes in %s could not be indexed yet: %s", folder, error)
