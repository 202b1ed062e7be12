"""The embed handler: catalog events from a queue become segments and thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from lens.gallery.versions import Look
from lens.models.embedder import Embedder, load_embedder
from lens.photos.catalog import Catalog
from lens.pipeline.embed import Embedding
from lens.pipeline.events import (
    BatchReply,
    SqsEvent,
    SqsMessage,
    answer_batch,
    looks_in,
    receive_count,
)
from lens.pipeline.sources import open_catalog
from lens.settings import Settings
from lens.storage import Storage, key_prefix, open_storage


class EmbedHandler:
    """Answers SQS batches of catalog events; made once per process."""

    def __init__(
        self,
        settings: Settings,
        artifacts: Storage,
        announce: Callable[[str], None] | None = None,
        give_way: Callable[[], None] = lambda: None,
        catalog: Catalog | None = None,
        loaded: Callable[[Embedder], None] = lambda embedder: None,
    ) -> None:
        """`announce` is called with new segments' keys, where no bucket sends events of them;
        `give_way` between the parts of each look, where searches are answered beside. `catalog` is
        what is looked at, where the same process lists it too; `loaded` is called with each model
        that was loaded."""
        catalog = catalog or open_catalog(settings)
        self._prefix = key_prefix(catalog.storage)
        self._receives = settings.receives

        # Two: the live model and a candidate.
        @lru_cache(maxsize=2)
        def embedder(model_id: str) -> Embedder:
            found = load_embedder(artifacts, model_id, settings.precision)
            loaded(found)
            return found

        self._embedding = Embedding(
            catalog=catalog,
            artifacts=artifacts,
            thumbs=open_storage(settings.thumbs) if settings.thumbs else artifacts,
            embedder=embedder,
            executor=ThreadPoolExecutor(settings.threads, "embed"),
            limits=settings.limits,
            announce=announce,
            give_way=give_way,
        )

    def __call__(self, event: SqsEvent, context: object = None) -> BatchReply:
        """Lambda's calling convention; the reply names the messages that failed."""
        return answer_batch(event, self._asked, self._run)

    def _asked(self, message: SqsMessage) -> list[tuple[Look, bool]]:
        """The looks, each with whether nobody will ask for it again."""
        last = receive_count(message) >= self._receives
        return [(look, last) for look in looks_in(message["body"], self._prefix)]

    def _run(self, asked: list[tuple[Look, bool]]) -> None:
        self._embedding.run((look for look, _ in asked), {look.key for look, last in asked if last})
