"""The assets: the folders and files that a deployment packs; checks that all of them exist."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_ecr_assets import Platform

from cdk.config import Config, ConfigError

# The default model is in the setup function's zip, laid out as in the artifacts; no function reads
# the package that it came in.
_LEFT_OUT = ["**/__pycache__", "**/*.pyc", "**/default_model"]


# What every function imports.
_ALL = ("lambdas/__init__.py", "lambdas/again.py", "lambdas/telemetry.py")


@dataclass(frozen=True)
class Assets:
    """A checkout and what was built in it; `model` is relative to `root`."""

    root: Path
    target: str
    model: str
    bundle: Path

    @staticmethod
    def of(root: Path, config: Config) -> Assets:
        """The checkout's assets; ConfigError when one of them was not built yet."""
        target = f"py{config.python_version.replace('.', '')}-{config.architecture}"
        model, bundle = config.model.strip("/"), root / config.training_bundle
        assets = Assets(root, target, model, bundle)
        chosen = " ".join(
            f"-c {name}={getattr(config, name)}"
            for name in ("packaging", "python_version", "architecture")
        )
        layers = ["gallery"] if config.packaging == "image" else ["gallery", "serving"]
        for path, command in (
            *(
                (assets.vendor(each) / "python", f'make assets CONTEXT="{chosen}"')
                for each in layers
            ),
            (root / model / "models", "make assets"),
            (bundle, "make assets"),
        ):
            if not path.exists():
                raise ConfigError(f"{path.relative_to(root)} is missing: run `{command}` first")
        return assets

    def metric_definitions(self) -> list[dict[str, str]]:
        """The metrics that SageMaker reads from the training program's log."""
        path = self.root / "sagemaker_training/metric_definitions.json"
        definitions: list[dict[str, str]] = json.loads(path.read_text())
        return definitions

    def layer(self) -> lambda_.Code:
        """The package `lens`, as a layer."""
        return lambda_.Code.from_asset(str(self.root / "layers/lens"), exclude=_LEFT_OUT)

    def vendor(self, layer: str) -> Path:
        """The folder of a layer of libraries, `gallery` or `serving` (layers/contents.py)."""
        return self.root / "layers/vendor" / f"{layer}-{self.target}"

    def vendor_layer(self, layer: str) -> lambda_.Code:
        """The libraries of the functions in zips, as a layer."""
        return lambda_.Code.from_asset(str(self.vendor(layer)))

    def function(self, package: str, *others: str) -> lambda_.Code:
        """One function's package and other paths, laid out as in the checkout.

        They are copied first, because CDK would read the whole checkout, excluded files too.
        """
        folder = self.root / "build/functions" / package
        shutil.rmtree(folder, ignore_errors=True)
        for path in (*_ALL, f"lambdas/{package}", *others):
            source, target = self.root / path, folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            else:
                shutil.copy(source, target)
        return lambda_.Code.from_asset(str(folder))

    def image(self, config: Config, command: str) -> lambda_.DockerImageCode:
        """The image of search and embed, which Docker builds during the deployment."""
        arm = config.architecture == "arm64"
        return lambda_.DockerImageCode.from_image_asset(
            str(self.root),
            file="lambdas/Dockerfile",
            cmd=[command],
            platform=Platform.LINUX_ARM64 if arm else Platform.LINUX_AMD64,
            build_args={
                "BASE_IMAGE": config.base_image
                or f"public.ecr.aws/lambda/python:{config.python_version}",
            },
        )
