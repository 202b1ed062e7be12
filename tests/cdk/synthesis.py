"""A fake checkout with placeholder files, and the template that CDK synthesizes from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from cdk.assets import Assets
from cdk.config import Config
from cdk.stack import ImageLensStack
from layers.contents import GALLERY, SERVING

_FUNCTIONS = tuple(
    module.split(".")[1] for layer in (GALLERY, SERVING) for module in layer.functions
)
_FILES = (
    "layers/lens/python/lens/__init__.py",
    "layers/lens/python/lens/default_model/model.onnx",
    "layers/vendor/gallery-py313-x86_64/python/numpy.py",
    "layers/vendor/serving-py313-x86_64/python/onnxruntime.py",
    "build/model/models/m/manifest.json",
    "build/training/sourcedir.tar.gz",
    "frontend/index.html",
    "sagemaker_training/metric_definitions.json",
    "lambdas/__init__.py",
    "lambdas/again.py",
    "lambdas/telemetry.py",
    "lambdas/Dockerfile",
    *(f"lambdas/{name}/function.py" for name in _FUNCTIONS),
)


def checkout(folder: Path) -> Path:
    """A folder with every file that a deployment packs; each file contains its own path."""
    for name in _FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    metrics = [{"Name": "loss", "Regex": "loss ([0-9.]+)"}]
    (folder / "sagemaker_training/metric_definitions.json").write_text(json.dumps(metrics))
    return folder


def synthesize(root: Path, out: Path, *, region: str | None = None, **settings: Any) -> Template:
    """The stack's template with these settings; cdk-nag's report is written to `out` too."""
    config = Config.model_validate(settings)
    app = App(outdir=str(out))
    stack = ImageLensStack(
        app, config=config, assets=Assets.of(root, config), env=Environment(region=region)
    )
    if region is None:  # nag.py names the accepted findings without a region
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return Template.from_stack(stack)


class Parts:
    """A template's resources, found by type and by the start of their logical name."""

    def __init__(self, template: Template) -> None:
        self.template: Mapping[str, Any] = template.to_json()
        self.resources: dict[str, dict[str, Any]] = self.template["Resources"]

    def named(self, kind: str, prefix: str = "") -> dict[str, dict[str, Any]]:
        """Logical names and whole resources."""
        return {
            name: each
            for name, each in self.resources.items()
            if each["Type"] == kind and name.startswith(prefix)
        }

    def one(self, kind: str, prefix: str = "") -> dict[str, Any]:
        """The properties of the only resource of this type and prefix."""
        (resource,) = self.named(kind, prefix).values()
        properties: dict[str, Any] = resource.get("Properties", {})
        return properties

    def function(self, name: str) -> dict[str, Any]:
        """A function's properties."""
        return self.one("AWS::Lambda::Function", f"Functions{name.replace('_', '')}")

    def statements(self, name: str) -> list[dict[str, Any]]:
        """The policy statements of a function's role."""
        prefix = f"Functions{name.replace('_', '')}"
        found: list[dict[str, Any]] = []
        for policy in self.named("AWS::IAM::Policy", prefix).values():
            found += policy["Properties"]["PolicyDocument"]["Statement"]
        return found


def several(value: str | list[Any] | dict[str, Any]) -> list[Any]:
    """A list also where CloudFormation writes a single value without one."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """An ARN with its references written as text: {"Fn::GetAtt": ["Bucket", "Arn"]} is <Bucket>."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{value['Fn::GetAtt'][0]}>"
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"])
    if "Fn::FindInMap" in value:
        return f"<{'.'.join(text(part) for part in value['Fn::FindInMap'])}>"
    return f"<{value['Ref']}>"
