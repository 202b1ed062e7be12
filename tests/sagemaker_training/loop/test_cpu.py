"""The processor: how many threads each process of a training uses."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

import lens.gallery.index  # noqa: F401  (keeps FAISS, and with it torch, to one thread)
from training.loop.cpu import use_cores


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_one_process_uses_every_core_though_searches_use_one() -> None:
    torch.set_num_threads(1)
    use_cores({})
    assert torch.get_num_threads() == os.cpu_count()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"LOCAL_WORLD_SIZE": "10000"}, 1),
        ({"OMP_NUM_THREADS": "1", "LOCAL_WORLD_SIZE": "8"}, 1),
    ],
)
def test_processes_share_the_cores_and_a_wish_is_heard(
    environment: dict[str, str], expected: int
) -> None:
    use_cores(environment)
    assert torch.get_num_threads() == expected
