"""The proof of arm64: its layers import under an emulated Graviton, and embed as x86 does.

    python -m tests.arm64.prove [FOLDER]

For a machine that is no arm64, with apt (any Debian) and its network. The layers are built as for a
deployment with `architecture=arm64`; Debian's Python for arm64 runs them under QEMU's user-mode
emulation of a Neoverse N1, Graviton 2's core. QEMU says nothing about speed. FOLDER
(build/arm64-proof) keeps what was fetched, so that only the first run fetches it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lens.default_model.shipped import write_shipped
from lens.storage import FileStorage

ROOT = Path(__file__).parents[2]
CORE = "neoverse-n1"
LEAST_COSINE = 0.9999  # as at export, of fp32
# In 8 bits a number that lies between two levels may be rounded to the other one.
LEAST_COSINE_ROUNDED = 0.999
# Before 10, QEMU ends at ONNX Runtime's import.
_SUITE = "trixie"
_EMULATOR = ("qemu-user",)
_PYTHON = (
    *("python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib", "libc6", "libgcc-s1"),
    *("libstdc++6", "zlib1g", "libexpat1", "libssl3t64", "libffi8", "libbz2-1.0", "liblzma5"),
    *("libsqlite3-0", "libuuid1", "libzstd1"),
)


def prove(work: Path) -> None:
    """Build, emulate, compare; prints one line per finding, raises at the first failure."""
    build = [sys.executable, "-m", "layers.build", "-c", "packaging=zip"]
    subprocess.run([*build, "-c", "architecture=arm64", "-c", "python_version=3.13"], check=True)
    machine = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
    emulator = fetched(work / "emulator", machine, _EMULATOR) / "usr" / "bin" / "qemu-aarch64"
    system = fetched(work / "system", "arm64", _PYTHON)
    artifacts = work / "artifacts"
    write_models(artifacts)
    here, there = work / "x86.npz", work / "arm64.npz"
    lens = ROOT / "layers" / "lens" / "python"
    command = [str(ROOT / "tests" / "arm64" / "embed.py"), str(artifacts)]
    subprocess.run([sys.executable, *command, str(here)], check=True, env=_environment(lens))
    layer = ROOT / "layers" / "vendor" / "serving-py313-arm64" / "python"
    emulated = [str(emulator), "-cpu", CORE, "-L", str(system)]
    subprocess.run(
        [*emulated, str(system / "usr" / "bin" / "python3.13"), *command, str(there)],
        check=True,
        env=_environment(layer, lens) | {"PYTHONHOME": str(system / "usr")},
    )
    compare(here, there)


def write_models(folder: Path) -> None:
    """The default model, and a small ViT of random weights in all forms."""
    sys.path.insert(0, str(ROOT / "sagemaker_training"))
    import torch

    from lens.models.manifest import FasterNetwork, HeadInfo, write_model
    from tests.sagemaker_training.small_models import save_dinov2, small_model, small_recipe
    from training.export.onnx_export import export_precisions, needs_of

    shutil.rmtree(folder, ignore_errors=True)
    storage = FileStorage(folder)
    write_shipped(storage)
    torch.manual_seed(0)
    model = small_model(small_recipe(save_dinov2(folder / "dinov2", blocks=6), size=196)).eval()
    networks = export_precisions(model)
    write_model(
        storage,
        networks.pop("fp32"),
        backbone="small-vit",
        embedding_dim=model.shape.head.out_features,
        preprocessing=model.preprocessing,
        head=HeadInfo(kind="trained"),
        faster={name: FasterNetwork(each, needs_of(name), {}) for name, each in networks.items()},
    )


def compare(here: Path, there: Path) -> None:
    """AssertionError unless both machines' vectors are as near as is wanted."""
    with np.load(here) as ours, np.load(there) as theirs:
        assert set(ours.files) == set(theirs.files), (ours.files, theirs.files)
        for name in ours.files:
            cosine = float((ours[name] * theirs[name]).sum(axis=1).min())
            least = LEAST_COSINE if "fp32" in name else LEAST_COSINE_ROUNDED
            print(f"{name}: cosine of x86's and arm64's vectors at least {cosine:.7f}", flush=True)
            assert cosine >= least, f"{name}: {cosine} is below {least}"


def fetched(folder: Path, architecture: str, packages: Sequence[str]) -> Path:
    """A folder with the files of Debian packages, fetched by apt and not installed."""
    if (done := folder / ".done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    own = folder / "apt"
    for each in ("lists/partial", "cache/archives/partial"):
        (own / each).mkdir(parents=True)
    sources = own / "sources.list"
    sources.write_text(f"deb {mirror()} {_SUITE} main\n")
    told = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": own / "lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": own / "cache",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in told.items())]
    subprocess.run([*apt, "update"], check=True, cwd=own)
    subprocess.run([*apt, "download", *packages], check=True, cwd=own)
    for package in own.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    if not (folder / "lib").exists():
        (folder / "lib").symlink_to("usr/lib")  # as Debian's base system has it
    shutil.rmtree(own)
    done.touch()
    return folder


def mirror() -> str:
    """Where this machine's apt takes Debian from. SystemExit where it takes it from nowhere."""
    wanted = ["--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(
        ["apt-get", "indextargets", *wanted], check=True, capture_output=True, text=True
    )
    for line in told.stdout.splitlines():
        origin, suite, address = line.split(" ", 2)
        if origin == "Debian" and "-" not in suite:  # not its security or updates
            return address
    raise SystemExit(
        "arm64-proof needs a Debian whose apt knows a mirror: add one, then apt update"
    )


def _environment(*paths: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONHOME"},
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


if __name__ == "__main__":
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        print("arm64 is proven on Debian: apt-get fetches Python and QEMU", file=sys.stderr)
        sys.exit(1)
    prove(Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "arm64-proof").resolve())
