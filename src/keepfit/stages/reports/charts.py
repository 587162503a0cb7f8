"""The pictures of a replay as Vega-Lite: each is a plain dict, made by a pure function for one canvas.

To add a chart: write a function that returns `layered(canvas, height, layers)`, with colours of `palette` only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from keepfit.spec.metric import Metric
from keepfit.stages.reports import palette
from keepfit.stages.reports.canvas import (
    Canvas,
    Span,
    Spec,
    bounds_of,
    data,
    lanes,
    layered,
    literal,
    pixels,
    shorten,
    time_axis,
    value_axis,
)
from keepfit.stages.reports.marks import LANE, change_marks, end_labels, intervals, line, margin_text, threshold_rule
from keepfit.stages.reports.palette import BLUE, HEAT, INK, MUTED, PAPER
from keepfit.stages.reports.summary import Change, Column, Training, Window, duration, number, version_name

DOWN, UP = "\u2193", "\u2191"


def realised_chart(
    windows: Sequence[Window],
    changes: Sequence[Change],
    metric: Metric,
    threshold: float | None,
    canvas: Canvas,
    span: Span,
) -> Spec:
    """Return the metric by window as labels matured, with threshold, baseline and a rule at each change of model."""
    height = 340 if canvas.name == "wide" else 210
    values = [value for window in windows for value in (window.value, window.baseline)]
    bounds = bounds_of([*values, math.nan if threshold is None else threshold])
    scores = [(window.at, window.value, _reaches(metric, window.value, threshold)) for window in windows]
    based = [(window.at, window.baseline, True) for window in windows]
    rules, depth = change_marks(changes, canvas, span, height)
    names = [("champion", _last([window.value for window in windows]), BLUE), ("threshold", threshold, INK)]
    names += [("baseline", _last([window.baseline for window in windows]), MUTED)]
    layers = [
        *threshold_rule(threshold, bounds, canvas),
        *rules,
        *line(based, bounds, MUTED, 1.5, canvas, span),
        *line(scores, bounds, BLUE, 2.5, canvas, span),
        *end_labels(names, bounds, height, canvas),
    ]
    return layered(canvas, height, layers, top=14 + LANE * depth)


def _last(values: Sequence[float]) -> float | None:
    return next((value for value in reversed(values) if math.isfinite(value)), None)


def _reaches(metric: Metric, value: float, threshold: float | None) -> bool:
    return threshold is None or metric.reaches(value, threshold)


def drift_chart(columns: Sequence[Column], canvas: Canvas, span: Span) -> Spec:
    """Return the PSI of columns (down) over turns (across) as a heat map; a dot marks a significant cell."""
    wide = canvas.name == "wide"
    canvas = canvas if wide else replace(canvas, left=16, right=0)
    row, indent = (24, 0) if wide else (42, 20)
    cells = _cells(columns, row, indent, span.step * 0.46)
    radius = min(2.5, 0.3 * span.step / (span.end - span.start) * canvas.plot)
    place = {"x": time_axis(span, canvas, "from"), "x2": {"field": "to"}, "y": pixels("y"), "y2": {"field": "y2"}}
    dot = {
        "type": "point",
        "filled": True,
        "size": math.pi * radius**2,
        "fill": INK,
        "stroke": PAPER,
        "strokeWidth": 1,
        "opacity": 1,
    }
    layers: list[Spec] = [
        {
            "data": data(cells),
            "mark": {"type": "rect"},
            "encoding": {**place, "color": literal("colour")},
        },
        {
            "data": data([cell for cell in cells if cell["significant"]]),
            "mark": dot,
            "encoding": {"x": time_axis(span, canvas), "y": pixels("middle")},
        },
        *_column_names(columns, canvas, row, indent),
    ]
    return layered(canvas, row * len(columns), layers, top=4)


def _cells(columns: Sequence[Column], row: int, indent: int, half: float) -> list[Spec]:
    return [
        {
            "from": at // 1000 - half,
            "at": at // 1000,
            "to": at // 1000 + half,
            "y": index * row + indent + 1,
            "y2": (index + 1) * row - 1,
            "middle": (index + 0.5) * row + indent / 2,
            "colour": HEAT[palette.heat_step(drift.psi)],
            "significant": drift.significant,
        }
        for index, column in enumerate(columns)
        for at, drift in column.cells
    ]


def _column_names(columns: Sequence[Column], canvas: Canvas, row: int, indent: int) -> list[Spec]:
    """Return each column's largest PSI and name: beside its cells, or above them where `indent` leaves room."""
    left = 2 - canvas.left if indent else canvas.plot + 10
    room = canvas.plot - left - 44 if indent else canvas.right - 54
    rows = [
        {
            "y": index * row + (indent / 2 + 3 if indent else row / 2),
            "label": shorten(column.name, canvas.letters(room)),
            "psi": number(column.worst.psi),
            "colour": INK,
        }
        for index, column in enumerate(columns)
    ]
    figures = [{**one, "label": one["psi"], "colour": MUTED} for one in rows]
    return [margin_text(figures, canvas, x=left), margin_text(rows, canvas, x=left + 44)]


def training_chart(
    trainings: Sequence[Training], metric: Metric, threshold: float | None, canvas: Canvas, span: Span
) -> Spec:
    """Return each training's test metric with its 90% interval and its outcome as mark.

    The trivial baseline is a dash, or an arrow in the margin where it lies too far off to show the intervals as well.
    """
    height = 240 if canvas.name == "wide" else 180
    shown = [training for training in trainings if math.isfinite(training.estimate.value)]
    near = baselines_near(shown, threshold)
    seen = [value for one in shown for value in (one.estimate.value, one.estimate.low, one.estimate.high)]
    seen += [one.baseline for one in shown if near]
    bounds = bounds_of([*seen, math.nan if threshold is None else threshold])
    names = [("threshold", threshold, INK)]
    names += [("baseline", _last([one.baseline for one in shown]), MUTED)] if near else []
    layers = [
        *threshold_rule(threshold, bounds, canvas),
        *intervals(_training_rows(shown, near, canvas, span), bounds, canvas, span),
        *end_labels(names, bounds, height, canvas),
    ]
    far = _last([one.baseline for one in shown])
    if not near and far is not None:
        below = metric.greater_is_better
        note = f"baseline {number(far)} {DOWN if below else UP}"
        layers.append(
            margin_text([{"y": height - 6 if below else 6, "label": note, "colour": MUTED}], canvas, weight=600)
        )
    return layered(canvas, height, layers, top=22)


def baselines_near(trainings: Sequence[Training], threshold: float | None) -> bool:
    """Return whether the baselines can share a scale with the intervals without making these unreadable."""
    parts = [value for one in trainings for value in (one.estimate.low, one.estimate.high, one.estimate.value)]
    seen = [value for value in [*parts, threshold] if value is not None and math.isfinite(value)]
    based = [one.baseline for one in trainings if math.isfinite(one.baseline)]
    if not seen or not based:
        return bool(based)
    return max(seen + based) - min(seen + based) <= 2.5 * (max(seen) - min(seen))


def _training_rows(shown: Sequence[Training], near: bool, canvas: Canvas, span: Span) -> list[Spec]:
    spots = [(span.pixel(one.at, canvas), len(version_name(one.version)) * 0.6 * canvas.font) for one in shown]
    return [
        {
            "at": one.at // 1000,
            "value": one.estimate.value,
            "low": one.estimate.low if math.isfinite(one.estimate.low) else one.estimate.value,
            "high": one.estimate.high if math.isfinite(one.estimate.high) else one.estimate.value,
            "baseline": one.baseline if near and math.isfinite(one.baseline) else None,
            "label": version_name(one.version) if lane is not None else "",
            "colour": palette.colour_of(one.decision),
            "shape": palette.shape_of(one.decision),
        }
        for one, lane in zip(shown, lanes(spots, 1), strict=True)
    ]


def bars_chart(counts: Sequence[tuple[int, int]], words: str, canvas: Canvas, span: Span, *, last: bool) -> Spec:
    """Return rows per turn as bars from zero, named in the margin; only the last of a stack shows the dates."""
    height, half = (
        (64 if canvas.name == "wide" else 52),
        min(span.step * 0.36, 20 * (span.end - span.start) / canvas.plot),
    )
    rows = [
        {"from": at / 1000 - half, "to": at / 1000 + half, "value": max(count, 0), "zero": 0} for at, count in counts
    ]
    top = max([count for _, count in counts] + [1])
    place = {"x": time_axis(span, canvas, "from", labels=last), "x2": {"field": "to"}}
    value = value_axis((0, top * 1.05), ticks=2)
    value["axis"]["labelExpr"] = "format(datum.value, '~s')"
    total = sum(max(count, 0) for _, count in counts)
    names = [
        {"y": height / 2 - 9, "label": words, "colour": INK},
        {"y": height / 2 + 9, "label": f"{total:,} in all", "colour": MUTED},
    ]
    layers: list[Spec] = [
        {
            "data": data(rows),
            "mark": {"type": "rect", "color": BLUE},
            "encoding": {**place, "y": value, "y2": {"field": "zero"}},
        },
        margin_text(names, canvas),
    ]
    return layered(canvas, height, layers, top=8, bottom=28 if last else 6)


def stages_chart(seconds: Mapping[str, float], canvas: Canvas) -> Spec:
    """Return the share of time per stage as horizontal bars with seconds beside them."""
    row, most, total = 26, max([*seconds.values(), 1e-9]), sum(seconds.values()) or 1e-9
    indent = 130 if canvas.name == "wide" else 84
    reach = canvas.plot - indent
    rows = [
        {
            "y": index * row + 5,
            "y2": (index + 1) * row - 5,
            "middle": (index + 0.5) * row,
            "x": indent,
            "x2": indent + max(1.0, reach * spent / most),
            "stage": shorten(stage, canvas.letters(indent + canvas.left - 12)),
            "label": f"{duration(spent)}, {spent / total:.0%}",
        }
        for index, (stage, spent) in enumerate(seconds.items())
    ]
    text = {"type": "text", "align": "left"}
    layers: list[Spec] = [
        {
            "data": data(rows),
            "mark": {"type": "rect", "color": BLUE},
            "encoding": {"x": pixels("x"), "x2": {"field": "x2"}, "y": pixels("y"), "y2": {"field": "y2"}},
        },
        {
            "data": data(rows),
            "mark": {**text, "x": -canvas.left},
            "encoding": {"y": pixels("middle"), "text": {"field": "stage"}},
        },
        {
            "data": data(rows),
            "mark": {**text, "dx": 8},
            "encoding": {"x": pixels("x2"), "y": pixels("middle"), "text": {"field": "label"}},
        },
    ]
    return layered(canvas, row * len(seconds), layers, top=2, bottom=4)
