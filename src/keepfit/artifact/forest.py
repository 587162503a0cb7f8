"""The trees of an ONNX file, walked by compiled code to the bits of ONNX Runtime; for many rows, in half its time or less.

Known are trees with one raw value and questions of the form "less than" or "at most", whose sum is the score, as is or
through the logistic function. Of any other file `read_forest` says None, and ONNX Runtime answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from keepfit.artifact.walk import Nodes, logistic, scratch, walk

Floats = NDArray[np.float32]
LESS, AT_MOST, LEAF = b"BRANCH_LT", b"BRANCH_LEQ", b"LEAF"
CLASSIFIER, REGRESSOR = "TreeEnsembleClassifier", "TreeEnsembleRegressor"
LOGISTIC, PLAIN = b"LOGISTIC", b"NONE"
DEEPEST = 64


@dataclass(frozen=True)
class Forest:
    """Trees as arrays, as `walk` reads them, and what becomes of their sum."""

    nodes: Nodes
    base: np.float32
    logistic: bool

    def __call__(self, matrix: Floats) -> NDArray[np.float64]:
        """Return the score of each row of a C-ordered matrix [rows, features]; may be called from several threads at once."""
        found = np.empty(len(matrix), np.float32)
        walk(matrix, self.nodes, scratch(matrix.shape[1]), found)
        found += self.base
        if self.logistic:
            logistic(found)
        return found.astype(np.float64)


def read_forest(content: bytes) -> Forest | None:
    """Return the trees of an ONNX file; None if it is more than such trees, or they are of another kind."""
    graph = onnx.load_from_string(content).graph
    trees = graph.node[0]
    if trees.op_type not in (CLASSIFIER, REGRESSOR) or list(trees.input) != [graph.input[0].name]:
        return None
    if not all(_passes(graph, node) for node in list(graph.node)[1:]):
        return None
    told = {one.name: one for one in trees.attribute}
    own = "class" if trees.op_type == CLASSIFIER else "target"
    wanted = LOGISTIC if trees.op_type == CLASSIFIER else PLAIN
    if _text(told, "post_transform", PLAIN) != wanted or not _is_single(told, own):
        return None
    nodes = _nodes(told, own)
    base = told["base_values"].floats[0] if "base_values" in told else 0.0
    return None if nodes is None else Forest(nodes, np.float32(base), wanted == LOGISTIC)


def _passes(graph: Any, node: Any) -> bool:
    """Return whether a node behind the trees leaves the scores as they are; a label is nobody's score."""
    if node.op_type in ("Identity", "Cast"):
        return True
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    return (
        node.op_type == "Mul"
        and all(np.all(constants[name] == 1) for name in node.input if name in constants)
        and any(name in constants for name in node.input)
    )


def _is_single(told: dict[str, Any], own: str) -> bool:
    """Return whether there is one raw value, a plain sum with at most one start; of a classification that of the second label."""
    labels = next((told[name] for name in ("classlabels_int64s", "classlabels_strings") if name in told), None)
    two = own == "target" or (labels is not None and len(labels.ints) + len(labels.strings) == 2)
    sums = _text(told, "aggregate_function", b"SUM") == b"SUM"
    starts = len(told["base_values"].floats) <= 1 if "base_values" in told else True
    exact = not any(name.endswith("_as_tensor") for name in told)
    return two and sums and starts and exact and len(set(told[f"{own}_ids"].ints)) == 1


def _text(told: dict[str, Any], name: str, default: bytes) -> bytes:
    return bytes(told[name].s) if name in told else default


def _nodes(told: dict[str, Any], own: str) -> Nodes | None:
    """Return the trees as `walk` reads them; None if a node asks otherwise, or a tree is deeper than all others are."""
    modes = np.array(told["nodes_modes"].strings)
    if not set(modes.tolist()) <= {LESS, AT_MOST, LEAF}:
        return None
    number, node = (np.array(told[f"nodes_{name}"].ints, np.int64) for name in ("treeids", "nodeids"))
    begin = np.flatnonzero(np.diff(number, prepend=-1))
    # what is written otherwise than the converters do is left to ONNX Runtime
    if (np.diff(number) < 0).any() or (
        node != np.arange(len(node)) - np.repeat(begin, np.diff(begin, append=len(node)))
    ).any():
        return None
    first = dict(zip(number[begin].tolist(), begin.tolist(), strict=True))
    leaf = modes == LEAF
    value = np.zeros(len(node), np.float32)
    places = [
        first[tree] + at for tree, at in zip(told[f"{own}_treeids"].ints, told[f"{own}_nodeids"].ints, strict=True)
    ]
    if len(set(places)) != len(places) or not leaf[places].all():
        return None
    value[places] = np.array(told[f"{own}_weights"].floats, np.float32)
    threshold = np.array(told["nodes_values"].floats, np.float32)
    threshold = np.where(modes == AT_MOST, np.nextafter(threshold, np.float32(np.inf)), threshold)
    tracks = told.get("nodes_missing_value_tracks_true")
    missing = np.array(tracks.ints if tracks else np.zeros(len(node)), np.int32)
    feature = np.array(told["nodes_featureids"].ints, np.int32)
    true, false = (np.array(told[f"nodes_{name}nodeids"].ints, np.int64) for name in ("true", "false"))
    order, below, depth = _laid_out(np.append(begin, len(node)), leaf, true, false)
    if max(depth) > DEEPEST or len(order) != len(node):
        return None
    return Nodes(
        np.append(begin, len(node)),
        np.array(depth, np.int32),
        np.where(leaf, 0, feature).astype(np.int32)[order],
        np.where(leaf, np.float32(np.inf), threshold)[order],
        np.where(leaf, 1, missing).astype(np.int32)[order],
        np.array(below, np.int32),
        value[order],
    )


def _laid_out(
    begin: NDArray[np.int64], leaf: NDArray[np.bool_], true: NDArray[np.int64], false: NDArray[np.int64]
) -> tuple[list[int], list[int], list[int]]:
    """Return the nodes level by level, both below a node side by side; where those lie in their tree; and each tree's depth."""
    order, below, depths = list[int](), list[int](), list[int]()
    for at, end in zip(begin[:-1].tolist(), begin[1:].tolist(), strict=True):
        queue, levels = [0], [0]
        for place in range(end - at):
            if place == len(queue):
                break
            node = at + queue[place]
            if leaf[node]:
                below.append(place)
            else:
                below.append(len(queue))
                queue += [int(true[node]), int(false[node])]
                levels += [levels[place] + 1] * 2
        order += [at + node for node in queue]
        depths.append(max(levels))
    return order, below, depths
