"""The summary of contributions: for each feature a swarm of rows, by what the feature added, coloured by its value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.stages.reports.canvas import Canvas, Spec, bounds_of, data, layered, literal, pixels, shorten, tips
from keepfit.stages.reports.curves import across, line
from keepfit.stages.reports.page import Html, key, swatch
from keepfit.stages.reports.palette import BLUE, MUTED, PURPLE, VERMILLION

Dots = Sequence[Mapping[str, Any]]
ROW, DOT = 30, 3
"""Height of a feature's lane, and of a dot in it, in pixels."""
LEVELS = ((1 / 3, BLUE, "low"), (2 / 3, MUTED, "middle"), (float("inf"), VERMILLION, "high"))
NO_NUMBER = (PURPLE, "no number: a label, or missing")


def swarm_chart(features: Mapping[str, Dots], canvas: Canvas) -> Spec:
    """Return a lane for each feature, as given: a dot for each row, where what the feature added lies across."""
    wide = canvas.name == "wide"
    indent = 300 if wide else 110
    bounds = bounds_of([dot["y"] for dots in features.values() for dot in dots] + [0.0])
    axis = across(bounds, "", canvas)
    scale = {**axis["scale"], "range": [indent - canvas.left, canvas.plot + canvas.right - 20]}
    x = {**axis, "scale": scale, "axis": {**axis["axis"], "title": None, "offset": 2}}
    low, high = scale["range"]
    rows: list[Spec] = []
    for lane, (name, dots) in enumerate(features.items()):
        taken: Counter[int] = Counter()
        for dot in dots:
            column = int((dot["y"] - bounds[0]) / (bounds[1] - bounds[0]) * (high - low) / DOT)
            nth, taken[column] = taken[column], taken[column] + 1
            # above and below the middle in turn, as far as the lane reaches
            away = min((nth + 1) // 2 * DOT, ROW // 2 - DOT) * (1 if nth % 2 else -1)
            known = dot["share"] is not None
            colour = next(own for bound, own, _ in LEVELS if dot["share"] <= bound) if known else NO_NUMBER[0]
            place = {"x": dot["y"], "lane": (lane + 0.5) * ROW + away}
            rows.append({**place, "colour": colour, "full": name, "value": dot["x"]})
    names = [
        {"label": shorten(name, canvas.letters(indent - 10)), "lane": (lane + 0.5) * ROW}
        for lane, name in enumerate(features)
    ]
    place = {"x": x, "y": pixels("lane")}
    zero: list[Spec] = [{"x": 0, "lane": 0}, {"x": 0, "lane": ROW * len(features)}]
    told = tips(("full", "Feature"), ("value", "Its value"), ("x", "It added"))
    layers: list[Spec] = [
        line(zero, place, MUTED, 1.5, strokeDash=[4, 4], order=None),
        {
            "data": data(rows),
            "mark": {"type": "point", "filled": True, "size": 14, "opacity": 0.7},
            "encoding": {**place, "color": literal("colour"), **told},
        },
        {
            "data": data(names),
            "mark": {"type": "text", "align": "left", "x": -canvas.left},
            "encoding": {"y": pixels("lane"), "text": {"field": "label"}},
        },
    ]
    return layered(canvas, ROW * len(features), layers, top=2, bottom=28)


def signs() -> Html:
    """Return what the colours mean."""
    levels = [(swatch(colour), word) for _, colour, word in LEVELS]
    return key(*levels, (swatch(NO_NUMBER[0]), NO_NUMBER[1]))
