"""The picture of which label is taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.stages.reports.canvas import Canvas, Spec, data, layered, literal, pixels, shorten, tips
from keepfit.stages.reports.palette import BLUE, INK, MUTED

ROW, HEAD = 40, 26


def confusion_chart(points: Sequence[Mapping[str, Any]], canvas: Canvas) -> Spec:
    """Return a cell for each pair of labels, darker the more of a row's label are called the column's."""
    labels = list(dict.fromkeys(str(one["actual"]) for one in points))
    indent = 150 if canvas.name == "wide" else 70
    step = (canvas.plot + canvas.right - indent) / len(labels)
    row = ROW if step >= ROW else max(18.0, step)
    narrow = canvas.letters(step) < 6
    cells: list[Spec] = []
    for one in points:
        down, across = labels.index(str(one["actual"])), labels.index(str(one["predicted"]))
        x, y = indent + across * step, HEAD + down * row
        text = f"{one['share']:.0%}" if narrow else f"{one['rows']:,} ({one['share']:.0%})"
        cells.append(
            {
                "x": x + 1, "x2": x + step - 1, "y": y + 1, "y2": y + row - 1, "middle": x + step / 2, "line": y + row / 2,
                "depth": 0.04 + 0.56 * one["share"], "text": text if one["rows"] else "\u2013", "colour": BLUE,
                "was": str(one["actual"]), "called": str(one["predicted"]), "rows": one["rows"], "share": one["share"],
            }
        )  # fmt: skip
    wide = canvas.letters(indent + canvas.left - 8)
    downward: list[Spec] = [
        {"y": HEAD + (place + 0.5) * row, "label": shorten(label, wide)} for place, label in enumerate(labels)
    ]
    names: list[Spec] = [
        {"x": indent + (place + 0.5) * step, "label": shorten(label, max(2, canvas.letters(step - 4)))}
        for place, label in enumerate(labels)
    ]
    box = {"x": pixels("x"), "x2": {"field": "x2"}, "y": pixels("y"), "y2": {"field": "y2"}, "color": literal("colour")}
    shade = {"field": "depth", "type": "quantitative", "scale": None, "legend": None}
    across_ = {"x": pixels("x"), "text": {"field": "label"}}
    inside = {"x": pixels("middle"), "y": pixels("line"), "text": {"field": "text"}}
    down_ = {"y": pixels("y"), "text": {"field": "label"}}
    told = tips(("was", "Was"), ("called", "Called"), ("rows", "Rows"), ("share", "Share of the row"))
    layers: list[Spec] = [
        {"data": data(cells), "mark": {"type": "rect"}, "encoding": {**box, "opacity": shade, **told}},
        {"data": data(cells), "mark": {"type": "text", "color": INK}, "encoding": inside},
        {"data": data(downward), "mark": {"type": "text", "align": "left", "x": -canvas.left}, "encoding": down_},
        {"data": data(names), "mark": {"type": "text", "color": MUTED, "y": HEAD / 2}, "encoding": across_},
    ]
    return layered(canvas, round(HEAD + row * len(labels)), layers, top=2, bottom=4)
