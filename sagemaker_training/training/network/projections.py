"""Projections: linear maps from a backbone's features to the embedding, made without labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lens.errors import UsageError

# Eigenvalues below this share of the largest are rounding noise of float32 features.
_NOISE = 1e-7


@dataclass(frozen=True, eq=False)
class Projection:
    """embedding = unit((features - mean) @ matrix); mean (F,), matrix (F, D), float32."""

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    def embed(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, D) float32 unit-length embeddings of (N, F) features."""
        projected = (features - self.mean) @ self.matrix
        length = np.linalg.norm(projected, axis=1, keepdims=True)
        unit: NDArray[np.float32] = projected / np.maximum(length, np.float32(1e-12))
        return unit


def orthogonal_projection(features: int, dim: int, seed: int = 0) -> Projection:
    """Return a seeded random orthogonal projection of `features` dimensions to `dim`.

    It needs no photos and nearly keeps similarities (Johnson-Lindenstrauss). Raises UsageError if
    `dim` is more than `features`.
    """
    if dim > features:
        raise UsageError(f"a head cannot give {dim} dimensions from {features} features")
    gaussian = np.random.default_rng(seed).standard_normal((features, dim))
    q, r = np.linalg.qr(gaussian)
    # QR leaves the signs open; a positive diagonal makes the result unique and Haar-distributed
    # (Mezzadri 2007, "How to generate random matrices from the classical compact groups").
    matrix = (q * np.sign(np.diag(r))).astype(np.float32)
    return Projection(np.zeros(features, np.float32), matrix)


def fit_projection(features: NDArray[np.float32], dim: int) -> Projection:
    """Return the half-whitened PCA of (N, F) features: directions scaled by eigenvalue**-1/4.

    Full whitening (-1/2) amplifies noise in weak directions; without whitening a few strong ones
    decide; half retrieves best here (docs/experiments.md). Directions without variance become zero
    columns. Raises UsageError unless N > dim and F >= dim.
    """
    photos, width = features.shape
    if photos <= dim or width < dim:
        raise UsageError(
            f"a head of {dim} dimensions needs more than {dim} photos and at least {dim} features;"
            f" there are {photos} photos of {width} features"
        )
    mean = features.mean(axis=0, dtype=np.float64)
    centered = features - mean
    # The smaller of the two Gram matrices has the same nonzero spectrum (Turk & Pentland 1991).
    if photos < width:
        eigenvalues, vectors = np.linalg.eigh(centered @ centered.T / photos)
        vectors = centered.T @ vectors[:, ::-1][:, :dim]
    else:
        eigenvalues, vectors = np.linalg.eigh(centered.T @ centered / photos)
        vectors = vectors[:, ::-1][:, :dim]
    eigenvalues = eigenvalues[::-1][:dim]
    kept = eigenvalues > _NOISE * max(eigenvalues[0], np.finfo(np.float32).tiny)
    strongest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    directions = vectors / np.linalg.norm(vectors, axis=0).clip(1e-300) * np.sign(strongest)
    scale = np.where(kept, eigenvalues.clip(1e-300) ** -0.25, 0.0)
    return Projection(mean.astype(np.float32), (directions * scale).astype(np.float32))
