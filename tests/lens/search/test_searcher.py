"""The searcher and what it is serving: at the start, model and gallery are loaded side by side."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from lens.search.searcher import Searcher
from lens.storage import FileStorage, ObjectInfo
from tests.support import small_galleries
from tests.support.tiny_model import DIM, png, write_tiny_model


class SlowModel(FileStorage):
    """A folder whose model comes only once its gallery was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.gallery_read = threading.Event()
        self.was_beside = True

    def read(self, key: str) -> tuple[bytes, ObjectInfo]:
        if key.startswith("segments/"):
            self.gallery_read.set()
        return super().read(key)

    def head(self, key: str) -> ObjectInfo | None:
        if key.endswith(".onnx"):
            self.was_beside &= self.gallery_read.wait(10)
        return super().head(key)


def test_the_gallery_arrives_while_the_model_does(tmp_path: Path) -> None:
    model_id = write_tiny_model(FileStorage(tmp_path)).model_id
    small_galleries.make_live(FileStorage(tmp_path), model_id)
    small_galleries.add(
        FileStorage(tmp_path), small_galleries.photo("a.png", "1"), model_id=model_id
    )
    storage = SlowModel(tmp_path)
    searcher = Searcher(storage)
    serving = searcher.begin().result()
    assert storage.was_beside
    assert serving is not None
    assert serving.gallery.photo_count == 1
    assert [hit.key for hit in searcher.search(png(1)).hits] == ["a.png"]


def test_a_model_that_cannot_be_loaded_is_told_though_the_gallery_can(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    model_id = write_tiny_model(storage).model_id
    small_galleries.make_live(storage, model_id)
    storage.write(f"models/{model_id}/model.onnx", np.zeros(DIM).tobytes())
    searcher = Searcher(storage)
    error = searcher.begin().exception()
    assert "does not match its checksum" in str(error)
    assert searcher.trouble == str(error)
