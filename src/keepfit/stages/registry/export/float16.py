"""A model file at half the precision: trees by `trees.py`, large matrices as float16 tensors, coefficients rounded.

What comes before the model (fills, scales, labels) keeps its precision: a mean of a million that is rounded moves every row.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from keepfit.stages.registry.export.trees import DOMAIN, LARGEST, OLDER, OPSET, NotHeld, halved, newer, rounded

COEFFICIENTS = {"LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor"}
LEAST = 64
"""Below so many numbers, the step that makes float32 of a tensor again is larger than what it saves."""
USUAL = 15
LEAST_LARGEST = 2**11 * float(np.finfo(np.float16).tiny)


def quantised(content: bytes) -> bytes:
    """Return a model file at half the precision, of the same inputs and outputs."""
    model = onnx.load_from_string(content)
    for node in model.graph.node:
        if node.op_type in OLDER:
            halved(node)
        elif node.op_type in COEFFICIENTS:
            _round(node)
    _shrink(model.graph)
    return smallest(model)


def smallest(model: onnx.ModelProto) -> bytes:
    """Return a model file with its trees told by the newer operator, if it can say them and the file is smaller for it."""
    content: bytes = model.SerializeToString()
    try:
        other: bytes = _newer(model).SerializeToString()
    except NotHeld:
        return content
    return min(content, other, key=len)


def _newer(model: onnx.ModelProto) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(model)
    nodes = [newer(node) if node.op_type in OLDER else [node] for node in made.graph.node]
    found = [onnx.NodeProto.FromString(one.SerializeToString()) for each in nodes for one in each]
    del made.graph.node[:]
    made.graph.node.extend(found)
    spoken = {each.domain: each for each in made.opset_import}
    spoken[DOMAIN].version = OPSET
    if "" not in spoken:
        made.opset_import.add(domain="", version=USUAL)
    return made


def _round(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.name == "coefficients":
            attribute.floats[:] = rounded(np.array(attribute.floats, np.float32))[0].tolist()


def _shrink(graph: onnx.GraphProto) -> None:
    """Keep large matrices as float16, each with a step that makes float32 of it when the model is loaded."""
    casts = []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or values.size < LEAST or not _fits(values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_float16"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *(onnx.NodeProto.FromString(one.SerializeToString()) for one in graph.node)]
    del graph.node[:]
    graph.node.extend(nodes)


def _fits(values: NDArray[np.float32]) -> bool:
    """Return whether numbers are the weights of a matrix, and lose no more to float16's smallest than to its last digit."""
    return values.ndim > 1 and LEAST_LARGEST <= float(np.abs(values).max()) <= LARGEST
