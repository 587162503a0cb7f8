"""The pictures of a regression as Vega-Lite: what was predicted beside what happened, and the errors."""

from __future__ import annotations

from keepfit.stages.reports.canvas import Canvas, Spec, bounds_of, data, layered, tips, value_axis
from keepfit.stages.reports.curves import BOTTOM, Points, across, height_of, line, rows_of, with_intervals
from keepfit.stages.reports.marks import margin_text
from keepfit.stages.reports.palette import BLUE, GREEN, INK, MUTED


def _in(name: str, unit: str | None) -> str:
    return f"{name}, {unit}" if unit else name


def fit_chart(points: Points, canvas: Canvas, band: Points = (), unit: str | None = None) -> Spec:
    """Return what happened over what was predicted, one dot a row, beside the diagonal; a band of mean bounds behind them."""
    height, rows = height_of(canvas) + 60, rows_of(points)
    edges = [one[name] for one in band for name in ("low", "high")]
    bounds = bounds_of([row[name] for row in rows for name in ("x", "y")] + edges)
    place = {"x": across(bounds, _in("predicted", unit), canvas), "y": value_axis(bounds, "y")}
    ends: list[Spec] = [{"x": bounds[0], "y": bounds[0]}, {"x": bounds[1], "y": bounds[1]}]
    dot = {"type": "point", "filled": True, "size": 26, "opacity": 0.45, "color": BLUE}
    labels: list[Spec] = [{"y": 0, "label": "exact", "colour": MUTED}]
    layers = [
        *_band(band, place, bounds),
        {"data": data(rows), "mark": dot, "encoding": {**place, **tips(("x", "Predicted"), ("y", "Actual"))}},
        line(ends, place, MUTED, 1.5, strokeDash=[4, 4]),
        margin_text(labels, canvas, weight=600),
    ]
    return layered(canvas, height, layers, bottom=BOTTOM, zooms=True)


def _band(points: Points, place: Spec, bounds: tuple[float, float]) -> list[Spec]:
    """Return an area between bounds over x with a line at each of them; nothing without points."""
    if not points:
        return []
    rows = [dict(one) for one in points]
    across_ = {"x": place["x"], "y": value_axis(bounds, "low"), "y2": {"field": "high"}}
    area: Spec = {"data": data(rows), "mark": {"type": "area", "color": GREEN, "opacity": 0.15}, "encoding": across_}
    edges = [line([{"x": one["x"], "y": one[name]} for one in rows], place, GREEN, 1.5) for name in ("low", "high")]
    return [area, *edges]


def residuals_chart(bars: Points, canvas: Canvas, unit: str | None = None) -> Spec:
    """Return how many rows have an error of each size; the outermost bars hold what lies beyond."""
    height = 200 if canvas.name == "wide" else 150
    rows = [{**one, "zero": 0} for one in bars]
    bounds = (float(rows[0]["from"]), float(rows[-1]["to"]))
    top = max([one["rows"] for one in rows] + [1]) * 1.05
    x = {**across(bounds, _in("predicted less actual", unit), canvas), "field": "from"}
    value = value_axis((0, top), "rows", ticks=3)
    told = tips(("from", "Error from"), ("to", "To"), ("rows", "Rows"))
    layers: list[Spec] = [
        {
            "data": data(rows),
            "mark": {"type": "rect", "color": BLUE, "stroke": "#ffffff", "strokeWidth": 0.5},
            "encoding": {"x": x, "x2": {"field": "to"}, "y": value, "y2": {"field": "zero"}, **told},
        },
        {
            "data": data([{"from": 0, "rows": 0}]),
            "mark": {"type": "rule", "color": INK, "strokeDash": [2, 3], "y": 0, "y2": height},
            "encoding": {"x": x},
        },
    ]
    return layered(canvas, height, layers, bottom=BOTTOM)


def spread_chart(points: Points, canvas: Canvas, unit: str | None = None) -> Spec:
    """Return the median error, and the range of nine in ten, by tenth of the prediction."""
    height, rows = 230, rows_of(points)
    bounds = bounds_of([row[name] for row in rows for name in ("low", "high")] + [0.0])
    wide = bounds_of([row["x"] for row in rows])
    place = {"x": across(wide, _in("predicted", unit), canvas), "y": value_axis(bounds, "y")}
    zero: list[Spec] = [{"x": wide[0], "y": 0}, {"x": wide[1], "y": 0}]
    told = [
        ("x", "Mean prediction"),
        ("y", "Median error"),
        ("low", "5% are below"),
        ("high", "5% are above"),
        ("rows", "Rows"),
    ]
    layers = [line(zero, place, MUTED, 1.5, strokeDash=[4, 4]), *with_intervals(rows, place, bounds, told=told)]
    return layered(canvas, height, layers, bottom=BOTTOM)
