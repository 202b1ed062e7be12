"""What the training tests share: the program's modules on the path, a catalog small enough, and
one thread, because their tensors are small."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "sagemaker_training"
# In the job's bundle train.py and its siblings lie at the root, and import each other by name.
sys.path.insert(0, str(PROGRAM))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """More threads only wait for each other, and burn cores while they do."""
    torch = sys.modules.get("torch")  # it takes seconds to import, and not every test needs it
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def inshop(tmp_path: Path) -> Path:
    """Eight training and four test items, as In-Shop lays them out."""
    from tests.sagemaker_training.small_catalogs import draw_inshop

    return draw_inshop(tmp_path / "inshop", train=8, test=4)


@pytest.fixture
def backbone(tmp_path: Path) -> str:
    """A DINOv2 of two blocks with random weights, in a folder, for 28 pixels a side."""
    pytest.importorskip("torch")
    from tests.sagemaker_training.small_models import save_dinov2

    return save_dinov2(tmp_path / "dinov2")
