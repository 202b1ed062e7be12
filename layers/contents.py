"""The contents: which packages each layer holds, and which functions use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What search and embed need, both in the image and in the serving layer.
REQUIREMENTS = ROOT / "lambdas" / "requirements.txt"


@dataclass(frozen=True)
class Layer:
    """`functions` are the modules whose handlers Lambda calls."""

    name: str
    requirements: tuple[str, ...]
    functions: tuple[str, ...]


GALLERY = Layer(
    "gallery",
    ("aws-lambda-powertools", "boto3", "cachetools", "faiss-cpu", "numpy", "pathspec", "pydantic"),
    tuple(
        f"lambdas.{name}.function"
        for name in ("build_index", "compact", "reconcile", "collect", "setup", "promote")
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


def deployed(context: Mapping[str, str]) -> tuple[Layer, ...]:
    """The layers that a deployment with this context needs (cdk/config.py)."""
    return (GALLERY,) if context["packaging"] == "image" else (GALLERY, SERVING)
