"""The trim: deletes files that no function reads from installed packages, and files that depend on
the machine that installed them, so that the same pins give the same bytes.

Standard library only: the layers' build imports this module, and the image's build runs it
(`trim.py FOLDER`).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

# botocore has 28 MB of descriptions of 400 services; the functions call only these.
SERVICES = {"codedeploy", "lambda", "s3", "secretsmanager", "sqs", "sts"}

# ONNX Runtime's tools for making models, and its second library, for programs in C.
_UNREAD_OF_ONNXRUNTIME = (
    *("backend", "datasets", "quantization", "tools", "transformers"),
    "capi/libonnxruntime.so.*",
)
_UNREAD_FOLDERS = {"__pycache__", "tests"}
_UNREAD_SUFFIXES = {".a", ".pyi"}
# pip's own records. RECORD lists scripts whose first line names the Python that installed them.
_PIP_NOTES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


def trim(packages: Path) -> None:
    """Trim a folder that `pip install --target` has filled."""
    _remove(packages / "bin")
    for path in packages.glob("botocore/data/*/"):
        if path.is_dir() and path.name not in SERVICES:
            _remove(path)
    for pattern in _UNREAD_OF_ONNXRUNTIME:
        for path in packages.glob(f"onnxruntime/{pattern}"):
            _remove(path)
    for folder in [path for path in packages.rglob("*") if path.name in _UNREAD_FOLDERS]:
        _remove(folder)
    for path in packages.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
            continue
        noted = path.parent.suffix == ".dist-info" and path.name in _PIP_NOTES
        if noted or path.suffix in _UNREAD_SUFFIXES:
            path.unlink()
        else:
            # Lambda's user must be able to read them, whatever the umask of this machine is.
            path.chmod(0o644)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
