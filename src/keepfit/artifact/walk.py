"""The compiled loop of `forest`: which leaf of each tree a row falls into, and the sum of what the leaves say."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import entry

ROWS: Final = 256
"""A block of rows, column after column, stays in a core's first cache beside a tree."""
LANES: Final = 16
"""Rows that go down a tree side by side, so that a core waits for none of them."""

Floats = NDArray[np.float32]


class Nodes(NamedTuple):
    """Trees, one after another, each level by level.

    Attributes
    ----------
    begin : int64 array, shape (trees + 1,)
        Where each tree's nodes begin.
    depth : int32 array, shape (trees,)
        How many questions its longest path asks.
    feature : int32 array, shape (nodes,)
    threshold : float32 array, shape (nodes,)
        A row whose value is less goes to the node at `below`, another one to the node behind that.
    missing : int32 array, shape (nodes,)
        1 where NaN goes to `below` too.
    below : int32 array, shape (nodes,)
        A place in the tree; a leaf leads to itself.
    value : float32 array, shape (nodes,)
        Of leaves: what they add.
    """

    begin: NDArray[np.int64]
    depth: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Floats
    missing: NDArray[np.int32]
    below: NDArray[np.int32]
    value: Floats


class Scratch(NamedTuple):
    """What one call works in: a block of rows, column after column; its sums; where its rows are in a tree."""

    columns: Floats
    total: Floats
    place: NDArray[np.int32]


def scratch(features: int) -> Scratch:
    """Return what one call of `walk` needs."""
    return Scratch(np.zeros(features * ROWS, np.float32), np.zeros(ROWS, np.float32), np.zeros(LANES, np.int32))


@entry
def walk(matrix: Floats, nodes: Nodes, scratch: Scratch, out: Floats) -> None:
    """Write the sum of the trees' leaves for each row of a matrix [rows, features], added tree after tree in float32."""
    columns, total, place = scratch.columns, scratch.total, scratch.place
    rows, features = matrix.shape
    for first in range(0, rows, ROWS):
        count = min(ROWS, rows - first)
        for row in range(count):
            for column in range(features):
                columns[column * ROWS + row] = matrix[first + row, column]
        for row in range(ROWS):
            total[row] = 0
        for tree in range(len(nodes.begin) - 1):
            at = nodes.begin[tree]
            ask, least, none = nodes.feature[at:], nodes.threshold[at:], nodes.missing[at:]
            go, said = nodes.below[at:], nodes.value[at:]
            for group in range(0, count, LANES):
                for lane in range(LANES):
                    place[lane] = 0
                for _ in range(nodes.depth[tree]):
                    for lane in range(LANES):
                        node = place[lane]
                        x = columns[ask[node] * ROWS + group + lane]
                        other = (not x < least[node]) & ((x == x) | (none[node] == 0))
                        place[lane] = go[node] + np.int32(other)
                for lane in range(LANES):
                    total[group + lane] += said[place[lane]]
        for row in range(count):
            out[first + row] = total[row]


@entry
def logistic(values: Floats) -> None:
    """Put 1 / (1 + exp(-x)) in the place of each x, in float32 by the C library's `expf`, as ONNX Runtime does."""
    for row in range(len(values)):
        found = np.float32(1) / (np.float32(1) + np.exp(-abs(values[row])))
        values[row] = np.float32(1) - found if values[row] < 0 else found
