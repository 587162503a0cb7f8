"""The pictures of a table's time as Vega-Lite: rows in each period, rows of single entities, values that are missing.

All three stand on one time axis, so that a reader can follow a month down the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keepfit import clock
from keepfit.stages.reports.canvas import (
    Canvas,
    Span,
    Spec,
    data,
    layered,
    literal,
    pixels,
    shorten,
    time_axis,
    value_axis,
)
from keepfit.stages.reports.marks import margin_text
from keepfit.stages.reports.palette import BLUE, GRID, HEAT, INK, MUTED

MISSING_BOUNDS = (0.0, 0.01, 0.1, 0.5)
"""A share above so many of them has that colour of `HEAT`."""


@dataclass(frozen=True)
class Strip:
    """One line of a picture: a name, the figure beside it, and a value for each period, None where there is no row."""

    name: str
    figure: str
    values: tuple[float | None, ...]


def span_of(starts: Sequence[int], step: str) -> Span:
    """Return the time axis of periods: from the start of the first to the end of the last."""
    grid = clock.Grid(step)
    end = next(moment for moment in grid.moments(starts[-1], starts[-1] + 2 * grid.step) if moment > starts[-1])
    moments = [start // 1000 for start in starts]
    return Span(moments[0], end // 1000, grid.step // 1000, tuple(moments))


def rows_chart(rows: Sequence[int], canvas: Canvas, span: Span) -> Spec:
    """Return the rows of each period as bars from zero."""
    canvas = canvas if canvas.name == "wide" else replace(canvas, right=12)  # nothing stands in the margin
    height, top = (180 if canvas.name == "wide" else 140), max([*rows, 1]) * 1.04
    value = value_axis((0, top), ticks=4)
    value["axis"] |= {"labelExpr": "format(datum.value, '~s')"}
    bars = [{"from": left, "to": right, "value": rows[place], "zero": 0} for place, left, right in _slots(span)]
    layer = {
        "data": data([bar for bar in bars if bar["value"]]),
        "mark": {"type": "rect", "color": BLUE},
        "encoding": {**_across(span, canvas), "y": value, "y2": {"field": "zero"}},
    }
    return layered(canvas, height, [layer])


def entities_chart(strips: Sequence[Strip], canvas: Canvas, span: Span) -> Spec:
    """Return a strip of small bars for each entity, all to one scale."""
    canvas, row, indent = _lines(canvas)
    top = max([value or 0.0 for strip in strips for value in strip.values] + [1.0])
    bars, grounds = [], []
    for line, strip in enumerate(strips):
        ground, room = (line + 1) * row - 3, row - indent - 6
        grounds.append({"y": ground})
        for place, left, right in _slots(span):
            if value := strip.values[place]:
                bars.append({"from": left, "to": right, "y": ground - max(room * value / top, 1.0), "y2": ground})
    rule = {"type": "rule", "color": GRID, "x": 0, "x2": canvas.plot}
    layers: list[Spec] = [
        {"data": data(grounds), "mark": rule, "encoding": {"y": pixels("y")}},
        {
            "data": data(bars),
            "mark": {"type": "rect", "color": BLUE},
            "encoding": {**_across(span, canvas), "y": pixels("y"), "y2": {"field": "y2"}},
        },
        *_names(strips, canvas, row, indent),
    ]
    return layered(canvas, row * len(strips), layers, top=4)


def missing_chart(strips: Sequence[Strip], canvas: Canvas, span: Span) -> Spec:
    """Return a heat strip for each column; values are shares, and a period without rows stays empty."""
    canvas, row, indent = _lines(canvas)
    cells = []
    for line, strip in enumerate(strips):
        for left, right, step in _runs(strip, span):
            y, y2 = line * row + indent + 2, (line + 1) * row - 2
            cells.append({"from": left, "to": right, "y": y, "y2": y2, "colour": HEAT[step]})
    layers: list[Spec] = [
        {
            "data": data(cells),
            "mark": {"type": "rect"},
            "encoding": {
                **_across(span, canvas),
                "y": pixels("y"),
                "y2": {"field": "y2"},
                "color": literal("colour"),
            },
        },
        *_names(strips, canvas, row, indent),
    ]
    return layered(canvas, row * len(strips), layers, top=4)


def missing_step(share: float) -> int:
    """Return which of the five colours of `HEAT` a share of missing values has."""
    return sum(share > bound for bound in MISSING_BOUNDS)


def _runs(strip: Strip, span: Span) -> list[tuple[float, float, int]]:
    """Return `(from, to, colour)`: neighbouring periods of one colour are one cell, which keeps the page small."""
    found: list[tuple[float, float, int]] = []
    ends = [*span.turns[1:], span.end]
    for place, (left, right) in enumerate(zip(span.turns, ends, strict=True)):
        share = strip.values[place]
        if share is None:
            continue
        step = missing_step(share)
        if found and found[-1][1:] == (left, step):
            found[-1] = (found[-1][0], right, step)
        else:
            found.append((left, right, step))
    return found


def _slots(span: Span) -> list[tuple[int, float, float]]:
    """Return `(place, from, to)` of each period, with some air between neighbours."""
    ends = [*span.turns[1:], span.end]
    return [
        (place, left + 0.06 * (right - left), right - 0.06 * (right - left))
        for place, (left, right) in enumerate(zip(span.turns, ends, strict=True))
    ]


def _across(span: Span, canvas: Canvas) -> Spec:
    return {"x": time_axis(span, canvas, "from"), "x2": {"field": "to"}}


def _lines(canvas: Canvas) -> tuple[Canvas, int, int]:
    """Return the canvas, the height of a line, and how much of it is above the strip: on a phone the name stands there."""
    if canvas.name == "wide":
        return canvas, 26, 0
    return replace(canvas, left=20, right=12), 44, 20


def _names(strips: Sequence[Strip], canvas: Canvas, row: int, indent: int) -> list[Spec]:
    """Return each line's figure and name: beside the strip, or above it where `indent` leaves room."""
    digits = max([len(strip.figure) for strip in strips] + [1])
    left, gap = (2 if indent else canvas.plot + 10), int(digits * 0.62 * canvas.font) + 10
    room = canvas.plot - gap if indent else canvas.right - gap - 14
    rows = [
        {
            "y": line * row + (indent / 2 + 1 if indent else row / 2),
            "label": shorten(strip.name, canvas.letters(room)),
            "figure": strip.figure,
            "colour": INK,
        }
        for line, strip in enumerate(strips)
    ]
    figures = [{**one, "label": one["figure"], "colour": MUTED} for one in rows]
    return [margin_text(figures, canvas, x=left), margin_text(rows, canvas, x=left + gap)]
