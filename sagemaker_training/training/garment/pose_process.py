"""The pose process: answers where a person's joints are, photo by photo, with MediaPipe.

It is run as a program (teachers.Pose) with MediaPipe's own libraries, and imports nothing of ours.
It first writes "ready", or why it cannot start. Then it reads photos, each a line [H, W, 3] and
that many bytes, and for each writes a line: three numbers for every landmark, or [] for nobody.
"""

from __future__ import annotations

import json
import math
import os
import sys
import types
from typing import IO, Any


def main() -> None:
    """Answer until the input ends."""
    photos = sys.stdin.buffer
    # MediaPipe's libraries print as they like: what they print is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        pose = _load()
    except Exception as error:  # whatever stops it is what the caller must know
        _say(answers, " ".join(str(error).split()) or type(error).__name__)
        return
    _say(answers, "ready")
    while line := photos.readline():
        _say(answers, _landmarks(pose, photos, json.loads(line)))


def _load() -> Any:
    # Imported by MediaPipe for sounds; the library that it loads is on few machines.
    sys.modules["sounddevice"] = types.ModuleType("sounddevice")
    import mediapipe

    return mediapipe.solutions.pose.Pose(
        static_image_mode=True, model_complexity=1, min_detection_confidence=0.5
    )


def _landmarks(pose: Any, photos: IO[bytes], shape: list[int]) -> list[float]:
    import numpy as np

    levels = np.frombuffer(photos.read(math.prod(shape)), np.uint8).reshape(shape)
    found = pose.process(levels).pose_landmarks
    if found is None:
        return []
    return [v for point in found.landmark for v in (point.x, point.y, point.visibility)]


def _say(answers: IO[str], answer: object) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
