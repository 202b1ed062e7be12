"""Pictures on this machine: fetched for the pipeline, and looked at as they come."""

from __future__ import annotations

from collections.abc import Callable

from lambdas.local.pipeline import Pipeline, next_sequencer
from lens.gallery.versions import Look, Version
from lens.pipeline.sources import pictures_of
from lens.progress import Progress, Underway


class LocalPictures:
    """Fetches the pictures of a pipeline's catalog; `underway` says how far it is."""

    def __init__(self, pipeline: Pipeline) -> None:
        settings = pipeline.settings
        self._pipeline = pipeline
        # A stack's own function fetches its pictures.
        on = settings.feed_pictures and not settings.stack
        self._pictures = pictures_of(settings, pipeline.catalog, pipeline.artifacts) if on else None
        self.underway = Underway()

    def fetch(
        self,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
        shown: Callable[[], object] = lambda: None,
    ) -> int:
        """Bring the pictures in line with the products, and the gallery in line with the pictures;
        how many came. `shown` is called when more can be found. Stopped, it goes on when it is
        called again."""
        if self._pictures is None:
            return 0

        def look(keys: list[str]) -> None:
            self._pipeline.look([Look(key, Version.of_event(next_sequencer())) for key in keys])
            shown()

        with self.underway.work(progress) as report:
            return self._pictures.run(look, stop=stop, progress=report)
