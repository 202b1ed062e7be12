"""Heads: the seeded projection and the half-whitened PCA."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lens.errors import UsageError
from training.network.projections import Projection, fit_projection, orthogonal_projection


def features(photos: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Correlated features away from the origin, as a backbone's are."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((width, width)) * np.linspace(2, 0.1, width)
    return (rng.standard_normal((photos, width)) @ mixing.T + 3).astype(np.float32)


def test_an_orthogonal_head_has_orthonormal_columns() -> None:
    head = orthogonal_projection(200, 16)
    assert head.mean.shape == (200,)
    assert not head.mean.any()
    np.testing.assert_allclose(head.matrix.T @ head.matrix, np.eye(16), atol=1e-6)


def test_an_orthogonal_head_is_the_same_for_the_same_seed_only() -> None:
    np.testing.assert_array_equal(
        orthogonal_projection(50, 8, seed=3).matrix, orthogonal_projection(50, 8, seed=3).matrix
    )
    assert np.abs(
        orthogonal_projection(50, 8).matrix - orthogonal_projection(50, 8, seed=1).matrix
    ).any()


def test_an_orthogonal_head_nearly_keeps_similarities() -> None:
    points = np.random.default_rng(0).standard_normal((60, 2000)).astype(np.float32)
    points[30:] = points[:30] + 0.5 * points[30:]
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    embeddings = orthogonal_projection(2000, 256).embed(points)
    assert np.abs(embeddings @ embeddings.T - unit @ unit.T).max() < 0.3


def test_embeddings_have_unit_length() -> None:
    x = features(300, 40)
    for head in (orthogonal_projection(40, 8), fit_projection(x, 8)):
        embeddings = head.embed(x)
        assert embeddings.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


def test_features_at_the_mean_embed_to_finite_numbers() -> None:
    x = features(300, 40)
    head = fit_projection(x, 8)
    assert np.isfinite(head.embed(head.mean[None])).all()


@pytest.mark.parametrize(("photos", "width"), [(300, 40), (30, 200)])
def test_a_fitted_head_is_half_whitened_pca(photos: int, width: int) -> None:
    x = features(photos, width)
    head = fit_projection(x, 8)
    eigenvalues, vectors = np.linalg.eigh(np.cov(x.T.astype(np.float64), bias=True))
    np.testing.assert_allclose(head.mean, x.mean(axis=0), atol=1e-5)
    for column, (value, vector) in enumerate(
        zip(eigenvalues[::-1][:8], vectors.T[::-1][:8], strict=True)
    ):
        projection = head.matrix[:, column]
        assert np.linalg.norm(projection) == pytest.approx(value**-0.25, rel=1e-4)
        cosine = abs(projection @ vector) / np.linalg.norm(projection)
        assert cosine == pytest.approx(1, abs=1e-5)
        # Half-whitened: a variance v becomes sqrt(v).
        assert ((x - head.mean) @ projection).var() == pytest.approx(value**0.5, rel=1e-3)


def test_a_fitted_head_does_not_depend_on_the_order_of_the_photos() -> None:
    x = features(300, 40)
    np.testing.assert_allclose(
        fit_projection(x, 8).matrix, fit_projection(x[::-1], 8).matrix, rtol=1e-3, atol=1e-5
    )


def test_the_strongest_feature_of_every_direction_counts_positive() -> None:
    projection = fit_projection(features(300, 40), 8).matrix
    strongest = projection[np.abs(projection).argmax(axis=0), np.arange(8)]
    assert (strongest > 0).all()


def test_the_same_features_give_the_same_head() -> None:
    x = features(300, 40)
    one, other = fit_projection(x, 8), fit_projection(x.copy(), 8)
    np.testing.assert_array_equal(one.matrix, other.matrix)
    np.testing.assert_array_equal(one.mean, other.mean)


def test_directions_without_variance_are_zero_instead_of_noise() -> None:
    x = features(3, 40)[np.arange(300) % 3]  # three photos, a hundred times each: two directions
    projection = fit_projection(x, 8).matrix
    assert np.isfinite(projection).all()
    assert (np.abs(projection).max(axis=0) > 0).tolist() == [True] * 2 + [False] * 6


def test_identical_photos_give_a_finite_head() -> None:
    assert np.isfinite(fit_projection(np.ones((20, 40), np.float32), 8).matrix).all()


def test_too_few_photos_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 8 photos"):
        fit_projection(features(8, 40), 8)
    with pytest.raises(UsageError, match="at least 8 features"):
        fit_projection(features(40, 7), 8)
    with pytest.raises(UsageError, match="from 7 features"):
        orthogonal_projection(7, 8)


def test_a_head_cannot_be_changed() -> None:
    head = Projection(np.zeros(2, np.float32), np.eye(2, dtype=np.float32))
    with pytest.raises(AttributeError):
        head.mean = np.ones(2, np.float32)  # type: ignore[misc]
