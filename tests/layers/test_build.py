"""Tests of every module of layers/; the slow ones build from the package index that pip uses."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from layers.build import UnreachableIndexError, build
from layers.check import check_binaries, check_size, check_tags
from layers.contents import GALLERY, SERVING, deployed
from layers.target import LayerError, Target, find_python
from layers.trim import trim

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
FIRST = GALLERY.pinned.read_text().splitlines()[2].split()[0]
FITTING = """\
import sys
sys.path[:0] = sys.argv[1:]
import boto3, botocore.exceptions
s3 = boto3.client("s3", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9")
print(s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}).split("?")[0])
sqs = boto3.client("sqs", region_name="eu-west-1")
print(sqs.meta.endpoint_url)
"""


def built(target: Target, vendor: Path) -> Path:
    """The layer's folder; skips the test on a machine that cannot reach a package index."""
    try:
        build(GALLERY, target, vendor)
    except UnreachableIndexError as error:
        pytest.skip(str(error))
    return vendor / f"gallery-{target.name}"


def contents(folder: Path) -> dict[str, str]:
    """The digest of each file's bytes, by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built layer for Python 3.13 on x86_64."""
    return built(Target("3.13", "x86_64"), tmp_path_factory.mktemp("vendor"))


@pytest.mark.slow
def test_a_layer_holds_the_pinned_versions_and_no_more_of_botocore_than_is_called(
    layer: Path,
) -> None:
    packages = layer / "python"
    pins = {line.replace("-", "_").lower() for line in CONSTRAINTS.read_text().splitlines()}
    there = {
        path.name.removesuffix(".dist-info").replace("-", "==").lower()
        for path in packages.glob("*.dist-info")
    }
    assert {"numpy==2.4.6", "faiss_cpu==1.15.1", "botocore==1.44.5"} <= there <= pins
    services = {path.name for path in (packages / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"codedeploy", "lambda", "s3", "secretsmanager", "sqs", "sts"}
    assert not [path for path in packages.rglob("*") if path.name == "tests"]


@pytest.mark.slow
def test_a_layer_is_compiled_where_its_python_is_here_and_names_no_place_of_this_machine(
    layer: Path,
) -> None:
    if find_python("3.13") is None:
        pytest.skip("there is no Python 3.13 on this machine")
    sources = {path.stem for path in (layer / "python" / "pydantic").glob("*.py")}
    compiled = list((layer / "python" / "pydantic" / "__pycache__").iterdir())
    assert {path.name for path in compiled} == {f"{name}.cpython-313.pyc" for name in sources}
    for path in compiled:
        assert path.read_bytes()[4] == 0b01  # by hash, and not to be checked (PEP 552)
        assert b"/opt/python/pydantic/" in path.read_bytes()
        assert b".building-" not in path.read_bytes()


@pytest.mark.slow
def test_aws_clients_work_from_a_layer(layer: Path) -> None:
    python = find_python("3.13")
    if python is None:
        pytest.skip("there is no Python 3.13 on this machine")
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", FITTING, layer / "python"],
        env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "http://127.0.0.1:9/b/k",
        "https://sqs.eu-west-1.amazonaws.com",
    ], done.stderr


@pytest.mark.slow
def test_an_up_to_date_layer_is_left_alone_and_a_damaged_one_gets_the_same_bytes_again(
    layer: Path,
) -> None:
    target, vendor, whole = Target("3.13", "x86_64"), layer.parent, contents(layer)
    before = layer.stat()
    assert "is up to date: 21 wheels" in build(GALLERY, target, vendor)
    assert layer.stat() == before
    # The state after a build was killed between its two renames.
    (layer / "python" / "six.py").unlink()
    layer.with_name(f"{layer.name}.stamp").unlink()
    assert "is built: 21 wheels" in build(GALLERY, target, vendor)
    assert contents(layer) == whole
    assert sorted(path.name for path in vendor.iterdir()) == [layer.name, f"{layer.name}.stamp"]


@pytest.mark.slow
@pytest.mark.parametrize("target", [Target("3.12", "x86_64"), Target("3.13", "arm64")], ids=str)
def test_a_layer_is_built_for_another_python_and_another_processor(
    target: Target, tmp_path: Path
) -> None:
    packages = built(target, tmp_path) / "python"
    other = "arm64" if target.architecture == "x86_64" else "x86_64"
    with pytest.raises(LayerError, match="is built for"):
        check_tags(Target(target.python, other), packages)
    with pytest.raises(LayerError, match=f"is not for {other}"):
        check_binaries(Target(target.python, other), packages)


def test_images_need_one_layer_and_zips_another_that_serves() -> None:
    assert deployed("image") == (GALLERY,)
    assert deployed("zip") == deployed("snapstart") == (GALLERY, SERVING)
    assert {"onnxruntime", "fastapi", "pi-heif"} <= set(SERVING.requirements)
    assert {"uvicorn", "torch"}.isdisjoint(SERVING.requirements)


def test_the_tools_that_come_with_the_models_runtime_are_taken_out(tmp_path: Path) -> None:
    kept = ["__init__.py", "capi/_pybind_state.py", "capi/onnxruntime_pybind11_state.so"]
    unread = ["tools/make.py", "transformers/x/y.py", "capi/libonnxruntime.so.1.32.0"]
    for name in (*kept, *unread):
        path = tmp_path / "onnxruntime" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    trim(tmp_path)
    there = {path for path in (tmp_path / "onnxruntime").rglob("*") if path.is_file()}
    assert there == {tmp_path / "onnxruntime" / name for name in kept}


def test_the_size_of_all_parts_counts(tmp_path: Path) -> None:
    for name in ("layer", "code"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(2**20))
    parts = (tmp_path / "layer", tmp_path / "code")
    (tmp_path / "code/default_model").mkdir()  # in no layer
    (tmp_path / "code/default_model/model.onnx").write_bytes(bytes(2**20))
    assert check_size(*parts, limit=2**21).startswith("2.0 of 2 MiB")
    with pytest.raises(LayerError, match=r"2\.0 of 2 MiB .*: remove more"):
        check_size(*parts, limit=2**21 - 1)


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("cp310-abi3-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux2014_x86_64", True),
        ("cp313-cp313-manylinux_2_34_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp313-cp313-musllinux_1_2_x86_64", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp314-abi3-manylinux_2_28_x86_64", False),
    ],
)
def test_a_wheel_fits_by_its_tag(tag: str, fits: bool, tmp_path: Path) -> None:
    info = tmp_path / "thing-1.0.dist-info"
    info.mkdir()
    (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    if fits:
        assert check_tags(Target("3.13", "x86_64"), tmp_path) == 1
    else:
        with pytest.raises(LayerError, match=f"thing-1.0 is built for {tag}, not for Python 3.13"):
            check_tags(Target("3.13", "x86_64"), tmp_path)


def test_a_binary_that_needs_a_newer_glibc_than_its_tag_says_is_refused(tmp_path: Path) -> None:
    header = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little")
    (tmp_path / "fine.so").write_bytes(header + b"\0GLIBC_2.28\0GLIBC_2.2.5\0")
    assert check_binaries(Target("3.13", "x86_64"), tmp_path) == 1
    (tmp_path / "new.so.1").write_bytes(header + b"\0GLIBC_2.28\0GLIBC_2.34\0")
    with pytest.raises(LayerError, match=r"new\.so\.1 needs glibc 2\.34"):
        check_binaries(Target("3.13", "x86_64"), tmp_path)


def test_everybody_may_read_a_layer_whatever_the_umask_was(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir(0o700)
    (folder / "module.py").touch(0o600)
    trim(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "module.py").stat().st_mode & 0o777 == 0o644


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the build's command as a process of its own; its layers lie in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "layers.build", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_wheel_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(LayerError) as caught:
        build(GALLERY, Target("3.13", "x86_64"), tmp_path / "vendor")
    assert str(caught.value) == (
        f"{FIRST} has no wheel for Python 3.13 on x86_64: pin a version that has one in "
        "constraints.txt and run `make pins`, or choose another python_version"
    )


@pytest.mark.slow
def test_a_package_that_is_another_one_than_was_pinned_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gallery.txt").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr("layers.contents.PINNED", tmp_path)
    with pytest.raises(LayerError, match="layers/pinned names by its hash") as caught:
        build(GALLERY, Target("3.13", "x86_64"), tmp_path / "vendor")
    if isinstance(caught.value, UnreachableIndexError):
        pytest.skip(str(caught.value))


def test_an_unreachable_index_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(UnreachableIndexError, match="check the network and `pip config list`"):
        build(GALLERY, Target("3.13", "x86_64"), tmp_path / "vendor")


def test_an_unknown_target_is_refused() -> None:
    done = command("-c", "python_version=2.7", "--profile", "of-cdk")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("layers.build: context python_version='2.7': ")
    with pytest.raises(LayerError, match=r"no layer for Python '2\.7': choose one of"):
        Target("2.7", "x86_64")
    with pytest.raises(LayerError, match="no layer for architecture 'mips': choose x86_64 or"):
        Target("3.13", "mips")
