"""Merging: similar patches become one token, so that a photo full of detail costs little more than
one on a white backdrop (Bolya et al., "Token Merging: Your ViT But Faster", 2023).

Before each of a few blocks every second token may join the one of the others that it is most like,
the most alike first, until few enough are left. Attention counts a token as often as it has
patches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.export.graph_builder import GraphBuilder

BLOCKS = range(1, 5)  # before which tokens merge
AT_ONCE = 40  # tokens that go before a block, at the most; half of them could
LEFT = 112  # tokens of patches that stay, at the least
_NO_LENGTH = 1e-12


@dataclass(frozen=True)
class Merged:
    """Of one photo: tokens (1, 1 + T, F), the first one CLS, and how many patches each of the T is
    made of, (T, 1)."""

    tokens: str
    patches: str


def unmerged(graph: GraphBuilder, tokens: str) -> Merged:
    """As many patches as tokens."""
    return Merged(tokens, graph.node("Expand", [_one(graph), _count(graph, tokens)], "patches.one"))


def merge(graph: GraphBuilder, of: Merged, name: str) -> Merged:
    """The tokens with up to AT_ONCE of them merged into others, while LEFT are left."""
    count = _count(graph, of.tokens)
    left = graph.constant("merging.left", [LEFT, 1], np.int64)
    spare = graph.node("Sub", [count, left], f"{name}.spare")
    many = graph.node("Greater", [spare, graph.shape(0)], f"{name}.many")
    many = graph.node("Slice", [many, graph.shape(0), graph.shape(1)], f"{name}.too_many")

    def merging(branch: GraphBuilder) -> list[str]:
        most = branch.constant("merging.at_once", [AT_ONCE, 1], np.int64)
        gone = branch.node("Min", [spare, most], f"{name}.min")
        gone = branch.node("Slice", [gone, branch.shape(0), branch.shape(1)], f"{name}.gone")
        return _merged(branch, of, gone, name)

    tokens, patches = graph.choose(many, merging, [of.tokens, of.patches], f"{name}.chosen")
    return Merged(tokens, patches)


def attention_bias(graph: GraphBuilder, of: Merged, name: str) -> tuple[str, str]:
    """What makes attention count patches, not tokens, to add to its scores: (1, 1, 1 + T, 1 + T),
    and for the first query alone (1, 1, 1, 1 + T)."""
    cls = graph.constant("merging.cls", [[1]])
    each = graph.node("Concat", [cls, of.patches], f"{name}.counted", axis=0)
    logarithms = graph.node("Log", [each], f"{name}.logarithms")
    first = graph.node("Reshape", [logarithms, graph.shape(1, 1, 1, -1)], f"{name}.first")
    rows = graph.node("Shape", [of.tokens], f"{name}.rows", start=1, end=2)
    shape = graph.node("Concat", [graph.shape(1, 1), rows, graph.shape(1)], f"{name}.shape", axis=0)
    return graph.node("Expand", [first, shape], f"{name}.all"), first


def _merged(graph: GraphBuilder, of: Merged, gone: str, name: str) -> list[str]:
    """Every second token from the first on may go; `gone` (1,) is how many do."""

    def node(operator: str, inputs: list[str], what: str, **attributes: object) -> str:
        return graph.node(operator, inputs, f"{name}.{what}", **attributes)  # type: ignore[arg-type]

    zero, one, end = graph.shape(0), graph.shape(1), graph.shape(np.iinfo(np.int64).max)
    cls = node("Slice", [of.tokens, zero, one, one], "cls")
    tokens = node("Slice", [of.tokens, one, end, one], "patches")
    tokens = node("Squeeze", [tokens, zero], "tokens")

    def every_second(x: str, first: str, what: str) -> str:
        return node("Slice", [x, first, end, zero, graph.shape(2)], what)

    norm = node("ReduceL2", [tokens, one], "norm", keepdims=1)
    length = node("Max", [norm, graph.constant("merging.no_length", _NO_LENGTH)], "length")
    unit = node("Div", [tokens, length], "unit")
    theirs = node("Transpose", [every_second(unit, one, "unit.others")], "directions", perm=[1, 0])
    alike = node("MatMul", [every_second(unit, zero, "unit.movers"), theirs], "alike")
    likeness = node("ReduceMax", [alike, one], "likeness", keepdims=0)
    target = node("ArgMax", [alike], "target", axis=1, keepdims=0)

    every = node("Shape", [likeness], "every")
    node("TopK", [likeness, every], "order", outputs=2)
    order = f"{name}.order.1"
    going = node("Slice", [order, zero, gone], "going")
    staying = node("Slice", [order, gone, every], "staying_by_likeness")
    stay = node("Shape", [staying], "stay")
    # As they lay, or every second one would be another choice of the next merging.
    staying = node("TopK", [staying, stay], "staying", outputs=2, largest=0)

    weighted = node("Mul", [tokens, of.patches], "weighted")
    column = node("Unsqueeze", [node("Gather", [target, going], "joined"), one], "joined.rows")

    def joined(x: str, what: str) -> tuple[str, str]:
        """Of the movers those that stay; the others with what has joined them."""
        movers = every_second(x, zero, f"{what}.movers")
        moved = node("Gather", [movers, going], f"{what}.moved")
        others = every_second(x, one, f"{what}.others")
        summed = node("ScatterND", [others, column, moved], f"{what}.summed", reduction="add")
        return node("Gather", [movers, staying], f"{what}.kept"), summed

    kept_patches, patches = joined(of.patches, "patches_each")
    kept, summed = joined(weighted, "weighted_each")
    counts = node("Concat", [kept_patches, patches], "counts", axis=0)
    sums = node("Concat", [kept, summed], "sums", axis=0)
    mean = node("Unsqueeze", [node("Div", [sums, counts], "mean"), zero], "mean.one")
    return [node("Concat", [cls, mean], "merged", axis=1), counts]


def _one(graph: GraphBuilder) -> str:
    return graph.constant("merging.one", [[1]])


def _count(graph: GraphBuilder, tokens: str) -> str:
    """(2,): how many tokens of patches there are, and 1."""
    rows = graph.node("Shape", [tokens], f"{tokens}.rows", start=1, end=2)
    patches = graph.node("Sub", [rows, graph.shape(1)], f"{tokens}.count")
    return graph.node("Concat", [patches, graph.shape(1)], f"{tokens}.column", axis=0)
