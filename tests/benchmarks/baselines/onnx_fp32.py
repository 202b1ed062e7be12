"""Baseline (b): the same model, exported by torch, on ONNX Runtime in fp32 with its defaults."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

from tests.benchmarks.baselines.app import Floats, Service


def load_service(folder: Path, threads: int) -> Service:
    """`threads`: ONNX Runtime's for one call; 0 leaves its default, all cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(
        str(folder / "baseline.onnx"), options, providers=["CPUExecutionProvider"]
    )

    def embed(pixels: Floats) -> Floats:
        vectors: Floats = session.run(None, {"pixels": pixels})[0]
        return vectors

    return Service(folder, embed)
