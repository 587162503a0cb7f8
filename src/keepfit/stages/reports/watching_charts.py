"""The picture of a watched metric: what came out turn by turn, and what was to be expected before it was known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from keepfit.evidence import Estimate, Turn
from keepfit.spec.metric import Metric
from keepfit.stages.reports.canvas import (
    Canvas,
    Span,
    Spec,
    bounds_of,
    data,
    layered,
    time_axis,
    tips,
    value_axis,
)
from keepfit.stages.reports.marks import LANE, change_marks, end_labels, line, threshold_rule
from keepfit.stages.reports.palette import BLUE, INK, MUTED, OCHRE
from keepfit.stages.reports.summary import Change, Window


@dataclass(frozen=True)
class Expected:
    """What was to be expected of one window of predictions, dated by its middle."""

    at: int
    version: str
    estimate: Estimate


def expected(turns: Sequence[Turn], metric: str) -> list[Expected]:
    """Return what turns expected of their predictions, once a window, in time order."""
    found: dict[tuple[int, str], Expected] = {}
    for one in (turn.estimated for turn in turns if turn.estimated):
        if metric in one.metrics and math.isfinite(one.metrics[metric].value):
            at = (one.from_at + one.to_at) // 2
            found[at, one.version] = Expected(at, one.version, one.metrics[metric])
    return [found[key] for key in sorted(found)]


def performance_chart(
    windows: Sequence[Window],
    estimates: Sequence[Expected],
    changes: Sequence[Change],
    metric: Metric,
    threshold: float | None,
    canvas: Canvas,
    span: Span,
) -> Spec:
    """Return the metric by window: realised as a line, expected with its intervals, beside baseline and threshold."""
    height = 340 if canvas.name == "wide" else 220
    values = [value for one in windows for value in (one.value, one.baseline)]
    values += [end for one in estimates for end in (one.estimate.value, one.estimate.low, one.estimate.high)]
    bounds = bounds_of([*values, math.nan if threshold is None else threshold])
    scores = [(one.at, one.value, _reaches(metric, one.value, threshold)) for one in windows]
    based = [(one.at, one.baseline, True) for one in windows]
    rules, depth = change_marks(changes, canvas, span, height)
    names: list[tuple[str, float | None, str]] = [("threshold", threshold, INK)]
    names += [("realised", _last([one.value for one in windows]), BLUE)]
    names += [("baseline", _last([one.baseline for one in windows]), MUTED)]
    names += [("estimate", _last([one.estimate.value for one in estimates]), OCHRE)]
    layers = [
        *threshold_rule(threshold, bounds, canvas),
        *rules,
        *line(based, bounds, MUTED, 1.5, canvas, span),
        *_intervals(estimates, bounds, canvas, span),
        *line(scores, bounds, BLUE, 2.5, canvas, span),
        _told(windows, bounds, canvas, span),
        *end_labels(names, bounds, height, canvas),
    ]
    return layered(canvas, height, layers, top=14 + LANE * depth)


def _reaches(metric: Metric, value: float, threshold: float | None) -> bool:
    return threshold is None or metric.reaches(value, threshold)


def _last(values: Sequence[float]) -> float | None:
    return next((value for value in reversed(values) if math.isfinite(value)), None)


def _intervals(found: Sequence[Expected], bounds: tuple[float, float], canvas: Canvas, span: Span) -> list[Spec]:
    rows: list[Spec] = [
        {"at": one.at // 1000, "value": one.estimate.value, "low": one.estimate.low, "high": one.estimate.high,
         "rows": one.estimate.rows, "label": f"version {one.version}"}
        for one in found
    ]  # fmt: skip
    at, told = time_axis(span, canvas), tips(("value", "Estimated"), ("low", "Low"), ("high", "High"), ("rows", "Rows"))
    wide = canvas.name == "wide"
    rule = {"type": "rule", "strokeWidth": 7 if wide else 5, "opacity": 0.3, "color": OCHRE}
    dot = {"type": "tick", "orient": "horizontal", "thickness": 3, "size": 15 if wide else 10, "color": OCHRE}
    ends = [row for row in rows if math.isfinite(row["low"]) and math.isfinite(row["high"])]
    low = {**value_axis(bounds), "field": "low"}
    return [
        {"data": data(ends), "mark": rule, "encoding": {"x": at, "y": low, "y2": {"field": "high"}, **told}},
        {"data": data(rows), "mark": dot, "encoding": {"x": at, "y": value_axis(bounds), **told}},
    ]


def _told(windows: Sequence[Window], bounds: tuple[float, float], canvas: Canvas, span: Span) -> Spec:
    """Return what tells of each window where it is pointed at; it shows nothing by itself."""
    rows: list[Spec] = [
        {"at": one.at // 1000, "value": one.value, "baseline": one.baseline, "rows": one.rows}
        for one in windows
        if math.isfinite(one.value) and math.isfinite(one.baseline)
    ]
    told = tips(("value", "Realised"), ("baseline", "Baseline"), ("rows", "Rows"))
    mark = {"type": "point", "filled": True, "size": 200, "opacity": 0, "color": BLUE}
    return {
        "data": data(rows),
        "mark": mark,
        "encoding": {"x": time_axis(span, canvas), "y": value_axis(bounds), **told},
    }
