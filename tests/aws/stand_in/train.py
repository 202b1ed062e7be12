"""Reads its photos, writes a report through `lens`; the preset "broken" makes it fail.

python train.py --artifacts s3://... --job NAME --preset NAME --seed N
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from lens.storage import open_storage


def main() -> int:
    """What SageMaker runs."""
    parser = argparse.ArgumentParser()
    for name in ("artifacts", "job", "preset", "seed"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    photos = [p for p in Path(os.environ["SM_CHANNEL_TRAINING"]).rglob("*") if p.is_file()]
    if options.preset == "broken":
        print("there is no such preset", file=sys.stderr)
        return 2
    Path(os.environ["SM_CHECKPOINT_DIR"], "last.pt").write_bytes(b"weights")
    Path(os.environ["SM_MODEL_DIR"], "model.onnx").write_bytes(b"graph")
    report = {"photos": len(photos), "seed": int(options.seed), "preset": options.preset}
    artifacts = open_storage(options.artifacts)
    artifacts.write(f"training/{options.job}/report.json", json.dumps(report).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
