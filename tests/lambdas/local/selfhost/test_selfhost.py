"""The files for a server of one's own: what each says of the others, and the image without Docker.

The Dockerfile's steps are replayed: its files are copied, its package is built and installed in a
new environment, and its command serves. So this is the test of the wheel too.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lens.settings import Settings, settings_from, variable
from tests.lambdas.local.photos import write_photos

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "lambdas/local/selfhost"
DOCKERFILE = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
SERVER_SECONDS = 20  # lambdas.local.server.app


def instructions(name: str, stage: int) -> list[str]:
    """The arguments of a stage's instructions of this name; stages count from 1."""
    lines = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[stage].splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def image_environment() -> dict[str, str]:
    (line,) = instructions("ENV", 2)
    return dict(each.split("=", 1) for each in shlex.split(line))


@pytest.fixture(scope="module")
def services() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]


def test_every_variable_is_a_setting() -> None:
    known = {variable(name) for name in Settings.model_fields}
    for path in [*FOLDER.iterdir(), ROOT / "docs/self-hosting.md"]:
        named = set(re.findall(r"LENS_[A-Z_]+", path.read_text())) - {"LENS_ADDRESS"}
        assert named <= known, path.name


def test_the_settings_of_image_and_compose_are_understood(services: Any) -> None:
    given = {**image_environment(), **services["lens"]["environment"]}
    given |= {"LENS_ALLOWED_HOSTS": "lens.shop.example", "LENS_API_KEYS": "", "LENS_RATE": "120"}
    settings = settings_from({name: str(value) for name, value in given.items()})
    assert (settings.host, settings.port) == ("0.0.0.0", int(instructions("EXPOSE", 2)[0]))


def test_compose_hands_on_whatever_setting_its_file_has(services: Any) -> None:
    """A shop's currency, its layout, its product file: none of them is named in compose.yaml."""
    assert services["lens"]["env_file"] == ".env"
    assert "env_file" not in services["caddy"], "keys are none of its business"


def test_compose_mounts_what_the_image_reads_and_writes(services: Any) -> None:
    lens, image = services["lens"], image_environment()
    mounted = {each.split(":")[-2 if each.endswith(":ro") else -1] for each in lens["volumes"]}
    assert mounted == {image["LENS_CATALOG"], image["LENS_ARTIFACTS"]}
    context = FOLDER / lens["build"]["context"]
    assert context.resolve() == ROOT
    assert (context / lens["build"]["dockerfile"]).resolve() == FOLDER / "Dockerfile"


def test_caddy_reaches_the_server_and_is_the_one_proxy_that_is_trusted(services: Any) -> None:
    caddy = services["caddy"]
    port = instructions("EXPOSE", 2)[0]
    assert caddy["environment"]["LENS_ADDRESS"] == f"lens:{port}"
    wanted = set(re.findall(r"\{\$(\w+)\}", (FOLDER / "Caddyfile").read_text()))
    assert wanted == set(caddy["environment"])
    whole = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    (network,) = whole["networks"]["inside"]["ipam"]["config"]
    assert services["lens"]["environment"]["LENS_TRUSTED_PROXY"] == network["subnet"]
    assert "ports" not in services["lens"], "strangers reach it through Caddy alone"


def test_whoever_stops_the_server_waits_longer_than_it_needs(services: Any) -> None:
    source = (ROOT / "lambdas/local/server/app.py").read_text()
    (seconds,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_STOP_SECONDS"
    )
    unit = (FOLDER / "lens.service").read_text()
    assert int(services["lens"]["stop_grace_period"].removesuffix("s")) > seconds
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > seconds


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here")
    unit = tmp_path / "lens.service"
    unit.write_text((FOLDER / "lens.service").read_text().replace("/opt/lens/bin/lens", "/bin/sh"))
    command = ["systemd-analyze", "verify", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_keys_get_neither_into_git_nor_into_the_image() -> None:
    assert "**/.env" in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


@dataclass(frozen=True)
class Image:
    """The replayed image: its environment lies in `opt`."""

    opt: Path

    def replayed(self, text: str) -> str:
        """A step, with this folder in the place of the image's own."""
        return text.replace("/opt/lens", str(self.opt))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The build's first stage, from no other files than it copies."""
    folder = tmp_path_factory.mktemp("image")
    build = folder / "build"
    for line in instructions("COPY", 1):
        *sources, target = shlex.split(line)
        for source in sources:
            assert admitted(source), f"Dockerfile.dockerignore keeps {source} out"
            copy(source, build / target if (ROOT / source).is_dir() else build / source)
    image = Image(folder / "opt")
    (step,) = instructions("RUN", 1)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(image.replayed(step), shell=True, cwd=build, env=outside(path), check=True)
    return image


def admitted(source: str) -> bool:
    """Whether the build's context has it."""
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    return f"!{source}" in lines


def copy(source: str, target: Path) -> None:
    """Copy a file or a folder of the checkout, without what was compiled there."""
    if (ROOT / source).is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / source, target, ignore=ignored)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, target)


def outside(path: str) -> dict[str, str]:
    """This machine's variables, without those by which the checkout's code would be found."""
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PATH": path,
    }


@pytest.mark.slow
def test_the_installed_package_has_the_default_model_and_the_page(image: Image) -> None:
    (packages,) = image.opt.glob("lib/python3*/site-packages")
    for ours, there in (
        ("layers/lens/python/lens/default_model", "lens/default_model"),
        ("frontend", "lambdas/local/server/frontend"),
    ):
        names = {each.name for each in (ROOT / ours).iterdir() if each.name != "__pycache__"}
        assert names <= {each.name for each in (packages / there).iterdir()}
    told = subprocess.run(
        [image.opt / "bin/lens", "--help"],
        cwd=image.opt,
        env=outside(os.environ["PATH"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.startswith("usage: lens [-h] COMMAND")
    assert not {"torch", "onnx", "boto3"} & {each.name for each in packages.iterdir()}


@pytest.mark.slow
def test_the_images_command_serves_is_healthy_and_stops(image: Image, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", range(3))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    given = {
        **image_environment(),
        "LENS_PORT": port,
        "LENS_CATALOG": str(tmp_path / "photos"),
        "LENS_ARTIFACTS": str(tmp_path / "artifacts"),
        "LENS_ALLOWED_HOSTS": "lens.shop.example",
    }
    given["PATH"] = f"{image.opt}/bin:{os.environ['PATH']}"
    (command,) = instructions("CMD", 2)
    (check,) = (each.partition("CMD ")[2] for each in instructions("HEALTHCHECK", 2))
    environment = {**outside(given["PATH"]), **given}
    server = subprocess.Popen(
        ast.literal_eval(command), env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == f"Image Lens: http://0.0.0.0:{port}\n"
        healthy = ast.literal_eval(check.replace("8000", port))
        assert subprocess.run(healthy, env=environment, timeout=30, check=False).returncode == 0
        time.sleep(1)
        server.send_signal(signal.SIGTERM)
        assert server.wait(SERVER_SECONDS) == 0
        assert subprocess.run(
            healthy, env=environment, timeout=30, check=False, stderr=subprocess.DEVNULL
        ).returncode
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()
