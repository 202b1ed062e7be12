"""Models: a photo-to-embedding network and the manifest that says how to use it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lens.errors import ArtifactError, ConflictError, DamagedError, MissingError, NotFoundError
from lens.storage import Storage, write_once
from lens.storage.documents import Document, Record, read_document, write_document
from lens.storage.formats import Since
from lens.storage.local_file import local_file, sha256_of

PREFIX = "models/"
FP32 = "fp32"  # the one precision that every model has
# Where the recipe of a default model says which of them it is. The first were made without labels
# on the machine that served them, and are known by their heads.
DEFAULT_NUMBER = "default_model"
_FIRST_DEFAULTS = ("orthogonal", "pca")
BESIDE_SINCE = 2  # the format

Level = Annotated[int, Field(ge=0, le=255)]
Positive = Annotated[float, Field(gt=0)]


class Preprocessing(BaseModel):
    """How a photo becomes the model's input pixels: the parameters of `to_pixels`.

    `size` is the side of the square input in pixels; `fit` "pad" keeps the whole photo, centered,
    and fills the rest with `fill`; `mean` and `std` are in gray levels (0-255), per RGB channel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Field(gt=0)]
    fit: Literal["pad"] = "pad"
    fill: tuple[Level, Level, Level] = (255, 255, 255)
    mean: tuple[float, float, float]
    std: tuple[Positive, Positive, Positive]
    resample: Literal["bilinear", "bicubic", "lanczos"] = "bicubic"


class HeadInfo(Record):
    """How the last projection was made."""

    kind: str  # "trained", or "orthogonal" or "pca" of the first default models
    fit_on: int = 0  # photos it was fit on


class PrecisionLoss(Record):
    """What a precision lost to fp32 on one protocol, in the worst pairing of a query's precision
    with the gallery's."""

    queries: int  # fewer right at rank 1
    top_10_overlap: float  # mean share of the first ten results that are fp32's too


class Variant(Record):
    """One precision of the network."""

    file: str
    sha256: str
    # The feature of lens.models.cpu without which releases before 2026-11-27 do not take it; later
    # ones measure (lens.models.choice).
    needs: str = ""
    losses: dict[
        str, PrecisionLoss
    ] = {}  # by protocol, as the gate measured them; none of fp32 itself


class Probe(Record):
    """A picture and the unit vectors that these libraries made of it, by precision
    (lens.models.probe)."""

    picture: str  # a JPEG, in base64
    runtime: str
    vectors: dict[str, tuple[float, ...]]


class ModelManifest(Document):
    """All that is needed to embed a photo exactly as the gallery's photos were embedded."""

    model_id: str
    backbone: str
    embedding_dim: int
    preprocessing: Preprocessing
    head: HeadInfo
    variants: dict[str, Variant]  # by precision, from the fastest to the safest
    recipe: dict[str, Any] = {}
    data: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    # Checksums of what lies beside the networks, by file name; see lens.models.beside.
    beside: Annotated[dict[str, tuple[str, ...]], Since(BESIDE_SINCE, at_once=True)] = {}
    probe: Annotated[Probe | None, Since(2, at_once=True)] = None

    @property
    def default_number(self) -> int:
        """Which of the default models it is, from 1, in the order of releases; 0: none of them."""
        return 1 if self.head.kind in _FIRST_DEFAULTS else int(self.recipe.get(DEFAULT_NUMBER, 0))


@dataclass(frozen=True)
class FasterNetwork:
    """A network in another precision than fp32, which the gate has admitted."""

    network: bytes
    needs: str
    losses: dict[str, PrecisionLoss]


def manifest_key(model_id: str) -> str:
    """Where a model's manifest lies in the artifacts."""
    return f"{PREFIX}{model_id}/manifest.json"


def network_key(manifest: ModelManifest, precision: str = FP32) -> str:
    """Where a model's network lies in the artifacts, in a precision that it has."""
    return f"{PREFIX}{manifest.model_id}/{manifest.variants[precision].file}"


def write_model(
    storage: Storage,
    network: bytes,
    *,
    backbone: str,
    embedding_dim: int,
    preprocessing: Preprocessing,
    head: HeadInfo,
    recipe: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    faster: Mapping[str, FasterNetwork] | None = None,
    probe: Probe | None = None,
) -> ModelManifest:
    """Write an fp32 network, its `faster` precisions (from the fastest to the safest) and, last,
    the manifest. The id is made from their content, so writing the same model twice (after a
    crash, say) is one model."""
    variants = {
        precision: Variant(
            file=f"model.{precision}.onnx",
            sha256=hashlib.sha256(each.network).hexdigest(),
            needs=each.needs,
            losses=each.losses,
        )
        for precision, each in (faster or {}).items()
    }
    sha256 = hashlib.sha256(network).hexdigest()
    digests = [sha256, *(variant.sha256 for variant in variants.values())]
    manifest = ModelManifest(
        model_id=_identity(backbone, digests, preprocessing),
        backbone=backbone,
        embedding_dim=embedding_dim,
        preprocessing=preprocessing,
        head=head,
        variants={**variants, FP32: Variant(file="model.onnx", sha256=sha256)},
        recipe=recipe or {},
        data=data or {},
        metrics=metrics or {},
        probe=probe,
    )
    folder = f"{PREFIX}{manifest.model_id}/"
    storage.write(f"{folder}model.onnx", network)
    for precision, each in (faster or {}).items():
        storage.write(folder + variants[precision].file, each.network)
    try:
        write_document(storage, manifest_key(manifest.model_id), manifest)
    except ConflictError:
        return read_manifest(storage, manifest.model_id)
    return manifest


def is_its_own(manifest: ModelManifest) -> bool:
    """Whether a manifest has the checksums and the preprocessing that its id was made from."""
    faster = [each.sha256 for name, each in manifest.variants.items() if name != FP32]
    digests = [manifest.variants[FP32].sha256, *faster] if FP32 in manifest.variants else faster
    return manifest.model_id == _identity(manifest.backbone, digests, manifest.preprocessing)


def _identity(backbone: str, digests: Sequence[str], preprocessing: Preprocessing) -> str:
    identity = f"{' '.join(digests)} {preprocessing.model_dump_json()}".encode()
    return f"{backbone}-{hashlib.sha256(identity).hexdigest()[:12]}"


def copy_model(source: Storage, target: Storage, manifest: ModelManifest) -> None:
    """Copy a model with all its precisions, the manifest last; what is there is left alone."""
    key = manifest_key(manifest.model_id)
    if target.head(key) is not None:
        return
    for precision, variant in manifest.variants.items():
        network = read_network(source, manifest, precision)
        write_once(target, f"{PREFIX}{manifest.model_id}/{variant.file}", network)
    write_once(target, key, source.read(key)[0], content_type="application/json")


def read_manifest(storage: Storage, model_id: str) -> ModelManifest:
    """A model's manifest; NotFoundError names the models there are, DamagedError says what ails the
    manifest."""
    key = manifest_key(model_id)
    try:
        manifest = read_document(storage, key, ModelManifest)[0]
        if manifest.model_id != model_id or FP32 not in manifest.variants:
            raise DamagedError(key, f"it is that of {manifest.model_id}")
        return manifest
    except NotFoundError as error:
        known = ", ".join(list_models(storage)) or "none"
        raise NotFoundError(f"there is no model {model_id!r}; there are: {known}") from error


def read_named_manifest(storage: Storage, model_id: str) -> ModelManifest:
    """The manifest of a model that another artifact names; MissingError when it is gone."""
    try:
        return read_manifest(storage, model_id)
    except NotFoundError as error:
        raise MissingError(manifest_key(model_id)) from error


@contextmanager
def network_file(
    storage: Storage, manifest: ModelManifest, precision: str = FP32
) -> Iterator[Path]:
    """The network as a file of this machine's, checked against the manifest; DamagedError when they
    differ, MissingError when it is gone. What has opened or mapped the file keeps it.

    Raises ArtifactError when the model has no such precision.
    """
    variant = manifest.variants.get(precision)
    if variant is None:
        raise ArtifactError(
            f"model {manifest.model_id} has no precision {precision!r}; it has: "
            f"{', '.join(manifest.variants)}; LENS_PRECISION can be one of them, or empty"
        )
    key = network_key(manifest, precision)
    with ExitStack() as stack:
        try:
            path = stack.enter_context(local_file(storage, key))
        except NotFoundError as error:
            raise MissingError(key) from error
        if sha256_of(path) != variant.sha256:
            raise DamagedError(key, "it does not match its checksum")
        yield path


def read_network(storage: Storage, manifest: ModelManifest, precision: str = FP32) -> bytes:
    """The network's bytes; raises as `network_file` does."""
    with network_file(storage, manifest, precision) as path:
        return path.read_bytes()


def list_models(storage: Storage) -> list[str]:
    """The ids of all models that are wholly written."""
    keys = (info.key for info in storage.list(PREFIX))
    return [key.split("/")[1] for key in keys if key.endswith("/manifest.json")]
