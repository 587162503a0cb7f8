"""The tables of an evaluation report: metrics beside their rivals, weak slices, worst predictions, groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.evidence import Estimate, Evaluation
from keepfit.spec.metric import COVERAGE, METRICS
from keepfit.stages.reports.page import Html, breakable, element, join, table
from keepfit.stages.reports.summary import number, percent, signed

FEATURES = 4
"""Features that are shown of a worst prediction: those that moved it most."""
WHOLE = 1e6
"""Whole numbers below it are written out."""
RATE_WORDS = {
    "selection_rate": "Called positive",
    "tpr": "True positive rate",
    "fpr": "False positive rate",
    "precision": "Precision",
    "accuracy": "Accuracy",
}


def main_rows(evaluation: Evaluation, share: float | None = None) -> tuple[list[str], list[list[Any]]]:
    """Return the main table as heads and rows: metric, value, low, high, baseline, each rival, and which is better.

    `share` is what an interval or a quantile declares: a coverage is best there.
    A value that is undefined, or was not measured by an earlier version, is NaN.
    """
    names = list(dict.fromkeys([evaluation.metric, *evaluation.metrics]))
    heads = ["metric", "value", "low", "high", "baseline", *(_rule(name) for name in evaluation.rivals), "better"]
    rows: list[list[Any]] = []
    for name in names:
        value, metric = evaluation.metrics.get(name, math.nan), METRICS.get(name)
        found = evaluation.intervals.get(name, Estimate(value, math.nan, math.nan, 0))
        if name == evaluation.metric:
            found = evaluation.estimate
        others = [evaluation.baseline.get(name, math.nan)]
        others += [metrics.get(name, math.nan) for metrics in evaluation.rivals.values()]
        better = (metric and metric.direction) or "-"
        if name == COVERAGE and share is not None:
            better = f"near {percent(share)}"
        rows.append([name, value, found.low, found.high, *others, better])
    return heads, rows


def _rule(name: str) -> str:
    return name.split(" (")[0]


def main_table(evaluation: Evaluation, share: float | None = None) -> Html:
    """Return every metric with its interval, the constant and the rules beside it; the best of a row is marked."""
    _, rows = main_rows(evaluation, share)
    rivals = [_rule(name).capitalize() for name in evaluation.rivals]
    heads = ["Metric", "Model", "90% interval", "Constant", *rivals, "Better is", "Evidence"]
    body = []
    for name, value, low, high, *others, better in rows:
        metric = METRICS.get(name)
        label = element("strong", name) if name == evaluation.metric else name
        cells = [
            element("span", number(one), class_="missed") if metric and metric.better(one, value) else number(one)
            for one in others
        ]
        interval = f"{number(low)} to {number(high)}" if math.isfinite(low) else "\u2013"
        body.append([label, number(value), interval, *cells, better, element("code", f"test.{name}")])
    return _scroll(table(heads, body, "plain", numeric=frozenset(range(1, 4 + len(rivals)))))


def slices_table(found: Mapping[str, Any]) -> Html:
    """Return the weak slices: the conditions, how many rows, the loss inside and outside, and how sure that is."""
    rows = [
        [
            join([breakable(one) for one in slice_["conditions"]], " and "),
            f"{slice_['rows']:,}",
            number(slice_["loss"]),
            number(slice_["elsewhere"]),
            signed(slice_["effect"]),
            _p(slice_["p_value"]),
            element("code", f"slice.{place}"),
        ]
        for place, slice_ in enumerate(found["found"], 1)
    ]
    heads = ["Where", "Rows", f"Mean {found['loss']}", "Elsewhere", "Worse by", "p, corrected", "Evidence"]
    return table(heads, rows, "plain cards", numeric=frozenset({1, 2, 3, 4, 5}))


def _p(value: float) -> str:
    return "under 0.0001" if value < 0.0001 else f"{value:.4f}"


def labels_table(rows: Sequence[Mapping[str, Any]]) -> Html:
    """Return how well each label is called, and told from the others."""
    body = [
        [
            one["label"],
            f"{one['rows']:,}",
            f"{one['called']:,}",
            *(number(one[rate]) for rate in ("precision", "recall", "f1", "auc")),
            element("code", f"label.{one['label']}.recall"),
        ]
        for one in rows
    ]
    heads = ["Label", "Rows", "Called", "Precision", "Recall", "f1", "auc", "Evidence"]
    return _scroll(table(heads, body, "plain", numeric=frozenset(range(1, 7))))


def worst_table(worst: Sequence[Mapping[str, Any]], loss: str) -> Html:
    """Return the worst predictions, each with the features that moved it most and what they added."""
    rows = [
        [
            breakable(one["entity"]),
            element("time", one["t_at"][:16].removesuffix("T00:00").replace("T", " ")),
            one["actual"] if isinstance(one["actual"], str) else _plain(one["actual"]),
            one["predicted"] if isinstance(one["predicted"], str) else number(one["predicted"]),
            number(one["loss"]),
            _moved(one),
        ]
        for one in worst
    ]
    heads = ["Entity", "At (UTC)", "Actual", "Predicted", loss.capitalize(), "What moved it most"]
    return table(heads, rows, "plain cards", numeric=frozenset({2, 3, 4}))


def _moved(one: Mapping[str, Any]) -> Html:
    added: Mapping[str, float] = one["contributions"]
    names = sorted(added, key=lambda name: -abs(added[name]))[:FEATURES] or list(one["features"])[:FEATURES]
    parts = []
    for name in names:
        told = f" ({signed(added[name])})" if name in added else ""
        value = one["features"][name]
        shown = value if isinstance(value, str) else "null" if value is None else _plain(value)
        parts.append(element("span", join([breakable(name), f" {shown}{told}"]), class_="line"))
    return join(parts, " ")


def _plain(value: float) -> str:
    """Return a value of the data: a whole number without zeros behind a point."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < WHOLE else number(value)


def fairness_table(groups: Mapping[str, Mapping[str, Any]]) -> Html:
    """Return the rates of each group with their intervals."""
    rows = [
        [group, f"{rates['rows']:,}", *(_interval(rates[rate]) for rate in ("selection_rate", "tpr", "fpr"))]
        for group, rates in groups.items()
    ]
    heads = ["Group", "Rows", *(RATE_WORDS[rate] for rate in ("selection_rate", "tpr", "fpr"))]
    return _scroll(table(heads, rows, "plain", numeric=frozenset({1, 2, 3, 4})))


def gaps_table(column: str, gaps: Mapping[str, Mapping[str, Any]]) -> Html:
    """Return the widest gaps between groups."""
    rows = [[RATE_WORDS[rate], _interval(one), element("code", f"gap.{column}.{rate}")] for rate, one in gaps.items()]
    return _scroll(
        table(["Gap between groups", "Highest less lowest", "Evidence"], rows, "plain slim", numeric=frozenset({1}))
    )


def _interval(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "\u2013"
    return f"{number(one['value'])} ({number(one['low'])} to {number(one['high'])})"


def importance_table(rows: Sequence[Mapping[str, Any]], metric: str) -> Html:
    """Return what each feature adds and what is lost without it."""
    body = [
        [
            breakable(one["feature"]),
            number(one["contribution"]),
            signed(one["permutation"]),
            number(one["spread"]),
        ]
        for one in rows
    ]
    heads = ["Feature", "Mean |contribution|", f"{metric} lost if shuffled", "Spread"]
    return _scroll(table(heads, body, "plain", numeric=frozenset({1, 2, 3})))


def _scroll(found: Html) -> Html:
    """Return a table that scrolls by itself where it is wider than the page."""
    return element("div", found, class_="scroll")
