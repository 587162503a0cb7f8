"""How a version was grown, in pictures: its metric at earlier origins, its loss by round, how fewer rows do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from keepfit import clock
from keepfit.evidence import Evaluation
from keepfit.spec.metric import METRICS
from keepfit.stages.reports.canvas import (
    DAY_MS,
    Canvas,
    Span,
    Spec,
    bounds_of,
    data,
    layered,
    literal,
    pixels,
    tips,
    value_axis,
)
from keepfit.stages.reports.curves import BOTTOM, across
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.marks import end_labels
from keepfit.stages.reports.page import Html, element, table
from keepfit.stages.reports.palette import BLUE, GREEN, INK, MUTED
from keepfit.stages.reports.summary import moment_text, number, plural

MONTHS_MS = 150 * DAY_MS
POINTS = 200
"""Rounds that a picture shows at most."""
Rows = Sequence[Mapping[str, Any]]


def folds(show: Figures, evaluation: Evaluation) -> list[Html]:
    """Return the metric at earlier origins and on the test; nothing if there was no backtest."""
    rows = fold_rows(evaluation)
    if len(rows) < 2:
        return []
    name, values = evaluation.metric, [one["value"] for one in rows[:-1] if one["value"] is not None]
    spread = f" \u00b1 {number(stdev(values))}" if len(values) > 1 else ""
    mean = number(fmean(values)) if values else "undefined"
    says = f"{name} {mean}{spread} at {plural(len(rows) - 1, 'earlier origin')}, {number(evaluation.estimate.value)} on the test"
    read = (
        f"Up: {name}. Each dot is the same training at an earlier origin, judged on the rows that came next; the bar is their"
        " time. The last is the test, with its 90% interval. Dashed: the constant that was learnt there."
    )
    drawn = show("folds", "Over time", says, read, lambda canvas: folds_chart(rows, name, canvas))
    body = [
        [one["label"], one["when"], f"{one['rows']:,}", number(one["value"]), number(one["baseline"]), one["id"]]
        for one in rows
    ]
    heads = ["Origin", "Judged on", "Rows", name, "Constant", "Evidence"]
    numbers = element("div", table(heads, body, "plain", numeric=frozenset({2, 3, 4})), class_="scroll")
    return [element("div", drawn, element("details", element("summary", "The numbers"), numbers))]


def fold_rows(evaluation: Evaluation) -> list[Spec]:
    """Return a row for each fold, the oldest first, and the test as the last."""
    name, one = evaluation.metric, evaluation.estimate
    folds = [
        _fold_row(f"fold {place}", f"fold.{place}.{name}", fold.from_at, fold.to_at, fold.rows, fold.metrics, fold.baseline, name)
        for place, fold in enumerate(evaluation.folds, 1)
    ]  # fmt: skip
    test = _fold_row(
        "test", f"test.{name}", evaluation.test_from_at, evaluation.test_to_at, evaluation.rows.get("test", one.rows),
        {name: one.value}, evaluation.baseline, name,
    )  # fmt: skip
    return [*folds, {**test, "low": _known(one.low), "high": _known(one.high)}]


def _fold_row(
    label: str, id_: str, from_at: int, to_at: int, rows: int,
    metrics: Mapping[str, float], baseline: Mapping[str, float], name: str,
) -> Spec:  # fmt: skip
    first, last = moment_text(from_at), moment_text(to_at)
    return {
        "label": label,
        "id": id_,
        "from": from_at // 1000,
        "to": to_at // 1000,
        "at": (from_at + to_at) // 2000,
        "when": first if first == last else f"{first} to {last}",
        "rows": rows,
        "value": _known(metrics.get(name, math.nan)),
        "baseline": _known(baseline.get(name, math.nan)),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def folds_chart(rows: Sequence[Spec], name: str, canvas: Canvas) -> Spec:
    """Return a metric over the time of the rows it was measured on, the test last, above or below the constant."""
    height = 260 if canvas.name == "wide" else 190
    span = Span.over([one["at"] * 1000 for one in rows], [rows[0]["from"] * 1000, rows[-1]["to"] * 1000])
    parts = ("value", "baseline", "low", "high")
    bounds = bounds_of([one[part] for one in rows for part in parts if one.get(part) is not None])
    shown: list[Spec] = [
        {**one, "colour": GREEN if one["label"] == "test" else BLUE}
        | {end: span.pixel(one[end] * 1000, canvas) for end in ("from", "to", "at")}
        for one in rows
    ]
    value = {"x": pixels("at"), "y": value_axis(bounds)}
    told = tips(
        ("label", "Origin"), ("when", "Judged on"), ("rows", "Rows"), ("value", name), ("baseline", "Constant"),
    )  # fmt: skip
    thin = {"type": "line", "strokeWidth": 1.5, "strokeJoin": "round"}
    names = [("test", shown[-1]["value"], GREEN), ("constant", shown[-1]["baseline"], MUTED)]
    layers: list[Spec] = [
        {
            "data": data([{**one, "value": one["baseline"]} for one in shown]),
            "mark": {**thin, "color": MUTED, "strokeDash": [4, 4]},
            "encoding": value,
        },
        {"data": data(shown), "mark": {**thin, "color": BLUE, "opacity": 0.6}, "encoding": value},
        {
            "data": data(shown),
            "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.3},
            "encoding": {**value, "x": pixels("from"), "x2": {"field": "to"}, "color": literal("colour")},
        },
        {
            "data": data([one for one in shown if one.get("low") is not None]),
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.4, "color": GREEN},
            "encoding": {**value, "y": {**value_axis(bounds), "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": data(shown),
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
            "encoding": {**value, "color": literal("colour"), **told},
        },
        {
            "data": data(_dates(span, canvas)),
            "mark": {"type": "text", "color": MUTED, "y": height + 16},
            "encoding": {"x": pixels("at"), "text": {"field": "label"}},
        },
        *end_labels(names, bounds, height, canvas),
    ]
    return layered(canvas, height, layers)


def _dates(span: Span, canvas: Canvas) -> list[Spec]:
    form = "%b %Y" if span.end - span.start > MONTHS_MS else "%d %b %Y"
    return [
        {"at": span.pixel(at * 1000, canvas), "label": f"{clock.from_micros(at * 1000):{form}}"}
        for at in span.ticks(canvas)
    ]


def history(show: Figures, found: Mapping[str, Any] | None) -> list[Html]:
    """Return the loss by round; nothing if the estimator does not tell, or did not stop early."""
    if not found or len(found["validation"]) < 2:
        return []
    kept, rounds, metric = found["kept"], len(found["validation"]), found["metric"]
    ends = f"{metric} {number(found['train'][kept - 1])} on train rows, {number(found['validation'][kept - 1])} on validation rows"
    more = "; it was still getting better when rounds ran out: allow more" if kept == rounds else ""
    says = f"{plural(kept, 'round')} kept: {ends}{more}"
    read = (
        f"Up: {metric} after each round of boosting. It stopped after {plural(rounds, 'round')}, and keeps those up to the best on"
        " the validation rows, which are later than all train rows. A widening gap is overfitting, or a world that changes."
    )
    return [show("history", "Rounds", says, read, lambda canvas: history_chart(found, canvas))]


def history_chart(found: Mapping[str, Any], canvas: Canvas) -> Spec:
    """Return the loss on train and on validation rows by round, with a rule at the last round that is kept."""
    height, kept, rounds = 260 if canvas.name == "wide" else 190, found["kept"], len(found["validation"])
    step = max(1, math.ceil(rounds / POINTS))
    places = sorted({*range(0, rounds, step), kept - 1, rounds - 1})
    sides = {"train": GREEN, "validation": BLUE}
    lines: dict[str, list[Spec]] = {
        side: [
            {"x": place + 1, "y": found[side][place]} | {one: found[one][place] for one in sides} for place in places
        ]
        for side in sides
    }
    bounds = bounds_of([one["y"] for rows in lines.values() for one in rows if one["y"] is not None])
    place = {"x": across((1, max(rounds, 2)), "round", canvas), "y": value_axis(bounds, "y")}
    told = tips(("x", "Round"), *((side, f"{found['metric']} on {side} rows") for side in sides))
    rule = {"type": "rule", "color": INK, "strokeDash": [2, 3], "y": 0, "y2": height}
    left = kept > 0.8 * rounds
    text = {"type": "text", "align": "right" if left else "left", "dx": -6 if left else 6, "y": 9, "color": INK}
    stop: list[Spec] = [{"x": kept, "label": f"{kept} kept"}]
    ends = [(side, rows[-1]["y"], sides[side]) for side, rows in lines.items()]
    layers: list[Spec] = [
        *(
            {
                "data": data(rows),
                "mark": {"type": "line", "color": sides[side], "strokeWidth": 2, "strokeJoin": "round"},
                "encoding": {**place, "order": {"field": "x"}, **told},
            }
            for side, rows in lines.items()
        ),
        {"data": data(stop), "mark": rule, "encoding": {"x": place["x"]}},
        {"data": data(stop), "mark": text, "encoding": {"x": place["x"], "text": {"field": "label"}}},
        *end_labels(ends, bounds, height, canvas),
    ]
    return layered(canvas, height, layers, bottom=BOTTOM, zooms=True)


def learning_curve(show: Figures, found: Rows, metric: str) -> list[Html]:
    """Return the metric by how many of the newest rows are learnt from; nothing if it was not asked for."""
    if len(found) < 2:
        return []
    read = (
        f"Up: {metric} on the test rows, with its 90% interval, of the same training on the newest part of the train rows."
        " A line that still climbs at its right end promises more from a longer history."
    )
    if not METRICS[metric].greater_is_better:
        read = read.replace("climbs", "falls")
    says = learning_says(found, metric)
    return [show("learning", "Learning curve", says, read, lambda canvas: learning_chart(found, metric, canvas))]


def learning_says(found: Rows, metric: str) -> str:
    """Return what the model is worth without the older part of its history, and with it."""
    before, last = found[-2], found[-1]
    values = number(before["estimate"]["value"]), number(last["estimate"]["value"])
    return f"{metric} {values[0]} from the newest {before['rows'] / last['rows']:.0%} of the train rows, {values[1]} from all"


def learning_chart(found: Rows, metric: str, canvas: Canvas) -> Spec:
    """Return a metric with its interval by the number of train rows."""
    height = 240 if canvas.name == "wide" else 180
    rows: list[Spec] = [
        {"x": one["rows"], "rows": one["rows"], "label": f"{one['share']:.0%} of the rows, from {one['from_at'][:10]}"}
        | {"y": one["estimate"]["value"], "low": one["estimate"]["low"], "high": one["estimate"]["high"]}
        for one in found
    ]
    seen = [row[part] for row in rows for part in ("y", "low", "high") if row[part] is not None]
    bounds, most = bounds_of(seen), rows[-1]["x"]
    x = across((0, most * 1.03), "train rows, the newest", canvas)
    x["axis"]["labelExpr"] = "format(datum.value, '~s')"
    place = {"x": x, "y": value_axis(bounds, "y")}
    told = tips(("label", "Train rows"), ("rows", "Rows"), ("y", metric), ("low", "Low"), ("high", "High"))
    layers: list[Spec] = [
        {
            "data": data(rows),
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.4, "color": BLUE},
            "encoding": {**place, "y": value_axis(bounds, "low"), "y2": {"field": "high"}},
        },
        {
            "data": data(rows),
            "mark": {"type": "line", "color": BLUE, "strokeWidth": 1.5, "opacity": 0.6},
            "encoding": {**place, "order": {"field": "x"}},
        },
        {
            "data": data(rows),
            "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1, "color": BLUE},
            "encoding": {**place, **told},
        },
        *end_labels([(metric, rows[-1]["y"], BLUE)], bounds, height, canvas),
    ]
    return layered(canvas, height, layers, bottom=BOTTOM)
