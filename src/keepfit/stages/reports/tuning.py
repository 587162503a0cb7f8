"""A search for parameters, in pictures: what it found trial by trial, and the metric over each parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from keepfit.spec.metric import METRICS, Metric
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
from keepfit.stages.reports.curves import BOTTOM, across
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.marks import end_labels
from keepfit.stages.reports.page import Html, breakable, element, join, key, sign, table
from keepfit.stages.reports.palette import BLUE, CROSS, DOT, GREEN, MUTED, TRIANGLE, VERMILLION
from keepfit.stages.reports.summary import number, plural

CHOSEN, COMPLETE, PRUNED, FAILED = "chosen", "complete", "pruned", "failed"
MARKS = {CHOSEN: (GREEN, TRIANGLE), COMPLETE: (BLUE, DOT), PRUNED: (MUTED, CROSS), FAILED: (VERMILLION, CROSS)}
WORDS = {CHOSEN: "chosen", COMPLETE: "tried on all folds", PRUNED: "given up early", FAILED: "failed"}
FAR, EDGE, TICKS = 4.0, 0.04, 5
"""How many times further off than the median a trial may lie and be on the scale; how far from its edge the others stand;
numbers below an axis of magnitudes."""
Trials = Sequence[Mapping[str, Any]]


def tuning(show: Figures, search: Mapping[str, Any] | None) -> list[Html]:
    """Return the pictures of a search and its trials as a table; nothing if none was made."""
    if not search:
        return []
    metric, trials = METRICS[search["metric"]], search["trials"]
    rows, bounds = trial_rows(trials, metric)
    best = next(one for one in trials if one["best"])
    found = ", ".join(f"{name} {_text(value)}" for name, value in best["parameters"].items())
    says = f"Trial {best['number']} of {len(trials)} was best, {metric.name} {number(best['value'])}: {found}"
    read = (
        f"Up: {metric.name}, the mean over the folds, all of them before the test. The line is the best so far."
        f"{_beyond(rows)} Parameters were looked for by {_method(search['method'])}."
    )
    signs = key(*((sign(*MARKS[kind]), WORDS[kind]) for kind in MARKS if any(one["kind"] == kind for one in rows)))
    drawn = show("trials", "Search", says, read, lambda canvas: trials_chart(rows, bounds, metric, canvas), key=signs)
    charts = [
        (
            f"parameter-{place}",
            name,
            lambda canvas, name=name, scale=scale: parameter_chart(rows, name, scale, bounds, metric, canvas),
        )
        for place, (name, scale) in enumerate(search["scales"].items())
    ]
    cards = show.cards(
        "Searched parameters", f"{metric.name} over each parameter", "A dot is a trial, marked as above.", charts
    )
    return [drawn, cards, element("details", element("summary", "All trials"), trials_table(trials, metric))]


def _method(name: str) -> str:
    return {"tpe": "TPE, which looks where it was good before", "grid": "a grid", "random": "random draws"}[name]


def _text(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _beyond(rows: Sequence[Spec]) -> str:
    count = sum(one["beyond"] for one in rows)
    return (
        f" {plural(count, 'trial')} far off the scale {'stands' if count == 1 else 'stand'} at its edge."
        if count
        else ""
    )


def trial_rows(trials: Trials, metric: Metric) -> tuple[list[Spec], tuple[float, float]]:
    """Return a row for each trial and the scale of the metric.

    At the worse edge of the scale stand trials that were given up or failed, whose few folds cannot be held against the mean of
    all, and those much worse than half of the others.
    """
    known = [one["value"] for one in trials if one["state"] == COMPLETE]
    best = max(known) if metric.greater_is_better else min(known)
    reach = FAR * abs(median(known) - best) or abs(best) * 0.1 or 0.1
    bounds = bounds_of([value for value in known if abs(value - best) <= reach])
    inside = EDGE * (bounds[1] - bounds[0])
    worst = bounds[0] + inside if metric.greater_is_better else bounds[1] - inside
    rows: list[Spec] = []
    so_far: float | None = None
    for one in trials:
        value = one["value"] if one["state"] == COMPLETE else None
        if value is not None and (so_far is None or metric.better(value, so_far)):
            so_far = value
        kind = CHOSEN if one["best"] else one["state"]
        beyond = value is None or not bounds[0] <= value <= bounds[1]
        said = ", ".join(f"{name} {_text(found)}" for name, found in one["parameters"].items())
        rows.append(
            {
                **one["parameters"],
                "number": one["number"],
                "y": worst if beyond else value,
                "told": value,
                "folds": _folds(one),
                "beyond": beyond and value is not None,
                "best": so_far,
                "kind": kind,
                "state": f"{WORDS[kind]}: {one['reason']}" if one["reason"] else WORDS[kind],
                "parameters": said,
                "colour": MARKS[kind][0],
                "shape": MARKS[kind][1],
            }
        )
    return rows, bounds


def _folds(trial: Mapping[str, Any]) -> str:
    return ", ".join(number(fold) for fold in trial["folds"]) or "\u2013"


def trials_chart(rows: Sequence[Spec], bounds: tuple[float, float], metric: Metric, canvas: Canvas) -> Spec:
    """Return the metric of each trial, in order, under or over the line of the best so far."""
    height = 260 if canvas.name == "wide" else 190
    x = {**across((-0.5, len(rows) - 0.5), "trial", canvas), "field": "number"}
    place = {"x": x, "y": value_axis(bounds, "y")}
    line = [{**one, "y": one["best"]} for one in rows if one["best"] is not None]
    layers: list[Spec] = [
        {
            "data": data([{"number": one["number"], "y": one["y"]} for one in line]),
            "mark": {"type": "line", "interpolate": "step-after", "color": BLUE, "strokeWidth": 1.5, "opacity": 0.6},
            "encoding": place,
        },
        _dots(rows, place, metric),
        *end_labels([("best", line[-1]["y"] if line else None, GREEN)], bounds, height, canvas),
    ]
    return layered(canvas, height, layers, bottom=BOTTOM)


def _dots(rows: Sequence[Spec], place: Spec, metric: Metric) -> Spec:
    told = tips(
        ("number", "Trial"),
        ("told", metric.name),
        ("folds", "By fold"),
        ("state", "It was"),
        ("parameters", "Parameters"),
    )
    return {
        "data": data(list(rows)),
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.9},
        "encoding": {**place, "color": literal("colour"), "shape": literal("shape"), **told},
    }


def parameter_chart(
    rows: Sequence[Spec], name: str, scale: str, bounds: tuple[float, float], metric: Metric, canvas: Canvas
) -> Spec:
    """Return the metric of each trial over one parameter."""
    height = 170
    # chosen last, above the others
    kept = sorted((one for one in rows if name in one), key=lambda one: one["colour"] == GREEN)
    if scale == "choice":
        return _choices(kept, name, bounds, metric, canvas, height)
    values = [float(one[name]) for one in kept]
    low, high = min(values), max(values)
    if scale == "log":
        wide, kind = (low / 1.15, high * 1.15), {"type": "log"}
    else:
        wide, kind = bounds_of(values), {}
    x = {**across(wide, "", canvas), "field": "place"}
    x["scale"] = {**x["scale"], **kind}
    x["axis"] = {**x["axis"], "title": None, "labelExpr": "format(datum.value, '~g')", "labelFlush": False}
    if scale == "log":
        x["axis"]["values"] = _powers(*wide)
        del x["scale"]["zero"]
    place = {"x": x, "y": value_axis(bounds, "y")}
    dots = _dots([{**one, "place": float(one[name])} for one in kept], place, metric)
    return layered(canvas, height, [dots])


def _powers(low: float, high: float) -> list[float]:
    """Return few round numbers over a range of magnitudes."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(found) <= TICKS:
            break
    return found


def _choices(
    kept: Sequence[Spec], name: str, bounds: tuple[float, float], metric: Metric, canvas: Canvas, height: int
) -> Spec:
    """Return a column of dots for each value of a list, side by side."""
    found = list(dict.fromkeys(str(one[name]) for one in kept))
    step = canvas.plot / len(found)
    places = {value: (place + 0.5) * step for place, value in enumerate(sorted(found, key=_sorting))}
    rows = [{**one, "place": places[str(one[name])]} for one in kept]
    names: list[Spec] = [
        {"x": x, "label": shorten(value, max(3, canvas.letters(step - 4)))} for value, x in places.items()
    ]
    text = {"type": "text", "color": MUTED, "y": height + 14}
    layers: list[Spec] = [
        _dots(rows, {"x": pixels("place"), "y": value_axis(bounds, "y")}, metric),
        {"data": data(names), "mark": text, "encoding": {"x": pixels("x"), "text": {"field": "label"}}},
    ]
    return layered(canvas, height, layers)


def _sorting(value: str) -> tuple[int, float, str]:
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value


def _setting(name: str, value: Any) -> Html:
    return element("span", join([breakable(name), f" {_text(value)}"]), class_="line")


def trials_table(trials: Trials, metric: Metric) -> Html:
    """Return every trial, the best first."""
    turn = -1 if metric.greater_is_better else 1
    ranked = sorted(trials, key=lambda one: (one["value"] is None, turn * (one["value"] or 0.0), one["number"]))
    rows = [
        [
            str(one["number"]),
            number(one["value"]),
            _folds(one),
            join([_setting(name, value) for name, value in one["parameters"].items()], " "),
            WORDS[CHOSEN if one["best"] else one["state"]] + (f": {one['reason']}" if one["reason"] else ""),
            element("code", f"trial.{one['number']}"),
        ]
        for one in ranked
    ]
    heads = ["Trial", metric.name, "By fold", "Parameters", "It was", "Evidence"]
    return table(heads, rows, "plain cards", numeric=frozenset({1}))
