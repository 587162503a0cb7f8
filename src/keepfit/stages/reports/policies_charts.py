"""The pictures of policies side by side as Vega-Lite: a policy has one look on all of them, and its name beside what is its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keepfit.evidence import Contest, PolicyOutcome
from keepfit.stages.reports.canvas import (
    Canvas,
    Span,
    Spec,
    bounds_of,
    data,
    layered,
    literal,
    pixels,
    shorten,
    spread,
    time_axis,
    value_axis,
)
from keepfit.stages.reports.curves import BOTTOM, across, line
from keepfit.stages.reports.marks import margin_text, threshold_rule
from keepfit.stages.reports.palette import (
    BACK,
    BLUE,
    DOT,
    GREEN,
    GRID,
    INDIGO,
    INK,
    MUTED,
    OCHRE,
    PAPER,
    PURPLE,
    TRIANGLE,
    VERMILLION,
)
from keepfit.stages.reports.summary import number, plural

MOST = 8
"""Policies that can be told apart in one picture."""
PROMOTED, TRAINED, BACKED = "trained and promoted", "trained, not promoted", "rolled back"
SIGNS = {PROMOTED: TRIANGLE, TRAINED: DOT, BACKED: BACK}

MARKS = 6
"""Marks of whole numbers on an axis, about."""


@dataclass(frozen=True)
class Look:
    """How a policy is drawn on every picture; dashes tell apart what colour alone might not."""

    colour: str
    dash: tuple[int, ...] = ()


OTHERS = (Look(VERMILLION), Look(GREEN), Look(PURPLE), Look(OCHRE, (7, 3)), Look(INDIGO, (7, 3)), Look(INK, (3, 3)))


def looks(found: Contest) -> dict[str, Look]:
    """Return name -> look of the policies that are drawn: the recommended one, the reference, and the cheapest of the others.

    The reference is grey and the recommended one blue.
    """
    first = list(dict.fromkeys([found.recommended, found.reference]))
    others = sorted((one for one in found.outcomes if one.name not in first), key=lambda one: one.cost)
    drawn = {found.reference: Look(MUTED), found.recommended: Look(BLUE)}
    return drawn | {one.name: look for one, look in zip(others[: MOST - len(first)], OTHERS, strict=False)}


def metric_chart(
    outcomes: Sequence[PolicyOutcome],
    styles: Mapping[str, Look],
    threshold: float | None,
    canvas: Canvas,
    span: Span,
) -> Spec:
    """Return the metric of each turn's predictions, a line for each policy, the recommended one on top."""
    height = 360 if canvas.name == "wide" else 250
    values = [window.value for one in outcomes for window in one.windows]
    bounds = bounds_of([*values, math.nan if threshold is None else threshold])
    lines = [
        layer for one in _blue_last(outcomes, styles) for layer in _line(one, styles[one.name], bounds, canvas, span)
    ]
    names = [(one.name, _last(one), styles[one.name].colour) for one in outcomes]
    names += [("threshold", math.nan if threshold is None else threshold, INK)]
    gap = canvas.font + 5
    shown = [one for one in names if math.isfinite(one[1])]
    wanted = [height * (bounds[1] - value) / (bounds[1] - bounds[0]) for _, value, _ in shown]
    labels: list[Spec] = [
        {"y": y, "label": _named(name, number(value), canvas), "colour": colour}
        for (name, value, colour), y in zip(shown, _within(spread(wanted, gap), gap, height), strict=True)
    ]
    layers = [*threshold_rule(threshold, bounds, canvas), *lines, margin_text(labels, canvas, weight=600)]
    return layered(canvas, height, layers, top=14, bottom=12)


def _blue_last(outcomes: Sequence[PolicyOutcome], styles: Mapping[str, Look]) -> list[PolicyOutcome]:
    return sorted(outcomes, key=lambda one: (styles[one.name].colour == BLUE, styles[one.name].colour != MUTED))


def _line(one: PolicyOutcome, look: Look, bounds: tuple[float, float], canvas: Canvas, span: Span) -> list[Spec]:
    rows: list[Spec] = [
        {"at": window.as_of // 1000, "value": window.value if math.isfinite(window.value) else None}
        for window in one.windows
    ]
    # the dates stand below the moves
    place = {"x": time_axis(span, canvas, labels=False), "y": value_axis(bounds)}
    width = 3 if look.colour == BLUE else 2
    stroke = {"type": "line", "color": look.colour, "strokeWidth": width, "strokeJoin": "round"}
    stroke |= {"strokeDash": list(look.dash)} if look.dash else {}
    dot = {"type": "point", "filled": True, "size": 14 * width, "color": look.colour, "opacity": 1}
    known = [row for row in rows if row["value"] is not None]
    return [
        {"data": data(rows), "mark": stroke, "encoding": place},
        {"data": data(known), "mark": dot, "encoding": place},
    ]


def _last(one: PolicyOutcome) -> float:
    return next((window.value for window in reversed(one.windows) if math.isfinite(window.value)), math.nan)


def _within(places: Sequence[float], gap: float, height: int) -> list[float]:
    """Return places that lie `gap` apart, in the same order, moved no further than it takes to hold them in the plot."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    found = list(places)
    for rank, index in enumerate(order):
        below = len(order) - 1 - rank
        found[index] = min(max(places[index], rank * gap), height - below * gap)
    return found


def _named(name: str, figure: str, canvas: Canvas) -> str:
    """Return a name with a figure, as long as the right margin is; on phones the name alone."""
    room = canvas.letters(canvas.right - 12)
    return shorten(name, room) if canvas.name == "narrow" else f"{shorten(name, room - len(figure) - 1)} {figure}"


def moves_chart(outcomes: Sequence[PolicyOutcome], styles: Mapping[str, Look], canvas: Canvas, span: Span) -> Spec:
    """Return when each policy trained, promoted and rolled back, a row for each."""
    row = 28 if canvas.name == "wide" else 24
    marks = [
        {"at": at // 1000, "y": (place + 0.5) * row, "shape": SIGNS[kind], "colour": styles[one.name].colour}
        for place, one in enumerate(outcomes)
        for at, kind in moves(one)
    ]
    names: list[Spec] = [
        {
            "y": (place + 0.5) * row,
            "label": _named(one.name, plural(len(one.trainings_at), "training"), canvas),
            "colour": styles[one.name].colour,
        }
        for place, one in enumerate(outcomes)
    ]
    rule = {"type": "rule", "color": GRID, "strokeWidth": 1, "x": 0, "x2": canvas.plot}
    point = {"type": "point", "filled": True, "size": 80 if canvas.name == "wide" else 46, "opacity": 1}
    place = {"x": time_axis(span, canvas), "y": pixels("y")}
    layers: list[Spec] = [
        {"data": data([{"y": one["y"]} for one in names]), "mark": rule, "encoding": {"y": pixels("y")}},
        {
            "data": data(marks),
            "mark": point,
            "encoding": {**place, "color": literal("colour"), "shape": literal("shape")},
        },
        margin_text(names, canvas, weight=600),
    ]
    return layered(canvas, row * len(outcomes), layers, top=4)


def moves(one: PolicyOutcome) -> list[tuple[int, str]]:
    """Return what a policy did, as (when, what), in time order."""
    promoted, trained = set(one.promotions_at), set(one.trainings_at)
    found = [(at, PROMOTED if at in promoted else TRAINED) for at in trained | promoted]
    return sorted([*found, *((at, BACKED) for at in one.roll_backs_at)])


def frontier_chart(outcomes: Sequence[PolicyOutcome], styles: Mapping[str, Look], canvas: Canvas) -> Spec:
    """Return the metric of each policy over its trainings; those that none beats are joined, the others hollow."""
    height = 320 if canvas.name == "wide" else 240
    known = [one for one in outcomes if math.isfinite(one.value)]
    bounds = bounds_of([one.value for one in known])
    most, least = (pick([len(one.trainings_at) for one in known]) for pick in (max, min))
    air = max(0.5, 0.06 * (most - least))
    ends = (least - air, most + air)
    x = across(ends, "trainings", canvas)
    step = max(1, -(-(most - least) // MARKS))
    x["axis"] = {**x["axis"], "values": [*range(least, most + 1, step)], "format": ",d", "labelFlush": False}
    place = {"x": x, "y": value_axis(bounds, "y")}
    rows: list[Spec] = [
        {
            "x": len(one.trainings_at),
            "y": one.value,
            "colour": styles[one.name].colour,
            "fill": styles[one.name].colour if one.efficient else PAPER,
        }
        for one in known
    ]
    spots = [
        (
            canvas.plot * (row["x"] - ends[0]) / (ends[1] - ends[0]),
            height * (bounds[1] - row["y"]) / (bounds[1] - bounds[0]),
            one.name if canvas.name == "narrow" else f"{one.name} {number(one.value)}",
        )
        for one, row in zip(known, rows, strict=True)
    ]
    texts = [
        {"x": x, "y": y, "label": text, "colour": row["colour"]}
        for row, (x, y, text) in zip(rows, beside(spots, canvas), strict=True)
    ]
    dot = {"type": "point", "filled": True, "size": 110, "strokeWidth": 2, "opacity": 1}
    text = {"type": "text", "align": "left", "fontWeight": 600}
    layers: list[Spec] = [
        line([row for row in rows if row["fill"] != PAPER], place, MUTED, 1.5, opacity=0.7),
        {
            "data": data(rows),
            "mark": dot,
            "encoding": {**place, "stroke": literal("colour"), "fill": literal("fill")},
        },
        {
            "data": data(texts),
            "mark": text,
            "encoding": {
                "x": pixels("x"), "y": pixels("y"), "text": {"field": "label"}, "color": literal("colour"),
            },
        },
    ]  # fmt: skip
    return layered(canvas, height, layers, top=18, bottom=BOTTOM)


def beside(spots: Sequence[tuple[float, float, str]], canvas: Canvas) -> list[tuple[float, float, str]]:
    """Return where texts begin that stand beside their points (x, y, text), in pixels, none of them on another."""
    tall, gap = canvas.font + 5, 11
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y, _ in spots]
    found = []
    for x, y, text in spots:
        long = 0.6 * canvas.font * len(text)
        tries = [(left, y + step * tall) for step in (0, -1, 1, -2, 2, -3, 3) for left in (x + gap, x - gap - long)]
        boxes = [(left, middle - tall / 2 + 1, left + long, middle + tall / 2 - 1) for left, middle in tries]
        fits = [
            box
            for box in boxes
            if box[0] >= -canvas.left
            and box[2] <= canvas.plot + canvas.right
            and not any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in taken)
        ]
        box = fits[0] if fits else boxes[0]
        taken.append(box)
        found.append((box[0], (box[1] + box[3]) / 2, text))
    return found
