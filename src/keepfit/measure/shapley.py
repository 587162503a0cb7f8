"""What each feature of a row adds to a tree's value, exactly: the compiled part of `forest`.

The game is that of tree SHAP (Lundberg et al. 2020, "From local explanations to global understanding"): where a feature is not
known, a row goes both ways, by the shares of the training rows that did. A leaf of value v asks d features on its path. With
o_j = 1 if the row passes all questions about j and else 0, and z_j the share of rows that pass them, feature j adds

    v (o_j - z_j) integral over t from 0 to 1 of the product over i != j of (z_i (1 - t) + o_i t)

(Owen 1972, "Multilinear extensions of games"). The integrand is a polynomial of degree d - 1, so Gauss and Legendre's rule with
d / 2 points is no estimate; all terms are positive, so nothing cancels.

What a leaf adds depends on the row by the bits o alone, and what a block of neighbouring leaves adds by the bits of the path to
the block and one for each question inside. For many rows that is computed once for each set of bits and looked up, as Yang 2021,
"Fast TreeSHAP", does for leaves.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keepfit.kernel.compiling import called, compiled, entry

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Longs = NDArray[np.int64]

LONGEST: Final = 62
"""Different features on one path at most: their bits are those of an int64."""
SCRATCH: Final = 3 * LONGEST


class Nodes(NamedTuple):
    """The nodes of all trees, parents before children; an item for each.

    `left`, `right` and `parent` are -1 where there is none. `bit` is the place of a node's feature on its path, `fresh` 1 where
    the path asks it for the first time, `depth` how many different features it asked before; `path` is where that of a
    leaf begins in `Paths`.
    """

    left: Integers
    right: Integers
    parent: Integers
    feature: Integers
    value: Floats
    cover: Floats
    bit: Integers
    fresh: Integers
    depth: Integers
    path: Longs


class Paths(NamedTuple):
    """The features that the path of each leaf asks, and the share of rows that pass all questions about each."""

    feature: Integers
    share: Floats


class Questions(NamedTuple):
    """What each node asks: a value goes left if it is at most `threshold`; NaN if `missing_left`.

    Where `first` is not -1, a code goes left if its bit in the `words` words from there is 1.
    """

    threshold: Floats
    missing_left: NDArray[np.bool_]
    first: Integers
    words: Integers
    bits: NDArray[np.uint64]


class Blocks(NamedTuple):
    """Subtrees that are looked up, an item for each: its root, its inner nodes (`begin` to `stop` of `inner`), its features.

    `table` is where its sets begin, or -1: it is a leaf that is computed.
    """

    root: Integers
    begin: Longs
    stop: Longs
    width: Integers
    features: NDArray[np.int32]
    table: Longs
    inner: Integers


class Trees(NamedTuple):
    """Of each tree where its nodes, its nodes above all blocks and its blocks begin (and a last end); and its output."""

    node: Longs
    above: Longs
    block: Longs
    output: Integers


class Rule(NamedTuple):
    """Gauss and Legendre's points and weights between 0 and 1; row n has n of them."""

    points: Floats
    weights: Floats


@entry
def ordered(left: Integers, right: Integers, order: Integers, parent: Integers) -> int:
    """Fill in the nodes below node 0, parents first, and the place of each one's parent; return how many there are."""
    count, seen = 1, 0
    order[0] = 0
    while seen < count:
        node = order[seen]
        if left[node] >= 0:
            order[count], order[count + 1] = left[node], right[node]
            parent[count] = parent[count + 1] = seen
            count += 2
        seen += 1
    return count


@entry
def placed(nodes: Nodes) -> None:
    """Fill in `bit`, `fresh` and `depth`, which are 0."""
    for node in range(len(nodes.left)):
        if nodes.left[node] < 0:
            continue
        above = nodes.parent[node]
        while above >= 0 and nodes.feature[above] != nodes.feature[node]:
            above = nodes.parent[above]
        nodes.fresh[node] = 1 if above < 0 else 0
        nodes.bit[node] = nodes.depth[node] if above < 0 else nodes.bit[above]
        below = nodes.depth[node] + nodes.fresh[node]
        nodes.depth[nodes.left[node]] = nodes.depth[nodes.right[node]] = below


@entry
def shared(nodes: Nodes, paths: Paths) -> None:
    """Fill in the paths, whose shares are 1."""
    for leaf in range(len(nodes.left)):
        node = leaf
        while nodes.left[leaf] < 0 and nodes.parent[node] >= 0:
            above = nodes.parent[node]
            place = nodes.path[leaf] + nodes.bit[above]
            paths.feature[place] = nodes.feature[above]
            # of a node that no row came to, half of them go either way
            paths.share[place] *= nodes.cover[node] / nodes.cover[above] if nodes.cover[above] > 0 else 0.5
            node = above


@entry
def blocked(nodes: Nodes, widest: int, inside: Integers, block: Integers) -> int:
    """Fill in each node's block, -1 above all: the largest subtrees with `widest` bits, or a leaf; return how many there are."""
    for node in range(len(nodes.left) - 1, -1, -1):
        inside[node] = 0
        if nodes.left[node] >= 0:
            inside[node] = inside[nodes.left[node]] + inside[nodes.right[node]] + 1
    count = 0
    for node in range(len(nodes.left)):
        above = nodes.parent[node]
        if above >= 0 and block[above] >= 0:
            block[node] = block[above]
        elif nodes.left[node] < 0 or nodes.depth[node] + inside[node] <= widest:
            block[node] = count
            count += 1
        else:
            block[node] = -1
    return count


@entry
def gathered(nodes: Nodes, paths: Paths, blocks: Blocks) -> None:
    """Fill in the features that the leaves of each block ask, those of the path to it first, and how many there are."""
    for block in range(len(blocks.root)):
        top = blocks.root[block]
        leaf = top
        while nodes.left[leaf] >= 0:
            leaf = nodes.left[leaf]
        count = nodes.depth[top]
        if count + blocks.stop[block] - blocks.begin[block] > blocks.features.shape[1]:
            continue  # a leaf that is computed
        for place in range(count):
            blocks.features[block, place] = paths.feature[nodes.path[leaf] + place]
        for place in range(blocks.begin[block], blocks.stop[block]):
            column = 0
            while column < count and blocks.features[block, column] != nodes.feature[blocks.inner[place]]:
                column += 1
            blocks.features[block, column] = nodes.feature[blocks.inner[place]]
            count = max(count, column + 1)
        blocks.width[block] = count


@called
def _leaf(nodes: Nodes, paths: Paths, rule: Rule, leaf: int, passed: int, scratch: Floats, found: Floats) -> None:
    """Fill in what each feature of a leaf's path adds; bit j of `passed` tells of feature j."""
    count, share = nodes.depth[leaf], paths.share[nodes.path[leaf] :]
    terms, before = scratch[:LONGEST], scratch[LONGEST:]
    many = (count + 1) // 2
    for j in range(count):
        found[j] = 0.0
    for point in range(many):
        t, product = rule.points[many, point], rule.weights[many, point]
        for j in range(count):
            before[j] = product
            terms[j] = share[j] * (1.0 - t) + (t if (passed >> j) & 1 else 0.0)
            product *= terms[j]
        after = 1.0
        for j in range(count - 1, -1, -1):
            found[j] += before[j] * after
            after *= terms[j]
    for j in range(count):
        found[j] *= nodes.value[leaf] * (((passed >> j) & 1) - share[j])


@entry
def filled(
    nodes: Nodes, paths: Paths, blocks: Blocks, rule: Rule, some: Longs, masks: Longs, scratch: Floats, table: Floats
) -> None:
    """Fill in what `some` blocks (from, to) add, which is 0, for every set of bits that a row may bring; a mask for each node."""
    found = scratch[2 * LONGEST :]
    for block in range(some[0], some[1]):
        top, begin = blocks.root[block], blocks.begin[block]
        sets = 1 << (nodes.depth[top] + blocks.stop[block] - begin) if blocks.table[block] >= 0 else 0
        for bits in range(sets):
            out = blocks.table[block] + bits * blocks.width[block]
            masks[top] = bits & ((1 << nodes.depth[top]) - 1)
            if nodes.left[top] < 0:
                _leaf(nodes, paths, rule, top, bits, scratch, table[out:])
            for place in range(begin, blocks.stop[block]):
                node = blocks.inner[place]
                _both(nodes, node, np.int64(bits >> (nodes.depth[top] + place - begin)) & 1, masks, 0)
                for leaf in (nodes.left[node], nodes.right[node]):
                    if nodes.left[leaf] < 0:
                        _leaf(nodes, paths, rule, leaf, masks[leaf], scratch, found)
                    for j in range(nodes.depth[leaf] if nodes.left[leaf] < 0 else 0):
                        column = 0
                        while blocks.features[block, column] != paths.feature[nodes.path[leaf] + j]:
                            column += 1
                        table[out + column] += found[j]


@compiled
def _both(nodes: Nodes, node: int, goes_left: np.int64, masks: Longs, base: int) -> None:
    """Tell both children of a node which questions of their path the row has passed, without a branch: that is hard to foresee."""
    mask = masks[node - base] | (np.int64(nodes.fresh[node]) << nodes.bit[node])
    masks[nodes.left[node] - base] = mask & ~((1 - goes_left) << nodes.bit[node])
    masks[nodes.right[node] - base] = mask & ~(goes_left << nodes.bit[node])


@compiled
def _goes_left(asked: Questions, node: int, x: float) -> np.int64:
    if asked.first[node] < 0:
        return np.int64((x <= asked.threshold[node]) | (asked.missing_left[node] & np.isnan(x)))
    if np.isnan(x):
        return np.int64(asked.missing_left[node])
    code = np.int64(x)
    if code < 0 or code >> 6 >= asked.words[node]:
        return np.int64(0)
    return np.int64((asked.bits[asked.first[node] + (code >> 6)] >> np.uint64(code & 63)) & np.uint64(1))


@entry
def added(
    trees: Trees,
    nodes: Nodes,
    asked: Questions,
    paths: Paths,
    blocks: Blocks,
    above: Integers,
    rule: Rule,
    masks: Longs,
    scratch: Floats,
    table: Floats,
    matrix: NDArray[np.float32],
    adds: NDArray[Any],
) -> None:
    """Add what all features add to each row, [rows, outputs, features]; tree by tree, so that a tree's table stays near."""
    found = scratch[2 * LONGEST :]
    for tree in range(len(trees.output)):
        base, output = trees.node[tree], trees.output[tree]
        for row in range(len(matrix)):
            masks[0] = 0
            for place in range(trees.above[tree], trees.above[tree + 1]):
                node = above[place]
                _both(nodes, node, _goes_left(asked, node, matrix[row, nodes.feature[node]]), masks, base)
            for block in range(trees.block[tree], trees.block[tree + 1]):
                top = blocks.root[block]
                bits = masks[top - base]
                if blocks.table[block] < 0:
                    _leaf(nodes, paths, rule, top, bits, scratch, found)
                    for j in range(nodes.depth[top]):
                        adds[row, output, paths.feature[nodes.path[top] + j]] += found[j]
                    continue
                shift = np.int64(nodes.depth[top])
                for place in range(blocks.begin[block], blocks.stop[block]):
                    node = blocks.inner[place]
                    bits |= _goes_left(asked, node, matrix[row, nodes.feature[node]]) << shift
                    shift += 1
                at = blocks.table[block] + bits * blocks.width[block]
                for column in range(blocks.width[block]):
                    adds[row, output, blocks.features[block, column]] += table[at + column]
