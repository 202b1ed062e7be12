"""Photos: a file goes the whole way that a photo goes: decoded, boxed, embedded, made small."""

from __future__ import annotations

import random
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np

from lens.errors import LensError, PhotoError
from lens.models.embedder import Embedder, load_embedder
from lens.models.regions import main_region
from lens.photos.copies import look_of
from lens.photos.decoding import decode, thumbnail, upright_size
from lens.settings import Limits
from lens.storage import FileStorage
from tests.fuzz.files import file_of
from tests.support.region_model import write_region_model

# Here, not apart: what breaks is to be seen, and this is a process of its own already.
_HERE = Limits(apart=False)
_MOST_DECODED = 8_000_000


def play(number: int) -> str:
    """How the file of a number ends: as a photo, or as which refusal. AssertionError where the
    photo is not what the rest of the program relies on."""
    data = file_of(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = decode(data, _HERE)
        except PhotoError as error:
            return one_line(error)
        assert image.mode == "RGB" and image.info == {}
        assert 0 < image.width * image.height <= _MOST_DECODED
        assert min(upright_size(data)) > 0
    embedder = _embedder()
    overview = embedder.overview(image)
    region = main_region(overview.regions)
    rng = random.Random(number)
    x, y = rng.uniform(0, 0.5), rng.uniform(0, 0.5)
    boxes = [None, (x, y, x + 0.5, y + 0.5), region.box if region else None]
    vectors = [overview.vector, *(embedder.embed(image, box) for box in boxes)]
    for vector in vectors:
        assert vector.shape == (embedder.manifest.embedding_dim,)
        assert np.isfinite(vector).all()
    look_of(image)
    assert decode(thumbnail(image), _HERE).size
    return "photo"


def one_line(error: LensError) -> str:
    """What kind of error it is; AssertionError where its text is not one line."""
    lines = str(error).splitlines()
    assert len(lines) == 1, lines
    return type(error).__name__


@cache
def _embedder() -> Embedder:
    with tempfile.TemporaryDirectory() as folder:
        artifacts = FileStorage(Path(folder))
        return load_embedder(artifacts, write_region_model(artifacts).model_id)
