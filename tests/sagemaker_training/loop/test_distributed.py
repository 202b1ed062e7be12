"""Several processes: two ranks compute the loss and the gradients of one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

import torch

from tests.sagemaker_training.conftest import PROGRAM
from tests.sagemaker_training.loop.gloo_step import LOSSES, take_steps
from tests.sagemaker_training.small_models import ALONE, small_recipe

pytestmark = pytest.mark.slow

REPOSITORY = PROGRAM.parent
PATH = os.pathsep.join(map(str, (PROGRAM, REPOSITORY / "layers/lens/python", REPOSITORY)))


def _run_ranks(count: int, *arguments: str) -> None:
    """Start a program once a rank, as torchrun does, and wait for all of them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": PATH,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count),
        "OMP_NUM_THREADS": "1",
    }
    ranks = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        for rank in ranks:
            _, errors = rank.communicate(timeout=300)
            assert rank.returncode == 0, errors
    finally:
        for rank in ranks:
            rank.kill()  # one that waits for another that failed
            rank.wait()


def test_two_processes_have_the_loss_and_the_gradients_of_one(
    tmp_path: Path, backbone: str
) -> None:
    program = Path(__file__).with_name("gloo_step.py")
    _run_ranks(2, str(program), backbone, str(tmp_path))
    for name, changes in LOSSES.items():
        alone = take_steps(small_recipe(backbone, **changes), tmp_path / f"{name}-alone", ALONE)
        together = torch.load(tmp_path / f"{name}.pth")
        assert alone.keys() == together.keys() and len(alone) > 20
        assert alone["loss 0"] > 0
        assert ("validation loss" in alone) == (changes.get("watched") == "loss")
        for key, value in alone.items():
            rounding = 1e-5 * max(1.0, float(value.abs().max()))
            assert torch.allclose(together[key], value, rtol=1e-4, atol=rounding), (name, key)


def test_the_ranks_shares_are_all_of_it_in_their_order() -> None:
    from dataclasses import replace

    for world in (1, 2, 3, 8):
        things = list(range(24))
        shares = [replace(ALONE, rank=rank, world=world).share(24) for rank in range(world)]
        assert [thing for share in shares for thing in things[share]] == things
