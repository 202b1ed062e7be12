"""Write the source bundle of a SageMaker job: `train.py`, and beside it `training/` and `lens/`.

    python sagemaker_training/bundle.py sourcedir.tar.gz

The same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lens.errors import LensError, UsageError

_HERE = Path(__file__).resolve().parent
_REQUIREMENTS = "requirements.txt"


def write_bundle(
    target: Path, *, lens: Path | None = None, constraints: Path | None = None
) -> Path:
    """Write the .tar.gz; `lens` and `constraints` default to this repository's."""
    repository = _HERE.parent
    lens = lens or repository / "layers/lens/python/lens"
    constraints = constraints or repository / "constraints.txt"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(_files(lens, constraints)):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(raw.getvalue(), mtime=0))
    return target


def pinned(requirements: str, constraints: str) -> str:
    """Return each requirement with its pinned version; UsageError for one without a pin."""
    pins = {}
    for line in constraints.splitlines():
        name, equals, version = line.partition("==")
        if equals:
            pins[_normalized(name)] = version.strip()
    lines = []
    for line in requirements.splitlines():
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if _normalized(name) not in pins:
            raise UsageError(f"{name} has no version in constraints.txt: pin it there")
        lines.append(f"{name}=={pins[_normalized(name)]}")
    return "\n".join(lines) + "\n"


def _files(lens: Path, constraints: Path) -> Iterator[tuple[str, bytes]]:
    for file in _HERE.iterdir():
        if file.suffix in {".py", ".json"}:
            yield file.name, file.read_bytes()
    text = pinned((_HERE / _REQUIREMENTS).read_text(), constraints.read_text())
    yield _REQUIREMENTS, text.encode()
    for package in (_HERE / "training", lens):
        for file in package.rglob("*.py"):
            yield f"{package.name}/{file.relative_to(package).as_posix()}", file.read_bytes()


def _normalized(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bundle to the file that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, metavar="FILE.tar.gz")
    try:
        print(write_bundle(parser.parse_args(arguments).target))
    except (LensError, OSError) as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
