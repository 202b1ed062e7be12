"""Token merging: similar patches become one token (Bolya et al., "Token Merging: Your ViT But
Faster", 2023), so that a photo full of detail costs little more than one on a white backdrop.

Before each of a few blocks, the tokens are divided into every second one and the others. Each token
of the first half can merge into the most similar token of the second half. The most similar pairs
merge first, until few enough tokens are left. Attention weights a token by its number of patches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.export.graph_builder import GraphBuilder

BLOCKS = range(1, 5)  # the blocks before which tokens merge
AT_ONCE = 40  # the most tokens that merge before one block
LEFT = 112  # the least tokens that are left, without CLS
_NO_LENGTH = 1e-12


@dataclass(frozen=True)
class Tokens:
    """One photo's tokens in the graph, by the names of two values."""

    tokens: str  # (1, 1 + T, F); the first one is CLS
    patches: str  # (T, 1): the number of patches that each token is made of


def unmerged(graph: GraphBuilder, tokens: str) -> Tokens:
    """Return tokens of one patch each."""
    return Tokens(tokens, graph.node("Expand", [_one(graph), _count(graph, tokens)], "patches.one"))


def merge(graph: GraphBuilder, of: Tokens, name: str) -> Tokens:
    """Merge up to AT_ONCE tokens into others, so that at least LEFT are left."""
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
    return Tokens(tokens, patches)


def attention_bias(graph: GraphBuilder, of: Tokens, name: str) -> tuple[str, str]:
    """Return the bias that makes attention weight a token by its number of patches.

    It is added to the attention scores: (1, 1, 1 + T, 1 + T) for all queries, and (1, 1, 1, 1 + T)
    for the first query alone.
    """
    cls = graph.constant("merging.cls", [[1]])
    each = graph.node("Concat", [cls, of.patches], f"{name}.counted", axis=0)
    logarithms = graph.node("Log", [each], f"{name}.logarithms")
    first = graph.node("Reshape", [logarithms, graph.shape(1, 1, 1, -1)], f"{name}.first")
    rows = graph.node("Shape", [of.tokens], f"{name}.rows", start=1, end=2)
    shape = graph.node("Concat", [graph.shape(1, 1), rows, graph.shape(1)], f"{name}.shape", axis=0)
    return graph.node("Expand", [first, shape], f"{name}.all"), first


def _merged(graph: GraphBuilder, of: Tokens, gone: str, name: str) -> list[str]:
    """Return tokens and patches after `gone` (1,) of the movers have merged into others.

    The movers are every second token, from the first on.
    """

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
    # Back in their first order, because the next merging divides the tokens by their positions.
    staying = node("TopK", [staying, stay], "staying", outputs=2, largest=0)

    weighted = node("Mul", [tokens, of.patches], "weighted")
    column = node("Unsqueeze", [node("Gather", [target, going], "joined"), one], "joined.rows")

    def joined(x: str, what: str) -> tuple[str, str]:
        """Return the movers that stay, and the others with what has merged into them added."""
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
    """Return the shape (2,) of a column with one row for each token but CLS."""
    rows = graph.node("Shape", [tokens], f"{tokens}.rows", start=1, end=2)
    patches = graph.node("Sub", [rows, graph.shape(1)], f"{tokens}.count")
    return graph.node("Concat", [patches, graph.shape(1)], f"{tokens}.column", axis=0)
