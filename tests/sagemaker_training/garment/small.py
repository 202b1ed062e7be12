"""A garment network and a plan small enough to be trained in a test, and teachers that know what
was drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from onnx import TensorProto, helper

from tests.sagemaker_training.garment.drawn import ANKLES, HIPS, SHOULDERS, material
from training.garment.labels import PLACES
from training.garment.network import GarmentNetwork
from training.garment.plan import GARMENT, Plan
from training.garment.trainer import GarmentTrainer
from training.loop.distributed import Ranks
from training.loop.progress import RunProgress
from training.network.lite0 import Lite0

SIZE = 64


def small_plan(**changes: Any) -> Plan:
    """Two phases of a few steps with batches of eight small views."""
    small = {"items": 2, "photos_each": 1, "shoppers": 3, "scenes": 3, "warmup": 1, **changes}
    phases = (
        replace(GARMENT.phases[0], size=32, steps=4, **small),
        replace(GARMENT.phases[-1], size=SIZE, steps=2, **small),
    )
    return Plan("small", phases)


def small_network(seed: int = 0) -> GarmentNetwork:
    """The trunk as it is, with random weights, and small heads."""
    torch.manual_seed(seed)
    trunk = Lite0().to(memory_format=torch.channels_last)
    network = GarmentNetwork(trunk, kinds=len(PLACES), shape_dim=6, color_dim=4)
    # So that there is something to compare: as they are made, all boxes are alike.
    torch.nn.init.normal_(network.sides.weight, std=0.1)
    return network


def small_trainer(folder: Path, plan: Plan | None = None, **arguments: Any) -> GarmentTrainer:
    """A trainer that says nothing."""
    silent = RunProgress(Ranks(1, 1, 0, torch.device("cpu")))
    return GarmentTrainer(
        plan or small_plan(),
        small_network(),
        material(),
        folder=folder,
        progress=silent,
        **arguments,
    )


def saliency_graph() -> bytes:
    """A stand-in for U²-Net-p: what is colorful stands out."""
    nodes = [
        helper.make_node("ReduceMax", ["pixels"], ["most"], axes=[1], keepdims=1),
        helper.make_node("ReduceMin", ["pixels"], ["least"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["most", "least"], ["stands_out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colorful",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, 320, 320])],
        [helper.make_tensor_value_info("stands_out", TensorProto.FLOAT, ["N", 1, 320, 320])],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def write_teachers(folder: Path) -> Path:
    """The folders of both teachers: rembg/u2netp.onnx and a package mediapipe that sees the drawn
    figure in every photo on white, and nobody elsewhere."""
    (folder / "rembg").mkdir(parents=True)
    (folder / "rembg/u2netp.onnx").write_bytes(saliency_graph())
    (folder / "mediapipe").mkdir()
    (folder / "mediapipe/__init__.py").write_text(
        _MEDIAPIPE.format(shoulders=SHOULDERS, hips=HIPS, ankles=ANKLES)
    )
    return folder


_MEDIAPIPE = """
import sounddevice
from types import SimpleNamespace as Some

print("INFO: a library that talks")


class Pose:
    def __init__(self, static_image_mode, model_complexity, min_detection_confidence):
        assert static_image_mode and model_complexity == 1

    def process(self, levels):
        if levels[0].min() < 255:
            return Some(pose_landmarks=None)
        points = [Some(x=0.5, y=0.0, visibility=0.99) for _ in range(33)]
        for numbers, y in (((11, 12), {shoulders}), ((23, 24), {hips}), ((27, 28), {ankles})):
            for number in numbers:
                points[number].y = y
        return Some(pose_landmarks=Some(landmark=points))


solutions = Some(pose=Some(Pose=Pose))
"""
