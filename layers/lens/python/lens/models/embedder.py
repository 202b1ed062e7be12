"""The embedder: a model on ONNX Runtime, from a decoded photo to a unit vector."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# ONNX Runtime's wheels report to their maker from the moment of import, unless told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort
import PIL
from numpy.typing import NDArray
from PIL import Image

from lens.errors import ArtifactError, DamagedError
from lens.models.choice import load_fastest
from lens.models.cpu import INT8_DOT_PRODUCTS, cpu_features
from lens.models.external_weights import graph_without_weights
from lens.models.manifest import (
    FP32,
    ModelManifest,
    Probe,
    network_file,
    network_key,
    read_manifest,
)
from lens.models.preprocessing import to_pixels
from lens.models.probe import check_probe, make_probe
from lens.models.regions import REGION_KINDS, Box, Region, main_region, pixels_of, regions_of
from lens.models.shares import (
    ASKED,
    OUTPUT,
    Shares,
    read_continuation,
    shares_in,
    shares_key,
)
from lens.models.speeds import Speeds, read_speeds
from lens.storage import Storage

log = logging.getLogger(__name__)

RUNTIME = f"onnxruntime {ort.__version__}"
# What a photo's vector depends on beside the model.
LIBRARIES = f"{RUNTIME} with Pillow {PIL.__version__}"
# Fuses an addition with the normalization after it, into an operator that takes 1.0 ms where the
# two take 0.14 (ONNX Runtime 1.32, 257 x 768).
_SLOWER = ["SkipLayerNormFusion"]
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
# The outputs of a network that sees regions, by their names in its graph.
_BOXES, _SCORES = "boxes", "scores"
# Precisions whose weights have 7 bits, by how their names begin: the fast products cannot overflow.
_SEVEN_BITS = "int7"


class Network:
    """An ONNX graph in memory; safe to call from several threads, each call using one core."""

    def __init__(
        self, graph: bytes, name: str, weights: Path | None = None, *, overflows: bool = True
    ) -> None:
        """`weights` is the folder of the files that the graph names; `overflows` says that its
        8-bit products may, where the CPU has no others. Raises ArtifactError, naming the graph,
        when ONNX Runtime cannot load it."""
        options = ort.SessionOptions()
        if weights is not None:
            options.add_session_config_entry(_WEIGHTS_FOLDER, str(weights))
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        if overflows and INT8_DOT_PRODUCTS not in cpu_features():
            # The fast 8-bit products of older x86 CPUs overflow; results must agree on all CPUs.
            options.add_session_config_entry("session.x64quantprecision", "1")
        try:
            self._session = ort.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
            )
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            reason = str(error).splitlines()[0]
            raise ArtifactError(f"model {name} cannot be loaded ({reason})") from error
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]

    @property
    def shapes(self) -> tuple[list[Any], list[Any]]:
        """Of its input and of its first output; what the graph leaves open is a name or None."""
        return self._session.get_inputs()[0].shape, self._session.get_outputs()[0].shape

    @property
    def outputs(self) -> dict[str, list[Any]]:
        """The shapes of all outputs, by name."""
        return {output.name: output.shape for output in self._session.get_outputs()}

    def run(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 3, S, S) float32 pixels to the graph's first output, (N, F) float32."""
        output: NDArray[np.float32] = self._session.run(None, {self._input: pixels})[0]
        return output

    def run_all(
        self, pixels: NDArray[np.float32], *, asked: str = ""
    ) -> dict[str, NDArray[np.float32]]:
        """(N, 3, S, S) float32 pixels to all outputs of the graph, by name and in its order;
        `asked` is its input of an output that is left out otherwise."""
        more = {asked: np.array(True)} if asked else {}
        found = self._session.run(None, {self._input: pixels, **more})
        return dict(zip(self._outputs, found, strict=True))


@dataclass(frozen=True)
class Overview:
    """What one run over a whole photo gives: its (D,) float32 unit vector, and its regions."""

    vector: NDArray[np.float32]
    regions: tuple[Region, ...]


class Embedder:
    """One model, from a decoded photo to its embedding; safe to call from several threads."""

    def __init__(
        self,
        manifest: ModelManifest,
        graph: bytes,
        precision: str = FP32,
        weights: Path | None = None,
    ) -> None:
        """`weights` is the folder of the files that the graph names. Raises ArtifactError when the
        graph does not fit its manifest."""
        self.manifest = manifest
        self.precision = precision
        fits = precision.startswith(_SEVEN_BITS)
        self._network = Network(graph, manifest.model_id, weights, overflows=not fits)
        # Asked, not tried: embedding a first photo here would cost as much as answering it.
        size, (pixels, embedding) = manifest.preprocessing.size, self._network.shapes
        if (pixels[1:], embedding[1:]) != ([3, size, size], [manifest.embedding_dim]):
            raise ArtifactError(
                f"model {manifest.model_id} makes {embedding[1:]} of {pixels[1:]}, its manifest "
                f"says {[manifest.embedding_dim]} of {[3, size, size]}; upload the model again"
            )
        self._sees_regions = _sees_regions(manifest.model_id, self._network.outputs)
        self.tells_shares = OUTPUT in self._network.outputs
        self.damaged: DamagedError | None = None  # what it goes without
        self.speeds: Speeds | None = None  # of the model's precisions, as far as they are known

    @property
    def model_id(self) -> str:
        """The model's id."""
        return self.manifest.model_id

    @property
    def milliseconds(self) -> float | None:
        """CPU time of a photo in this precision, on a CPU of this kind; None: not measured yet."""
        return self.speeds.milliseconds.get(self.precision) if self.speeds else None

    @property
    def device(self) -> str:
        """Where it runs."""
        return "cpu"

    def embed(self, image: Image.Image, box: Box | None = None) -> NDArray[np.float32]:
        """The (D,) float32 unit vector of an RGB image, or of what is in a box of it.

        Photos go through one at a time: a batch is no faster on a CPU, and a photo's vector then
        never depends on its company.
        """
        part = image if box is None else image.crop(pixels_of(box, image.size))
        return self._unit(self._network.run(self._pixels(part))[0])

    def embed_with_shares(
        self, image: Image.Image, box: Box | None = None
    ) -> tuple[NDArray[np.float32], Shares | None]:
        """The vector of `embed`, and what each place adds to it; None where the model cannot
        tell."""
        if not self.tells_shares:
            return self.embed(image, box), None
        part = (0, 0, *image.size) if box is None else pixels_of(box, image.size)
        found = self._network.run_all(self._pixels(image.crop(part)), asked=ASKED)
        vector = self._unit(next(iter(found.values()))[0])
        return vector, shares_in(found[OUTPUT][0], part, image.size)

    def overview(self, image: Image.Image) -> Overview:
        """The whole RGB image's vector, and the regions in it; one run of the network."""
        found = self._network.run_all(self._pixels(image))
        vector = self._unit(next(iter(found.values()))[0])
        if not self._sees_regions:
            return Overview(vector, ())
        return Overview(vector, regions_of(found[_BOXES][0], found[_SCORES][0], image.size))

    def see(self, image: Image.Image) -> tuple[Region, ...]:
        """The regions in an RGB image, the surest first; none for a model that sees none."""
        return self.overview(image).regions if self._sees_regions else ()

    def embed_main(self, image: Image.Image) -> NDArray[np.float32]:
        """The (D,) float32 unit vector that stands for an RGB image, in the catalog as in a query:
        of its main region, or else of the whole."""
        overview = self.overview(image)
        region = main_region(overview.regions)
        return overview.vector if region is None else self.embed(image, region.box)

    def _pixels(self, image: Image.Image) -> NDArray[np.float32]:
        return to_pixels(image, self.manifest.preprocessing)[None]

    def _unit(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(vector).all():
            raise ArtifactError(f"model {self.model_id} gave a vector that is not finite")
        return vector


def load_embedder(
    storage: Storage,
    model_id: str,
    precision: str = "",
    *,
    seconds: float | None = None,
    anew: bool = False,
    told: Callable[[str], None] = lambda precision: None,
) -> Embedder:
    """Load a model from the artifacts, its checksum verified, in a precision that it has; in the
    fastest on this machine when none is named (`seconds`, `anew` and `told`: as `load_fastest`).
    Raises DamagedError, and ArtifactError for a precision that the model does not have.

    Where what tells its shares is damaged, it tells none; a precision that cannot be loaded, or by
    which the libraries here embed otherwise than the model's maker did (DriftError), costs itself,
    unless it is named or the only one. `damaged` says so.
    """
    manifest = read_manifest(storage, model_id)
    if precision:
        embedder = _checked(storage, manifest, precision)
        embedder.speeds = read_speeds(storage, model_id, RUNTIME)
        return embedder
    load = partial(_checked, storage, manifest)
    embedder, speeds, lost = load_fastest(
        storage, manifest, load, RUNTIME, seconds=seconds, anew=anew, told=told
    )
    embedder.speeds = speeds
    for error in lost:
        log.warning("a precision of the model cannot be used: %s", error)
        if embedder.damaged is None and isinstance(error, DamagedError):
            embedder.damaged = error
    return embedder


def probe_of(manifest: ModelManifest, networks: Mapping[str, bytes]) -> Probe:
    """A model's probe, by the libraries that are here; `networks` by precision, whole."""
    embeds = {name: Embedder(manifest, graph, name).embed for name, graph in networks.items()}
    return make_probe(embeds, LIBRARIES)


def _checked(storage: Storage, manifest: ModelManifest, precision: str) -> Embedder:
    embedder = _load(storage, manifest, precision)
    if manifest.probe is not None:  # models of earlier releases have none
        check_probe(manifest.probe, manifest.model_id, precision, embedder.embed, LIBRARIES)
    return embedder


def _load(storage: Storage, manifest: ModelManifest, precision: str) -> Embedder:
    model_id = manifest.model_id
    more, lost = None, None
    if precision == FP32:
        try:
            more = read_continuation(storage, model_id)
        except DamagedError as error:
            lost = error
    with network_file(storage, manifest, precision) as path:
        try:
            graph = _graph(path, model_id)
            if more is not None:
                try:
                    telling = Embedder(manifest, graph + more, precision, weights=path.parent)
                    if telling.tells_shares:
                        return telling
                    lost = DamagedError(shares_key(model_id), "it tells no shares")
                except ArtifactError as error:
                    lost = DamagedError(shares_key(model_id), str(error))
            if lost is not None:
                log.warning("why a hit was found is not told: %s", lost)
            embedder = Embedder(manifest, graph, precision, weights=path.parent)
        except ArtifactError as error:
            raise DamagedError(network_key(manifest, precision), str(error)) from error
        embedder.damaged = lost
        return embedder


def _sees_regions(model_id: str, outputs: Mapping[str, list[Any]]) -> bool:
    """Whether a network has the two outputs of regions; ArtifactError when they do not fit."""
    boxes, scores = outputs.get(_BOXES), outputs.get(_SCORES)
    if boxes is None and scores is None:
        return False
    kinds = len(REGION_KINDS)
    if boxes is None or scores is None or [*boxes[2:], *scores[2:]] != [4, kinds]:
        raise ArtifactError(
            f"model {model_id} gives {_BOXES} of {boxes} and {_SCORES} of {scores}; regions need "
            f"(N, C, 4) and (N, C, {kinds}); upload the model again"
        )
    return True


def _graph(path: Path, model_id: str) -> bytes:
    try:
        return graph_without_weights(path)
    except (ValueError, IndexError) as error:
        raise ArtifactError(f"model {model_id} is no ONNX graph ({error})") from error
