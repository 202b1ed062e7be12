"""The builder: builds and runs the image with buildah, on a machine without Docker.

Its base is Debian and not AWS's. All its files are under one folder, also buildah's storage.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BASE = "localhost/lambda-base"
IMAGE = "localhost/image-lens"
# Lambda's own user has another number; what matters is that it owns no file.
USER = "65534:65534"


class Builder:
    """Builds and runs images under a work folder."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.work = work
        self.pip_settings = _pip_settings()

    def buildah(self, command: str, *arguments: str) -> list[str]:
        """A buildah command line; it uses chroots and not containers, so it needs no cgroups."""
        storage = ["--storage-driver=vfs", f"--root={self.work}/storage"]
        return ["buildah", *storage, f"--runroot={self.work}/run", command, *arguments]

    def call(self, command: str, *arguments: str) -> str:
        """Run buildah; returns its output. Its standard error goes to log.txt."""
        line = self.buildah(command, *arguments)
        with (self.work / "log.txt").open("ab") as log:
            done = subprocess.run(line, stdout=subprocess.PIPE, stderr=log, text=True, check=True)
        return done.stdout.strip()

    def build_base(self) -> None:
        """Build the replacement for AWS's base image, unless it exists."""
        if BASE in self.call("images", "--format={{.Name}}"):
            return
        context = self.work / "base"
        shutil.copytree(HERE / "lambda_base", context, dirs_exist_ok=True)
        root = self.work / "root"
        packages = "--include=ca-certificates,python-is-python3,python3-pip"
        debootstrap = ["debootstrap", "--variant=minbase", packages, "trixie", str(root), _mirror()]
        subprocess.run(debootstrap, stdout=subprocess.DEVNULL, check=True)
        subprocess.run(["tar", "-cf", context / "root.tar", "-C", root, "."], check=True)
        self._build(BASE, context, context / "Dockerfile")
        shutil.rmtree(root)
        shutil.rmtree(context)

    def build_image(self) -> None:
        """Build lambdas/Dockerfile as it is."""
        self._build(IMAGE, ROOT, ROOT / "lambdas" / "Dockerfile", f"--build-arg=BASE_IMAGE={BASE}")

    def container(self) -> str:
        """A new working container of the image."""
        return self.call("from", IMAGE)

    def configuration(self) -> dict[str, Any]:
        """The image's Entrypoint, Cmd, Env and WorkingDir."""
        inspected: dict[str, Any] = json.loads(self.call("inspect", "--type=image", IMAGE))
        configuration: dict[str, Any] = inspected["Docker"]["config"]
        return configuration

    def run(self, container: str, command: list[str], environment: dict[str, str]) -> str:
        """What a command in the image prints."""
        return self.call("run", *_in_container(container, command, environment))

    @contextmanager
    def running(
        self, container: str, command: list[str], environment: dict[str, str]
    ) -> Iterator[None]:
        """A command in the image, on this machine's network, until the end of the block."""
        line = self.buildah("run", *_in_container(container, command, environment))
        with (self.work / "log.txt").open("ab") as log:
            process = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)

    def _build(self, tag: str, context: Path, dockerfile: Path, *arguments: str) -> None:
        build = ("bud", "--quiet", "--isolation=chroot", f"--tag={tag}", f"--file={dockerfile}")
        self.call(*build, *self._pip_mounts(), *arguments, str(context))

    def _pip_mounts(self) -> list[str]:
        """Mounts for a build's RUNs: this machine's pip configuration and the folders it names."""
        file = self.work / "pip.conf"
        lines = [f"{name} = {value}" for name, value in self.pip_settings.items()]
        file.write_text("\n".join(["[global]", *lines, ""]))
        named = re.findall(r"(?:^|\s|file://)(/\S+)", "\n".join(self.pip_settings.values()))
        places = {str(_top(Path(path))) for path in named if Path(path).exists()}
        return [
            f"--volume={file}:/etc/pip.conf:ro",
            *(f"--volume={place}:{place}:ro" for place in sorted(places)),
        ]


def _in_container(container: str, command: list[str], environment: dict[str, str]) -> list[str]:
    variables = [f"--env={name}={value}" for name, value in environment.items()]
    return ["--isolation=chroot", f"--user={USER}", *variables, container, "--", *command]


def _top(path: Path) -> Path:
    """A package index's folder may link to its neighbors, so mount the folder above them."""
    return path if path.is_file() else Path(*path.parts[:3])


def _pip_settings() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", said, re.MULTILINE))


def _mirror() -> str:
    """The address that this machine's apt gets Debian from."""
    command = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return next(uri for uri in said if re.search(r"/debian/?$", uri))
