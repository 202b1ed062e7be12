"""The stand-in program: counts its photos and writes a report; fails with the preset "broken".

python train.py --artifacts s3://... --job NAME --preset NAME --seed N --gate-margin R
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
    for name in ("artifacts", "job", "preset", "seed", "gate-margin"):
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
    # The preset "better" reports an existing model as better than the live one.
    better = options.preset == "better"
    verdict = {
        "format": 1,
        "passed": better,
        "reason": "a stand-in says so",
        "model_id": artifacts.read("training/better")[0].decode() if better else "none",
        "live": None,
        "protocol": "benchmark",
        "candidate_recall_at_1": float(better),
        "live_recall_at_1": 0.5,
        "margin": 0.0,
    }
    artifacts.write(f"training/{options.job}/verdict.json", json.dumps(verdict).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
