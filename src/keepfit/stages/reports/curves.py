"""The pictures of an evaluation as Vega-Lite: each is a plain dict, made by a pure function for one canvas; `regression` has more.

Points come as `keepfit.stages.evaluation.curves` leaves them in a version's `report.json`; a number that is null is left
out of its picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.stages.reports.canvas import (
    Canvas,
    Spec,
    bounds_of,
    data,
    layered,
    literal,
    pixels,
    shorten,
    tips,
    value_axis,
)
from keepfit.stages.reports.marks import margin_text
from keepfit.stages.reports.palette import BLUE, MUTED, VERMILLION
from keepfit.stages.reports.summary import number

Points = Sequence[Mapping[str, Any]]
UNIT = (0.0, 1.0)
BOTTOM = 50
ENDS = (("low", "Low"), ("high", "High"))


def height_of(canvas: Canvas) -> int:
    """Return the height of a curve."""
    return 330 if canvas.name == "wide" else 230


def across(bounds: tuple[float, float], title: str, canvas: Canvas) -> Spec:
    """Return the encoding of a number across, with its name below the axis."""
    ticks = 6 if canvas.name == "wide" else 4
    found = value_axis(bounds, "x", ticks)
    axis = {
        **found["axis"], "grid": False, "title": title, "titleFontSize": canvas.font, "titleFontWeight": 400,
        "titleColor": MUTED, "titlePadding": 6, "labelFlush": True,
    }  # fmt: skip
    return {**found, "axis": axis}


def rows_of(points: Points) -> list[Spec]:
    """Return the points that have both numbers, as rows of a layer's own."""
    return [dict(one) for one in points if one.get("y") is not None and one.get("x") is not None]


def line(rows: list[Spec], place: Spec, colour: str, width: float, **mark: Any) -> Spec:
    """Return a layer that joins rows in the order of x."""
    return {
        "data": data(rows),
        "mark": {"type": "line", "color": colour, "strokeWidth": width, "strokeJoin": "round", **mark},
        "encoding": {**place, "order": {"field": "x"}},
    }


def curve_chart(
    points: Points,
    chance: Sequence[tuple[float, float]],
    title: str,
    names: tuple[str, str],
    canvas: Canvas,
    up: str = "Up",
) -> Spec:
    """Return a curve on the unit square with the line of a blind guess; `names` stand at their ends, `up` says what y is."""
    height, rows = height_of(canvas), rows_of(points)
    place = {"x": across(UNIT, title, canvas), "y": value_axis(UNIT, "y")}
    guess: list[Spec] = [{"x": x, "y": y} for x, y in chance]
    stroke = {"interpolate": "step-before"} if title.startswith("recall") else {}
    told = tips(("x", title.partition(":")[0].capitalize()), ("y", up))
    layers = [
        line(guess, place, MUTED, 1.5, strokeDash=[4, 4]),
        # a curve that comes back to the same x must be drawn in the order of its points
        {**line(rows, place, BLUE, 2.5, **stroke), "encoding": {**place, "order": {"field": "n"}, **told}},
    ]
    for index, row in enumerate(rows):
        row["n"] = index
    ends = [(names[0], rows[-1]["y"] if rows else 1.0, BLUE), (names[1], guess[-1]["y"], MUTED)]
    wanted = [height * (1 - y) for _, y, _ in ends]
    if abs(wanted[0] - wanted[1]) < canvas.font + 6:
        wanted = [wanted[0], wanted[0] + canvas.font + 8]
    labels: list[Spec] = [
        {"y": y, "label": name, "colour": colour} for y, (name, _, colour) in zip(wanted, ends, strict=True)
    ]
    return layered(canvas, height, [*layers, margin_text(labels, canvas, weight=600)], bottom=BOTTOM, zooms=True)


def calibration_chart(points: Points, canvas: Canvas) -> Spec:
    """Return the rate of positives over the mean score of each bin, with intervals, beside the diagonal."""
    height, rows = height_of(canvas), rows_of(points)
    top = min(1.0, max([row[name] for row in rows for name in ("x", "high")] + [0.05]) * 1.05)
    place = {"x": across((0, top), "mean score of the bin", canvas), "y": value_axis((0, top), "y")}
    layers = [
        line([{"x": 0, "y": 0}, {"x": top, "y": top}], place, MUTED, 1.5, strokeDash=[4, 4]),
        *with_intervals(
            rows, place, (0, top), told=[("x", "Mean score"), ("y", "Rate of positives"), *ENDS, ("rows", "Rows")]
        ),
        line(rows, place, BLUE, 1.5, opacity=0.5),
    ]
    labels: list[Spec] = [{"y": 0, "label": "calibrated", "colour": MUTED}]
    return layered(canvas, height, [*layers, margin_text(labels, canvas, weight=600)], bottom=BOTTOM)


def with_intervals(
    rows: list[Spec],
    place: Spec,
    bounds: tuple[float, float],
    colour: str = BLUE,
    told: Sequence[tuple[str, str]] = (),
) -> list[Spec]:
    """Return layers of dots with their intervals; `told` is what a dot tells when it is pointed at."""
    known = [row for row in rows if row.get("low") is not None and row.get("high") is not None]
    return [
        {
            "data": data(known),
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.4, "color": colour},
            "encoding": {**place, "y": value_axis(bounds, "low"), "y2": {"field": "high"}},
        },
        {
            "data": data(rows),
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "color": colour},
            "encoding": {**place, **tips(*told)},
        },
    ]


def parts_chart(
    points: Points, overall: float, colour: str, canvas: Canvas, *, what: str = "Part", rule: str = ""
) -> Spec:
    """Return a value with its interval for each label, side by side, with a rule at the overall value, or at what `rule` says."""
    height = 220 if canvas.name == "wide" else 180
    step = canvas.plot / max(len(points), 1)
    letters = max(3, canvas.letters(step - 4))
    rows = [
        {
            **one,
            "x": (place + 0.5) * step,
            "full": str(one["label"]),
            "label": shorten(str(one["label"]), letters),
        }
        for place, one in enumerate(points)
        if one.get("y") is not None
    ]
    seen = [row[name] for row in rows for name in ("y", "low", "high") if row.get(name) is not None]
    bounds = bounds_of([*seen, overall])
    place = {"x": pixels("x"), "y": value_axis(bounds, "y")}
    mark = {"type": "rule", "color": MUTED, "strokeWidth": 1.5, "strokeDash": [4, 4], "x": 0, "x2": canvas.plot}
    every = 1 if canvas.letters(step) >= 3 else math.ceil(3 * canvas.font * 0.6 / step)
    text = {"type": "text", "color": MUTED, "y": height + 16}
    told = [("full", what), ("y", "Value"), *ENDS, ("rows", "Rows")]
    share = (bounds[1] - overall) / (bounds[1] - bounds[0])
    layers: list[Spec] = [
        {"data": data([{"y": overall}]), "mark": mark, "encoding": {"y": value_axis(bounds, "y")}},
        *with_intervals(rows, place, bounds, colour, told=told),
        {"data": data(rows[::every]), "mark": text, "encoding": {"x": pixels("x"), "text": {"field": "label"}}},
        _overall(height * share, rule or f"all rows {number(overall)}", canvas),
    ]
    return layered(canvas, height, layers)


def _overall(y: float, label: str, canvas: Canvas) -> Spec:
    """Return the name of the rule at the overall value: beside it, or on it where the chart has no margin."""
    inside = canvas.name == "small"
    rows: list[Spec] = [{"y": y - 8 * inside, "label": label, "colour": MUTED}]
    found = margin_text(rows, canvas, weight=600, x=canvas.plot if inside else None)
    found["mark"]["align"] = "right" if inside else "left"
    return found


def importance_chart(rows: Sequence[tuple[str, float]], canvas: Canvas) -> Spec:
    """Return a bar for each feature, longest first as given, with its name and its value."""
    row = 26
    indent = 300 if canvas.name == "wide" else 150
    reach = canvas.plot + canvas.right - indent - 70
    most = max([value for _, value in rows] + [1e-12])
    bars: list[Spec] = [
        {
            "y": place * row + 5,
            "y2": (place + 1) * row - 5,
            "middle": (place + 0.5) * row,
            "x": indent,
            "x2": indent + max(1.0, reach * max(value, 0) / most),
            "label": shorten(name, canvas.letters(indent + canvas.left - 10)),
            "value": number(value),
            "full": name,
            "exact": value,
            "colour": BLUE if value > 0 else VERMILLION,
        }
        for place, (name, value) in enumerate(rows)
    ]
    text = {"type": "text", "align": "left"}
    layers: list[Spec] = [
        {
            "data": data(bars),
            "mark": {"type": "rect"},
            "encoding": {
                "x": pixels("x"), "x2": {"field": "x2"}, "y": pixels("y"), "y2": {"field": "y2"},
                "color": literal("colour"), **tips(("full", "Feature"), ("exact", "Value")),
            },
        },
        {
            "data": data(bars),
            "mark": {**text, "x": -canvas.left},
            "encoding": {"y": pixels("middle"), "text": {"field": "label"}},
        },
        {
            "data": data(bars),
            "mark": {**text, "dx": 8},
            "encoding": {"x": pixels("x2"), "y": pixels("middle"), "text": {"field": "value"}},
        },
    ]  # fmt: skip
    return layered(canvas, row * len(rows), layers, top=2, bottom=4)


def dependence_chart(points: Points, canvas: Canvas) -> Spec:
    """Return what a feature added over its value, one dot a row."""
    rows = rows_of(points)
    bounds, wide = bounds_of([row["y"] for row in rows] + [0.0]), bounds_of([row["x"] for row in rows])
    x = across(wide, "", canvas)
    x["axis"] = {**x["axis"], "title": None}
    place = {"x": x, "y": value_axis(bounds, "y")}
    zero: list[Spec] = [{"x": wide[0], "y": 0}, {"x": wide[1], "y": 0}]
    dot = {"type": "point", "filled": True, "size": 20, "opacity": 0.5, "color": BLUE}
    layers = [
        line(zero, place, MUTED, 1.5, strokeDash=[4, 4]),
        {"data": data(rows), "mark": dot, "encoding": {**place, **tips(("x", "Its value"), ("y", "It added"))}},
    ]
    return layered(canvas, 170, layers, zooms=True)
