"""Choice: loads the form of a model that is the fastest on this machine, by measurement.

A CPU's flags do not tell which it is: without 8-bit dot products 8 bits can be faster than 32 or
slower, as the cores and the runtime are. So forms are timed on two photos, one with a blank half
and one with nothing blank. That happens once for a kind of CPU: a load measures forms that nobody
has measured yet while its time lasts, and the next load goes on. Before that the model's own order
counts.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean
from typing import Any, Protocol, TypeVar

import numpy as np
from PIL import Image

from lens.errors import ArtifactError
from lens.models.manifest import ModelManifest, network_key
from lens.models.speeds import Speeds, read_speeds, write_speeds
from lens.storage import FileStorage, Storage

log = logging.getLogger(__name__)

# What measuring may add to a load. From elsewhere a form has to be fetched first, and a Lambda
# function has ten seconds for all of its start.
_SECONDS, _SECONDS_AFAR = 20.0, 3.0
_BYTES_A_SECOND, _BYTES_A_SECOND_AFAR = 300e6, 60e6
_ROUNDS = 2  # of the two photos; the faster one counts
_SIDE = 448  # pixels of those photos
_one_at_a_time = threading.Lock()  # two loads that measure side by side would measure each other


class Form(Protocol):
    """What is measured."""

    def embed(self, image: Image.Image) -> Any:
        """Embed a photo."""


F = TypeVar("F", bound=Form)


def load_fastest(
    storage: Storage,
    manifest: ModelManifest,
    load: Callable[[str], F],
    runtime: str,
    *,
    seconds: float | None = None,
    anew: bool = False,
    told: Callable[[str], None] = lambda form: None,
) -> tuple[F, Speeds, list[ArtifactError]]:
    """The fastest form that `load` loads by its name, all that is known of their speeds, and what
    ails the forms that it does not load: each costs only itself. `seconds` is how long forms are
    measured, `anew` whether those that were measured before are, too; `told` is called with each.

    Raises what `load` raises when it loads none.
    """
    afar = not isinstance(storage, FileStorage)
    if seconds is None:
        seconds = _SECONDS_AFAR if afar else _SECONDS
    with _one_at_a_time:
        before = read_speeds(storage, manifest.model_id, runtime)
        speeds = before.model_copy(update={"milliseconds": {}}) if anew else before
        lost: dict[str, ArtifactError] = {}
        loaded: dict[str, F] = {}  # at most one: the fastest so far
        began = time.monotonic()
        for form in manifest.variants:
            if form in speeds.milliseconds:
                continue
            # One has to be loaded anyway.
            left = seconds - (time.monotonic() - began)
            if (loaded or speeds.milliseconds) and left < _expected(storage, manifest, form, afar):
                continue
            told(form)
            try:
                each = load(form)
                speeds = speeds.adding(form, milliseconds_of(each))
            except ArtifactError as error:
                lost[form] = error
                continue
            if _ranked(manifest, speeds)[0] == form:
                loaded = {form: each}
        if speeds != before:
            write_speeds(storage, speeds)
    for form in _ranked(manifest, speeds):
        if form in loaded:
            return loaded[form], speeds, list(lost.values())
        if form not in lost:
            try:
                return load(form), speeds, list(lost.values())
            except ArtifactError as error:
                lost[form] = error
    raise next(iter(lost.values()))


def milliseconds_of(form: Form) -> float:
    """CPU milliseconds of a photo. Raises ArtifactError when it embeds none."""
    photos = timed_photos()

    def once(photo: Image.Image) -> float:
        began = time.thread_time()
        form.embed(photo)
        return 1000 * (time.thread_time() - began)

    try:
        form.embed(photos[0])  # the first one makes room, too
        return mean(min(once(photo) for _ in range(_ROUNDS)) for photo in photos)
    except ArtifactError:
        raise
    except Exception as error:  # ONNX Runtime's errors share no base class but Exception
        raise ArtifactError(f"it embeds no photo ({str(error).splitlines()[0]})") from error


@cache
def timed_photos() -> Sequence[Image.Image]:
    """The two photos: one whose right half is white, one with nothing blank."""
    noise = np.random.default_rng(0).integers(0, 230, (_SIDE // 14, _SIDE // 14, 3), np.uint8)
    filled = Image.fromarray(noise).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    half = filled.copy()
    half.paste((255, 255, 255), (_SIDE // 2, 0, _SIDE, _SIDE))
    return half, filled


def _ranked(manifest: ModelManifest, speeds: Speeds) -> list[str]:
    """A model's forms, those that were measured first, the fastest of them first."""
    return sorted(manifest.variants, key=lambda form: speeds.milliseconds.get(form, math.inf))


def _expected(storage: Storage, manifest: ModelManifest, form: str, afar: bool) -> float:
    """Seconds in which a form is fetched, loaded and measured, by what it weighs."""
    info = storage.head(network_key(manifest, form))
    rate = _BYTES_A_SECOND_AFAR if afar else _BYTES_A_SECOND
    return info.size / rate + info.size / _BYTES_A_SECOND if info else 0.0
