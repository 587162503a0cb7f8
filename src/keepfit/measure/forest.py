"""Decision trees of any library as plain arrays, and what each feature adds to their sum; how is in `shapley`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from keepfit.measure import shapley
from keepfit.measure.shapley import LONGEST, Blocks, Nodes, Paths, Questions, Rule, Trees

Floats = NDArray[np.float64]
Walk = Callable[[NDArray[np.float32], Floats], None]
_Planted = tuple[Nodes, Questions, Paths, Blocks, NDArray[np.int32], Rule]
LEFT: Final = "left"
RIGHT: Final = "right"

WIDEST: Final = 8
"""Bits of a block: tables of 2**8 sets stay in a core's cache."""
ROWS_PER_SET: Final = 8
"""Rows that a set of bits is looked up for, or it is computed in vain."""
TABLE: Final = 4_000_000
"""Numbers that are looked up at a time, 32 MB."""
_POOL_FROM: Final = 256


@dataclass(frozen=True)
class Tree:
    """One tree; an item for each node, the root first.

    Attributes
    ----------
    left, right : int array
        The nodes below; -1 at a leaf. A value goes left if it is at most `threshold`, or among `codes`.
    feature : int array
    threshold : float array
    missing_left : bool array
        Where NaN goes.
    cover : float array
        The training rows that came by, or their weight.
    value : float array
        Of leaves: what they add to the raw value.
    codes : mapping of int to sequence of int
        Of nodes that ask about a category: the codes that go left.
    output : int
        Which of several raw values the tree adds to.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    missing_left: NDArray[Any]
    cover: NDArray[Any]
    value: NDArray[Any]
    codes: Mapping[int, Sequence[int]] = field(default_factory=dict)
    output: int = 0


@dataclass(frozen=True)
class Forest:
    """Trees whose values add up, as one list of nodes; see `of`.

    Attributes
    ----------
    begin : int64 array, shape (trees + 1,)
        Where the nodes of each tree begin, and a last end.
    output : int32 array, shape (trees,)
        Which raw value each tree adds to.
    features, outputs : int
        Columns of a matrix; raw values of a row: one, or one for each label.
    start : tuple of float
        What is added to the trees of each output; none adds nothing.
    """

    begin: NDArray[np.int64]
    output: NDArray[np.int32]
    nodes: Nodes
    questions: Questions
    paths: Paths
    features: int
    outputs: int = 1
    start: tuple[float, ...] = ()

    @classmethod
    def of(cls, trees: Sequence[Tree], features: int, outputs: int = 1, start: tuple[float, ...] = ()) -> Forest:
        """Return the forest of these trees."""
        order, parent, begin = _in_order(trees)
        before = np.cumsum([0, *(len(tree.left) for tree in trees)])
        shift = np.repeat(before[:-1], np.diff(before))[order]
        place = np.zeros(before[-1], np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)

        def each(name: str, kind: type) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in trees]).astype(kind)[order]

        leaf = each("left", np.int64) < 0
        left, right = (
            np.where(leaf, -1, place[np.where(leaf, 0, each(name, np.int64) + shift)]) for name in ("left", "right")
        )
        nodes = Nodes(
            left.astype(np.int32),
            right.astype(np.int32),
            parent,
            each("feature", np.int32),
            each("value", np.float64),
            each("cover", np.float64),
            bit=np.zeros(len(order), np.int32),
            fresh=np.zeros(len(order), np.int32),
            depth=np.zeros(len(order), np.int32),
            path=np.zeros(len(order), np.int64),
        )
        shapley.placed(nodes)
        asked = np.where(leaf, nodes.depth, 0).astype(np.int64)
        nodes.path[:] = np.cumsum(asked) - asked
        paths = Paths(np.zeros(asked.sum(), np.int32), np.ones(asked.sum()))
        shapley.shared(nodes, paths)
        codes = {
            int(place[before[at] + node]): own for at, tree in enumerate(trees) for node, own in tree.codes.items()
        }
        questions = Questions(each("threshold", np.float64), each("missing_left", np.bool_), *_words(codes, len(order)))
        output = np.array([tree.output for tree in trees], np.int32)
        return cls(begin, output, nodes, questions, paths, features, outputs, start)

    def started(self, row: NDArray[np.float32], raw: NDArray[Any]) -> Forest:
        """Return the same trees with the start that gives one row, shape (1, features), its raw value."""
        values, expected = replace(self, start=()).contributions(row)
        return replace(self, start=tuple((np.ravel(raw) - values[0].sum(axis=1) - expected).tolist()))

    def contributions(self, matrix: NDArray[np.float32], threads: int = 1) -> tuple[Floats, Floats]:
        """Return what each feature adds, shape (rows, outputs, features), and the base values, shape (outputs,).

        A row's contributions and the base add up to its raw value.

        Raises
        ------
        ValueError
            If `longest` is above 62.
        """
        if self.longest > LONGEST:
            raise ValueError(f"a path asks {self.longest} different features, {LONGEST} can be explained")
        found = np.zeros((len(matrix), self.outputs, self.features))
        matrix = np.ascontiguousarray(matrix, np.float32)
        if len(matrix) < ROWS_PER_SET:
            self._walk(matrix, found)
            return found, self.expected
        parts = max(1, min(threads, len(matrix) // _POOL_FROM))
        with ThreadPoolExecutor(parts) as pool:
            for walk in _walks(self, min(WIDEST, (len(matrix) // ROWS_PER_SET).bit_length() - 1)):
                list(pool.map(walk, np.array_split(matrix, parts), np.array_split(found, parts)))
        return found, self.expected

    def as_bytes(self) -> bytes:
        """Return the forest as an archive of arrays; the same forest is the same bytes."""
        arrays = {**self.nodes._asdict(), **self.questions._asdict(), "begin": self.begin, "output": self.output}
        arrays |= {f"path_{name}": values for name, values in self.paths._asdict().items()}
        about = {"features": np.array(self.features), "outputs": np.array(self.outputs), "start": np.array(self.start)}
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays, **about)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Forest:
        """Return the forest of an archive; nothing of it can run code."""
        found = dict(np.load(io.BytesIO(content), allow_pickle=False))
        return cls(
            found["begin"],
            found["output"],
            Nodes(*(found[name] for name in Nodes._fields)),
            Questions(*(found[name] for name in Questions._fields)),
            Paths(*(found[f"path_{name}"] for name in Paths._fields)),
            int(found["features"]),
            int(found["outputs"]),
            tuple(found["start"].tolist()),
        )

    @cached_property
    def expected(self) -> Floats:
        """What the forest says of a row of which nothing is known, shape (outputs,)."""
        leaves = np.flatnonzero(self.nodes.left < 0)
        first, count = self.nodes.path[leaves], self.nodes.depth[leaves]
        chance = [self.paths.share[at : at + own].prod() for at, own in zip(first, count, strict=True)]
        outputs = np.repeat(self.output, np.diff(self.begin))[leaves]
        means = np.bincount(outputs, self.nodes.value[leaves] * chance, self.outputs)
        return np.asarray(means + np.array(self.start or 0.0))

    @cached_property
    def longest(self) -> int:
        """The most different features that a path asks."""
        return int(self.nodes.depth.max(initial=0))

    @cached_property
    def _walk(self) -> Walk:
        """Of few rows: no table is worth it."""
        return next(_walks(self, -1))


@runtime_checkable
class Grown(Protocol):
    """A fitted model that is made of trees."""

    def forest(self) -> Forest | None:
        """Return its trees, whose sum is the raw value: log-odds for a classification, the predicted value for a regression.

        Of several labels, one raw value for each. None of trees that cannot be told as arrays.
        """


def forest_of(fitted: object) -> Forest | None:
    """Return the trees of a fitted model; None if it is not made of trees that can be explained."""
    forest = fitted.forest() if isinstance(fitted, Grown) else None
    return forest if forest is not None and forest.longest <= LONGEST else None


def _walks(forest: Forest, widest: int) -> Iterator[Walk]:
    """Yield what adds the contributions of some trees to rows; subtrees of at most `widest` bits are looked up.

    Each is to be used before the next is asked for: a table holds no more trees than fit into `TABLE`.
    """
    nodes, questions, paths = forest.nodes, forest.questions, forest.paths
    block = np.empty(len(nodes.left), np.int32)
    count = shapley.blocked(nodes, widest, np.empty_like(block), block)
    held, above = np.flatnonzero(block >= 0), np.flatnonzero(block < 0).astype(np.int32)
    root = held[np.unique(block[held], return_index=True)[1]].astype(np.int32)
    inner = held[nodes.left[held] >= 0].astype(np.int32)
    inner = inner[np.argsort(block[inner], kind="stable")]
    begin, stop = (np.searchsorted(block[inner], np.arange(count), side) for side in (LEFT, RIGHT))
    bits = nodes.depth[root] + stop - begin
    known, features = bits <= widest, np.zeros((count, max(widest, 0)), np.int32)
    blocks = Blocks(root, begin, stop, np.zeros(count, np.int32), features, np.full(count, -1, np.int64), inner)
    shapley.gathered(nodes, paths, blocks)
    sizes = (1 << np.where(known, bits, 0)) * np.where(known, blocks.width, 0).astype(np.int64)
    masks, scratch = np.zeros(len(block), np.int64), np.empty(shapley.SCRATCH)
    total = np.concatenate([[0], np.cumsum(sizes)])
    above_from, block_from = np.searchsorted(above, forest.begin), np.searchsorted(root, forest.begin)
    first = 0
    while first < len(forest.output):
        low, within = block_from[first], total[block_from[first + 1 :]] - total[block_from[first]] <= TABLE
        last = first + max(1, int(np.count_nonzero(within)))
        high, some = block_from[last], slice(first, last + 1)
        blocks.table[low:high] = np.where(known, total[:-1] - total[low], -1)[low:high]
        table = np.zeros(total[high] - total[low])
        shapley.filled(nodes, paths, blocks, _rule(), block_from[[first, last]], masks, scratch, table)
        trees = Trees(forest.begin[some], above_from[some], block_from[some], forest.output[first:last])
        yield partial(_walk, trees, (nodes, questions, paths, blocks, above, _rule()), table)
        first = last


def _walk(trees: Trees, grown: _Planted, table: Floats, matrix: NDArray[np.float32], adds: Floats) -> None:
    """Add what these trees say of each row, [rows, outputs, features]."""
    masks = np.zeros(int(np.diff(trees.node).max()), np.int64)
    shapley.added(trees, *grown, masks, np.empty(shapley.SCRATCH), table, matrix, adds)


def _in_order(trees: Sequence[Tree]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the nodes of all trees, one tree after another, parents first; each one's parent; and where each tree begins.

    Nodes that no root leads to are left out.
    """
    orders, parents, begin, before = [], [], [0], 0
    for tree in trees:
        order, parent = np.zeros(len(tree.left), np.int32), np.full(len(tree.left), -1, np.int32)
        count = shapley.ordered(tree.left.astype(np.int32), tree.right.astype(np.int32), order, parent)
        orders.append(order[:count] + np.int64(before))
        parents.append(np.where(parent[:count] < 0, -1, parent[:count] + begin[-1]))
        begin.append(begin[-1] + count)
        before += len(tree.left)
    return np.concatenate(orders), np.concatenate(parents).astype(np.int32), np.array(begin, np.int64)


def _words(
    codes: Mapping[int, Sequence[int]], nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64]]:
    """Return of each node the first word of its codes, -1 without, and how many words; and the words."""
    first, count, words = np.full(nodes, -1, np.int32), np.zeros(nodes, np.int32), list[int]()
    for node, told in codes.items():
        own = [0] * (max(told, default=0) // 64 + 1)
        for code in told:
            own[code // 64] |= 1 << code % 64
        first[node], count[node] = len(words), len(own)
        words += own
    return first, count, np.array(words or [0], np.uint64)


@cache
def _rule() -> Rule:
    most = LONGEST // 2 + 2
    points, weights = np.zeros((most, most)), np.zeros((most, most))
    for count in range(1, most):
        found = np.polynomial.legendre.leggauss(count)
        points[count, :count], weights[count, :count] = (found[0] + 1) / 2, found[1] / 2
    return Rule(points, weights)
