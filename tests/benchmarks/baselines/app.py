"""The baselines' service: Pillow preprocessing, an exact FAISS index and FastAPI on uvicorn."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import faiss
import numpy as np
from fastapi import FastAPI, File, Form, UploadFile
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]


class Preprocess:
    """Photo files to (3, S, S) float32 pixels: a padded square, normalized."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.size: int = parameters["size"]
        self.fill = tuple(parameters["fill"])
        self.mean = np.array(parameters["mean"], np.float32)
        self.std = np.array(parameters["std"], np.float32)

    def __call__(self, file: BinaryIO) -> Floats:
        image = Image.open(file).convert("RGB")
        scale = self.size / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        square = Image.new("RGB", (self.size, self.size), self.fill)
        resized = image.resize((width, height), Image.Resampling.BICUBIC)
        square.paste(resized, ((self.size - width) // 2, (self.size - height) // 2))
        pixels: Floats = (np.asarray(square, np.float32) - self.mean) / self.std
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


class Service:
    """A model behind an index of a gallery; `embed` takes (N, 3, S, S) to (N, D) unit vectors."""

    def __init__(self, folder: Path, embed: Callable[[Floats], Floats]) -> None:
        self._embed = embed
        self._preprocess = Preprocess(json.loads((folder / "preprocessing.json").read_text()))
        self._index = faiss.read_index(str(folder / "gallery.index"))
        self._items: list[str] = json.loads((folder / "items.json").read_text())

    def embed(self, photos: list[bytes]) -> Floats:
        """(N, D) vectors of photo files, in one batch."""
        return self._embed(np.stack([self._preprocess(BytesIO(photo)) for photo in photos]))

    def app(self) -> FastAPI:
        """The HTTP API. Its endpoint is no coroutine, so FastAPI runs it in a thread."""
        app = FastAPI()

        @app.post("/api/search-image")
        def search_image(
            file: Annotated[UploadFile, File()], top_k: Annotated[int, Form()] = 12
        ) -> dict[str, Any]:
            vector = self._embed(self._preprocess(file.file)[None])
            similarities, rows = self._index.search(vector, top_k)
            found = zip(rows[0], similarities[0], strict=True)
            hits = [{"item_id": self._items[row], "similarity": float(s)} for row, s in found]
            return {"hits": hits}

        return app
