"""Trees of ONNX at half the precision: `TreeEnsembleClassifier` and `-Regressor` become `TreeEnsemble` (ai.onnx.ml 5).

The newer operator keeps modes as bytes instead of words and leaves in a table of their own, where equal ones are one. ONNX Runtime
has no tree kernel for float16, so the values stay in the operator's float32 fields, rounded to what float16 can say.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

Floats = NDArray[np.float32]
OLDER = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
DOMAIN, OPSET = "ai.onnx.ml", 5
MODES = {b"BRANCH_LEQ": 0, b"BRANCH_LT": 1, b"BRANCH_GTE": 2, b"BRANCH_GT": 3, b"BRANCH_EQ": 4, b"BRANCH_NEQ": 5}
LEQ, LT, GTE, GT, EQ = range(5)
LINKS = {b"NONE": "", b"SOFTMAX": "Softmax", b"LOGISTIC": "Sigmoid"}
SUMS = {b"AVERAGE": 0, b"SUM": 1}
MOST_COPIES = 20
LARGEST = float(np.finfo(np.float16).max)


class NotHeld(Exception):
    """The newer operator cannot say what the older one does here."""


@dataclass
class Written:
    """The attributes of a `TreeEnsemble`, as they grow."""

    splits: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    yes_ends: list[int] = field(default_factory=list)
    no_ends: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    leaves: dict[tuple[int, float, int], int] = field(default_factory=dict)

    def leaf(self, target: int, weight: float, side: int = 0) -> int:
        """Return the place of a leaf; equal ones of a side are one.

        One leaf on both sides of a node crashes ONNX Runtime 1.21 to 1.28.
        """
        return self.leaves.setdefault((target, weight, side), len(self.leaves))

    def node(self, column: int, split: float, mode: int, missing: int) -> int:
        """Return the place of a new node without children."""
        self.columns.append(column)
        self.splits.append(split)
        self.modes.append(mode)
        self.missing.append(missing)
        for each in (self.yes, self.no, self.yes_ends, self.no_ends):
            each.append(0)
        return len(self.splits) - 1

    def alone(self, target: int, weight: float) -> None:
        """Add a tree that says the same of every row."""
        place = self.node(0, 0.0, LEQ, 0)
        self.yes[place], self.no[place] = (self.leaf(target, weight, side) for side in (0, 1))
        self.yes_ends[place] = self.no_ends[place] = 1
        self.roots.append(place)


def rounded(values: Floats) -> tuple[Floats, int]:
    """Return numbers as float16 says them, and the power of two that was taken out first so that the largest one fits."""
    power = power_of(values)
    found = np.ldexp(np.ldexp(values.astype(np.float64), -power).astype(np.float16).astype(np.float64), power)
    return found.astype(np.float32), power


def power_of(values: Floats) -> int:
    """Return the least power of two, 0 or more, by which numbers must be divided to lie in float16's range."""
    largest = float(np.abs(values).max(initial=0.0))
    return max(0, int(np.ceil(np.log2(largest / LARGEST)))) if largest > LARGEST else 0


def split_rounded(values: Floats, modes: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """Return thresholds as float16 says them, each column with a power of two of its own.

    Each becomes the nearest, unless that is a whole number that would go the other way now: counts and codes up to 2,048 go where
    they went. What is asked for equality stays.
    """
    found = values.copy()
    for column in np.unique(columns):
        own = np.flatnonzero((columns == column) & (modes < EQ))
        power = power_of(values[own])
        scaled = np.ldexp(values[own].astype(np.float64), -power)
        near = scaled.astype(np.float16)
        down = np.isin(modes[own], (LEQ, GT))
        beyond = np.where(down, near > scaled, near < scaled) & (near == np.rint(near))
        toward = np.where(down, -np.inf, np.inf).astype(np.float16)
        stepped = np.nextafter(near, toward)
        near = np.where(beyond & np.isfinite(stepped), stepped, near)
        found[own] = np.ldexp(near.astype(np.float64), power).astype(np.float32)
    return found


def halved(node: onnx.NodeProto) -> None:
    """Round the thresholds and leaves of an older operator in place."""
    told = _told(node)
    modes = np.array([MODES.get(one, EQ) for one in told["nodes_modes"]])
    splits = split_rounded(_floats(told["nodes_values"]), modes, np.array(told["nodes_featureids"]))
    weights = "class_weights" if node.op_type == OLDER[0] else "target_weights"
    for attribute in node.attribute:
        if attribute.name == "nodes_values":
            attribute.floats[:] = splits.tolist()
        elif attribute.name == weights:
            attribute.floats[:] = rounded(_floats(told[weights]))[0].tolist()


def newer(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Return an older operator as the newer one, and what brings its answer to the same outputs; the values are as they were.

    Raises
    ------
    NotHeld
        If it cannot be said so.
    """
    told = _told(node)
    if node.op_type == OLDER[1]:
        name = node.output[0]
        return _operators(node, name, told, "target", int(told.get("n_targets", 1)))
    classes = len(told.get("classlabels_int64s", ()))
    if list(told.get("classlabels_int64s", ())) != list(range(classes)):
        raise NotHeld
    label, scores = node.output
    used = set(told["class_ids"])
    made: list[onnx.NodeProto]
    if classes == 2 and (len(used) == 1 or told.get("post_transform", b"NONE") == b"NONE"):
        one, other, whole = (f"{scores}_{what}" for what in ("of_1", "of_0", "of_both"))
        # of two probabilities the second says both
        made = [
            *_operators(node, one, told, "class", 1, only=max(used)),
            onnx.helper.make_node("Constant", [], [whole], value=onnx.numpy_helper.from_array(np.ones(1, np.float32))),
            onnx.helper.make_node("Sub", [whole, one], [other]),
            onnx.helper.make_node("Concat", [other, one], [scores], axis=1),
        ]
    else:
        made = _operators(node, scores, told, "class", classes)
    return [*made, onnx.helper.make_node("ArgMax", [scores], [label], axis=1, keepdims=0)]


def _operators(
    node: onnx.NodeProto, output: str, told: dict[str, Any], kind: str, targets: int, only: int | None = None
) -> list[onnx.NodeProto]:
    """Return the newer operator, and the link after it: the operator's own is not heeded by ONNX Runtime 1.31."""
    link, total = told.get("post_transform", b"NONE"), told.get("aggregate_function", b"SUM")
    start = list(told.get("base_values", ()))
    unsaid = {name for name in told if name.endswith("_as_tensor") and len(told[name].dims)}
    if link not in LINKS or total not in SUMS or unsaid or (total != b"SUM" and any(start)):
        raise NotHeld
    written = Written()
    targeted = [only] if only is not None else list(range(targets))
    weights = _weights(told, kind)
    for places in _trees(told).values():
        # a leaf of the newer operator is of one target: a tree of several is told again for each
        for target in sorted({target for place in places for target in weights[place]} & set(targeted)):
            _write(written, told, places, weights, target, 0 if only is not None else target)
    for target, value in zip(range(targets), start[-targets:], strict=False):
        if value:
            written.alone(target, value)
    if not LINKS[link]:
        return [_made(written, node.input[0], output, targets, SUMS[total])]
    sums = f"{output}_sum"
    return [
        _made(written, node.input[0], sums, targets, SUMS[total]),
        onnx.helper.make_node(LINKS[link], [sums], [output]),
    ]


def _trees(told: dict[str, Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for place, tree in enumerate(told["nodes_treeids"]):
        found[tree].append(place)
    return found


def _weights(told: dict[str, Any], kind: str) -> dict[int, dict[int, float]]:
    """Return the place of each leaf -> target -> weight."""
    keys = zip(told["nodes_treeids"], told["nodes_nodeids"], strict=True)
    place = {key: at for at, key in enumerate(keys)}
    found: dict[int, dict[int, float]] = defaultdict(dict)
    names = (f"{kind}_treeids", f"{kind}_nodeids", f"{kind}_ids", f"{kind}_weights")
    for tree, node, target, weight in zip(*(told[name] for name in names), strict=True):
        at = place[tree, node]
        found[at][target] = found[at].get(target, 0.0) + weight
    return found


def _write(
    written: Written,
    told: dict[str, Any],
    places: list[int],
    weights: dict[int, dict[int, float]],
    target: int,
    under: int,
) -> None:
    """Write a tree; what several nodes of it lead to (of a set of labels, each is asked alone) is written for each."""
    modes, missing = told["nodes_modes"], told.get("nodes_missing_value_tracks_true") or [0] * len(told["nodes_modes"])
    known = {told["nodes_nodeids"][place]: place for place in places}

    def node(place: int) -> int:
        return written.node(
            told["nodes_featureids"][place], told["nodes_values"][place], MODES[modes[place]], missing[place]
        )

    if modes[places[0]] == b"LEAF":
        return written.alone(under, weights[places[0]].get(target, 0.0))
    left, most = [(places[0], node(places[0]))], len(written.splits) + MOST_COPIES * len(places)
    written.roots.append(left[0][1])
    while left:
        place, own = left.pop()
        if len(written.splits) > most:
            raise NotHeld
        for name, nodes, ends in (
            ("nodes_truenodeids", written.yes, written.yes_ends),
            ("nodes_falsenodeids", written.no, written.no_ends),
        ):
            child = known[told[name][place]]
            ends[own] = int(modes[child] == b"LEAF")
            if ends[own]:
                weight = weights[child].get(target, 0.0)
                nodes[own] = written.leaf(under, weight)
                if nodes is written.no and written.yes_ends[own] and written.yes[own] == nodes[own]:
                    nodes[own] = written.leaf(under, weight, 1)
            else:
                nodes[own] = node(child)
                left.append((child, nodes[own]))


def _made(written: Written, given: str, output: str, targets: int, total: int) -> onnx.NodeProto:
    tensor = onnx.numpy_helper.from_array
    leaves = list(written.leaves)
    missing: dict[str, Any] = {"nodes_missing_value_tracks_true": written.missing} if any(written.missing) else {}
    return onnx.helper.make_node(
        "TreeEnsemble", [given], [output], domain=DOMAIN,
        n_targets=targets, aggregate_function=total, post_transform=0, tree_roots=written.roots,
        nodes_splits=tensor(np.array(written.splits, np.float32)),
        nodes_modes=tensor(np.array(written.modes, np.uint8)),
        nodes_featureids=written.columns, nodes_truenodeids=written.yes, nodes_falsenodeids=written.no,
        nodes_trueleafs=written.yes_ends, nodes_falseleafs=written.no_ends,
        leaf_targetids=[target for target, _, _ in leaves],
        leaf_weights=tensor(np.array([weight for _, weight, _ in leaves], np.float32)),
        **missing,
    )  # fmt: skip


def _told(node: onnx.NodeProto) -> dict[str, Any]:
    return {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}


def _floats(values: Any) -> Floats:
    return np.array(values, np.float32)
