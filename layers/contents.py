"""The contents: which packages each layer and the image hold, and which functions use them.

`python -m layers.contents gallery` prints what the layer asks for, of which `make pins` makes
layers/pinned/gallery.txt: all that is installed then, by the hashes of its files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What search and embed need, both in the image and in the serving layer.
REQUIREMENTS = ROOT / "lambdas" / "requirements.txt"
PINNED = ROOT / "layers" / "pinned"


@dataclass(frozen=True)
class Layer:
    """`functions` are the modules whose handlers Lambda calls."""

    name: str
    requirements: tuple[str, ...]
    functions: tuple[str, ...]

    @property
    def pinned(self) -> Path:
        """What is installed for it, by hashes."""
        return PINNED / f"{self.name}.txt"


GALLERY = Layer(
    "gallery",
    (
        "aws-lambda-powertools",
        "boto3",
        "cachetools",
        "faiss-cpu",
        "numpy",
        "opentelemetry-sdk",
        "pathspec",
        "pydantic",
    ),
    tuple(
        f"lambdas.{name}.function"
        for name in (
            "build_index",
            "compact",
            "reconcile",
            "collect",
            "setup",
            "promote",
            "authorize",
            "rollout",
        )
    ),
)
SERVING = Layer(
    "serving",
    tuple(
        name
        for line in REQUIREMENTS.read_text().splitlines()
        if (name := line.partition("#")[0].strip())
    ),
    ("lambdas.search.function", "lambdas.embed.function"),
)

# uvicorn is not for Lambda: the image serves HTTP with it elsewhere.
IMAGE = Layer("image", (*SERVING.requirements, "uvicorn"), SERVING.functions)


def deployed(packaging: str) -> tuple[Layer, ...]:
    """The layers that a deployment with this packaging needs (cdk/config.py)."""
    return (GALLERY,) if packaging == "image" else (GALLERY, SERVING)


if __name__ == "__main__":
    wanted = {each.name: each for each in (GALLERY, SERVING, IMAGE)}[sys.argv[1]]
    print("\n".join(wanted.requirements))
