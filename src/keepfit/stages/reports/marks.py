"""The parts that pictures are made of: each function returns Vega-Lite layers for one canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepfit.evidence import ROLL_BACK
from keepfit.stages.reports import palette
from keepfit.stages.reports.canvas import (
    Canvas,
    Span,
    Spec,
    data,
    lanes,
    literal,
    pixels,
    shorten,
    spread,
    time_axis,
    value_axis,
)
from keepfit.stages.reports.palette import INK, MUTED, PAPER
from keepfit.stages.reports.summary import Change, number, version_name

LANE = 19
LANES = 4


def threshold_rule(threshold: float | None, bounds: tuple[float, float], canvas: Canvas) -> list[Spec]:
    """Return a dotted line at the threshold; nothing if there is none."""
    if threshold is None:
        return []
    mark = {"type": "rule", "color": INK, "strokeWidth": 1, "strokeDash": [2, 3], "x": 0, "x2": canvas.plot}
    return [{"data": data([{"value": threshold}]), "mark": mark, "encoding": {"y": value_axis(bounds)}}]


def line(
    points: Sequence[tuple[int, float, bool]],
    bounds: tuple[float, float],
    colour: str,
    width: float,
    canvas: Canvas,
    span: Span,
) -> list[Spec]:
    """Return a line with its points, hollow where the flag is false; a value that is not finite breaks it."""
    rows = [
        {"at": at // 1000, "value": value if math.isfinite(value) else None, "fill": colour if full else PAPER}
        for at, value, full in points
    ]
    place = {"x": time_axis(span, canvas), "y": value_axis(bounds)}
    size = 18 * width if canvas.name == "wide" else 11 * width
    dot = {"type": "point", "filled": True, "size": size, "stroke": colour, "strokeWidth": 1.5, "opacity": 1}
    fill = literal("fill")
    stroke = {"type": "line", "color": colour, "strokeWidth": width, "strokeJoin": "round"}
    return [
        {"data": data(rows), "mark": stroke, "encoding": place},
        {
            "data": data([row for row in rows if row["value"] is not None]),
            "mark": dot,
            "encoding": {**place, "fill": fill},
        },
    ]


def change_marks(changes: Sequence[Change], canvas: Canvas, span: Span, height: int) -> tuple[list[Spec], int]:
    """Return rules, marks and labels of the changes, and how many lanes of labels they take above the plot."""
    if not changes:
        return [], 0
    rows = _change_rows(changes, canvas, span)
    place = {"x": time_axis(span, canvas), "y": pixels("y")}
    rule = {"type": "rule", "strokeWidth": 1, "opacity": 0.55, "y2": height}
    mark = {"type": "point", "filled": True, "size": 52, "opacity": 1}
    text = {"type": "text", "align": "left", "dx": 9, "fontSize": canvas.font - 1}
    halo = {**text, "color": PAPER, "stroke": PAPER, "strokeWidth": 5}
    colour, shape, label = literal("colour"), literal("shape"), {"field": "label"}
    layers: list[Spec] = [
        {"data": data(rows), "mark": rule, "encoding": {**place, "color": colour}},
        {"data": data(rows), "mark": halo, "encoding": {**place, "text": label}},
        {"data": data(rows), "mark": text, "encoding": {**place, "text": label}},
        {"data": data(rows), "mark": mark, "encoding": {**place, "color": colour, "shape": shape}},
    ]
    return layers, max(row["lane"] for row in rows) + 1


def _change_rows(changes: Sequence[Change], canvas: Canvas, span: Span) -> list[Spec]:
    """Return one row per change; where all lanes are taken it goes, without a label, into one more lane above."""
    words = [_change_words(change, canvas) for change in changes]
    spots = [
        (span.pixel(change.at, canvas) + len(text) * 0.28 * canvas.font, 22 + len(text) * 0.56 * canvas.font)
        for change, text in zip(changes, words, strict=True)
    ]
    return [
        {
            "at": change.at // 1000,
            "lane": LANES if lane is None else lane,
            "y": -10 - LANE * (LANES if lane is None else lane),
            "label": "" if lane is None else text,
            "colour": palette.colour_of(change.decision),
            "shape": palette.shape_of(change.decision),
        }
        for change, text, lane in zip(changes, words, lanes(spots, LANES), strict=True)
    ]


def _change_words(change: Change, canvas: Canvas) -> str:
    name = shorten(version_name(change.version), 10)
    if canvas.name == "narrow":
        return name
    return f"back to {name}" if change.decision == ROLL_BACK else f"{name} {palette.WORDS[change.decision]}"


def end_labels(
    names: Sequence[tuple[str, float | None, str]], bounds: tuple[float, float], height: int, canvas: Canvas
) -> list[Spec]:
    """Return `(name, value, colour)` as texts in the right margin, each at the height of its value, none on another."""
    shown = [(name, value, colour) for name, value, colour in names if value is not None and math.isfinite(value)]
    low, high = bounds
    wanted = [height * (high - value) / (high - low) for _, value, _ in shown]
    rows = [
        {"y": y, "label": f"{name} {number(value)}", "colour": colour}
        for (name, value, colour), y in zip(shown, spread(wanted, canvas.font + 5), strict=True)
    ]
    return [margin_text(rows, canvas, weight=600)] if rows else []


def margin_text(rows: list[Spec], canvas: Canvas, *, weight: int = 400, x: int | None = None) -> Spec:
    """Return texts in the right margin; rows have `y` in pixels, `label` and `colour`."""
    mark = {"type": "text", "align": "left", "x": canvas.plot + 10 if x is None else x, "fontWeight": weight}
    return {
        "data": data(rows),
        "mark": mark,
        "encoding": {"y": pixels("y"), "text": {"field": "label"}, "color": literal("colour")},
    }


def intervals(rows: list[Spec], bounds: tuple[float, float], canvas: Canvas, span: Span) -> list[Spec]:
    """Return point, interval, label and baseline dash for rows as `training_chart` makes them."""
    at = time_axis(span, canvas)
    low = {**value_axis(bounds), "field": "low"}
    dash = {"type": "tick", "color": MUTED, "thickness": 2, "size": 14, "orient": "horizontal"}
    text = {"type": "text", "baseline": "bottom", "dy": -5, "fontSize": canvas.font - 1, "fontWeight": 600}
    place = {"x": at, "y": value_axis(bounds)}
    shape = literal("shape")
    return [
        {
            "data": data([row for row in rows if row["baseline"] is not None]),
            "mark": dash,
            "encoding": {"x": at, "y": {**value_axis(bounds), "field": "baseline"}},
        },
        {
            "data": data(rows),
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
            "encoding": {"x": at, "y": low, "y2": {"field": "high"}, "color": literal("colour")},
        },
        {
            "data": data(rows),
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {**place, "color": literal("colour"), "shape": shape},
        },
        {
            "data": data(rows),
            "mark": text,
            "encoding": {"x": at, "y": {**low, "field": "high"}, "text": {"field": "label"}},
        },
    ]
