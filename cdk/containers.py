"""The training container: AWS's image for PyTorch, as the SageMaker SDK looks it up.

The SDK needs older libraries (rich below 15, protobuf below 7) than the rest, so it has a Python
environment of its own. There `make containers` runs this module, which writes containers.json; a
deployment reads only that file. Import nothing but the standard library here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = "pytorch-training"
_FILE = Path(__file__).with_name("containers.json")
_PYTORCH, _PYTHON = "2.8.0", "py312"
# One instance type with a GPU and one without: the SDK chooses the image by the instance type.
_INSTANCES = {"gpu": "ml.p4d.24xlarge", "cpu": "ml.m5.xlarge"}


@dataclass(frozen=True)
class Containers:
    """Tags by kind, "gpu" and "cpu"; the account that keeps the images, by region."""

    tags: dict[str, str]
    accounts: dict[str, str]

    def tag(self, instance: str) -> str:
        """The tag for an instance type; p and g are SageMaker's families with NVIDIA's GPUs."""
        return self.tags["gpu" if instance.removeprefix("ml.")[0] in "pg" else "cpu"]


def read_containers() -> Containers:
    """The result of the last `make containers`."""
    return Containers(**json.loads(_FILE.read_text()))


def look_up() -> Containers:
    """Ask the SDK; it contains the table, so this needs no AWS account."""
    from sagemaker.core import image_uris  # type: ignore[import-not-found]

    regions = image_uris.config_for_framework("pytorch")["training"]["versions"][_PYTORCH]
    accounts, tags = {}, {}
    for region in sorted(regions["registries"]):
        for kind, instance in _INSTANCES.items():
            image = image_uris.retrieve(
                "pytorch",
                region,
                version=_PYTORCH,
                py_version=_PYTHON,
                instance_type=instance,
                image_scope="training",
            )
            accounts[region] = image.split(".", 1)[0]
            tags[kind] = image.partition(f"/{REPOSITORY}:")[2]
    return Containers(tags, accounts)


if __name__ == "__main__":
    _FILE.write_text(json.dumps(asdict(look_up()), indent=2) + "\n")
