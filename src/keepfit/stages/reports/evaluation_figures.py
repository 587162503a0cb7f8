"""The figures of an evaluation report: curves of the task, and what is worse where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from keepfit.evidence import Estimate, Evaluation
from keepfit.spec.metric import COVERAGE
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.stages.reports import curves, page, regression
from keepfit.stages.reports import evaluation_tables as tables
from keepfit.stages.reports.canvas import Draw
from keepfit.stages.reports.confusion import confusion_chart
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.page import Html
from keepfit.stages.reports.palette import BLUE, GREEN
from keepfit.stages.reports.summary import number, percent, plural

PARTS = {"hour": "hour (UTC)", "tenth": "tenth of the prediction"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def curve_figures(show: Figures, evaluation: Evaluation, found: Mapping[str, Any]) -> list[Html]:
    """Return the curves of the task as figures."""
    kinds = found["curves"]
    if evaluation.task == MULTICLASS:
        return _labelled(show, evaluation, kinds)
    if evaluation.task == CLASSIFICATION:
        return _classified(show, evaluation, kinds)
    return _regressed(show, evaluation, kinds, found.get("unit"), found.get("share"))


def _labelled(show: Figures, evaluation: Evaluation, kinds: Mapping[str, Any]) -> list[Html]:
    rows = kinds["labels"]
    known = [one for one in rows if one["recall"] is not None]
    worst = min(known, key=lambda one: one["recall"])
    says = f"Of the rows that were {worst['label']}, {number(worst['recall'])} are called so; it is the least of all labels"
    return [
        show(
            "confusion", "Confusion", f"accuracy {number(evaluation.metrics.get('accuracy'))}",
            "Down: what rows were. Across: what they were called, with the share of the row.",
            lambda canvas: confusion_chart(kinds["confusion"], canvas),
        ),
        page.section("Labels", says, tables.labels_table(rows)),
    ]  # fmt: skip


def _classified(show: Figures, evaluation: Evaluation, kinds: Mapping[str, Any]) -> list[Html]:
    metrics = evaluation.metrics
    base = evaluation.baseline.get("pr_auc", 0.0)
    blind = [(0.0, 0.0), (1.0, 1.0)]
    called, precision = "share of all rows, highest scores first", "recall: share of the positives that are found"
    return [
        show(
            "roc", "ROC", f"auc {number(metrics.get('auc'))}",
            "Up: share of the positives that are found. Dashed: a blind guess.",
            lambda canvas: curves.curve_chart(
                kinds["roc"], blind, "share of the negatives called positive", ("model", "blind"), canvas
            ),
        ),
        show(
            "pr", "Precision and recall", f"pr_auc {number(metrics.get('pr_auc'))}",
            "Up: precision, the share of the rows called positive that are. Dashed: the rate of positives.",
            lambda canvas: curves.curve_chart(
                kinds["pr"], [(0.0, base), (1.0, base)], precision, ("model", "all called"), canvas
            ),
        ),
        show(
            "gain", "Gain and lift", _lift_says(metrics),
            "Up: share of the positives found among the rows that score highest. Lift is up over across.",
            lambda canvas: curves.curve_chart(kinds["gain"], blind, called, ("model", "blind"), canvas),
        ),
        show(
            "calibration", "Calibration", f"ece {number(metrics.get('ece'))}: mean gap between score and rate",
            "Up: share of positives in each tenth of the rows by score, with its 90% interval (Wilson).",
            lambda canvas: curves.calibration_chart(kinds["calibration"], canvas),
        ),
    ]  # fmt: skip


def _lift_says(metrics: Mapping[str, float]) -> str:
    gain, lift = metrics.get("gain_10", math.nan), metrics.get("lift_10", math.nan)
    return f"The highest tenth holds {gain:.0%} of the positives, {lift:.1f} times as many as by chance"


def _regressed(
    show: Figures, evaluation: Evaluation, kinds: Mapping[str, Any], unit: str | None, share: float | None
) -> list[Html]:
    low, high = kinds["residuals"][0]["from"], kinds["residuals"][-1]["to"]
    band = kinds.get("band", ())
    return [
        show(
            "fit", "Predicted and actual", _fit_says(evaluation, share),
            f"Up: what happened. {plural(len(kinds['fit']), 'row')} drawn evenly. Dashed: an exact prediction."
            + (" Between the lines: the mean interval, by tenth of the prediction." if band else ""),
            lambda canvas: regression.fit_chart(kinds["fit"], canvas, band, unit),
        ),
        show(
            "residuals", "Errors", f"99 of 100 errors lie between {number(low)} and {number(high)}{f' {unit}' if unit else ''}",
            "Rows by predicted less actual; the outermost bars hold what lies beyond.",
            lambda canvas: regression.residuals_chart(kinds["residuals"], canvas, unit),
        ),
        show(
            "spread", "Errors over predictions", "Median error and nine in ten, by tenth of the prediction",
            "Up: predicted less actual. A dot off the dashed line is a bias at predictions of that size.",
            lambda canvas: regression.spread_chart(kinds["spread"], canvas, unit),
        ),
        *_coverage(show, evaluation, kinds, share),
    ]  # fmt: skip


def _fit_says(evaluation: Evaluation, share: float | None) -> str:
    metrics = evaluation.metrics
    if "r2" not in metrics:
        return f"Rows that stay below what is predicted: {_held(evaluation, share)}"
    said = f"r2 {number(metrics['r2'])}, rmse {number(metrics.get('rmse'))}"
    if "width" in metrics:
        said += f"; rows within their interval: {_held(evaluation, share)}, mean width {number(metrics['width'])}"
    return said


def _held(evaluation: Evaluation, share: float | None) -> str:
    """Return the share that is declared, if the version tells, beside the one that was measured and its interval."""
    value = evaluation.metrics.get(COVERAGE, math.nan)
    one = evaluation.intervals.get(COVERAGE, Estimate(value, math.nan, math.nan, 0))
    sure = f" (90% interval {percent(one.low)} to {percent(one.high)})" if math.isfinite(one.low) else ""
    declared = "" if share is None else f"declared {percent(share)}, "
    return f"{declared}measured {percent(value)}{sure}"


def _coverage(show: Figures, evaluation: Evaluation, kinds: Mapping[str, Any], share: float | None) -> list[Html]:
    """Return how often intervals hold, by tenth of the prediction, part of the calendar and category."""
    drawn: list[Html] = []
    for key, points in kinds.items():
        if key.startswith("coverage_by_"):
            part, measured = key.removeprefix("coverage_by_"), evaluation.metrics[COVERAGE]
            line, rule = (measured, "") if share is None else (share, f"declared {percent(share)}")
            draw: Draw = partial(curves.parts_chart, _named(part, points), line, GREEN, rule=rule)
            named = _named(part, points)
            least = min(named, key=lambda one: one["y"])
            drawn.append(
                show(
                    key, f"Coverage by {PARTS.get(part, part)}",
                    f"{_held(evaluation, share).capitalize()}; least at {_place(part, least['label'])}: {percent(least['y'])}",
                    "Share of the rows within their interval, with its 90% interval (Wilson)."
                    + (" Dashed: the declared share." if rule else ""),
                    draw,
                )
            )  # fmt: skip
    return drawn


def _named(part: str, points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "label": _label(part, one["label"])} for one in points]


def _label(part: str, label: str) -> str:
    if part == "weekday":
        return DAYS[int(label)]
    if part == "hour":
        return f"{int(label):02d}"
    return MONTHS[int(label) - 1] if part == "month" else label


def _place(part: str, label: str) -> str:
    return f"{label}:00" if part == "hour" else label


def errors(show: Figures, found: Mapping[str, Any]) -> list[Html]:
    """Return the mean loss by part of the calendar and by category as figures."""
    drawn: list[Html] = []
    for key, points in found["curves"].items():
        if not key.startswith("error_by_"):
            continue
        part = key.removeprefix("error_by_")
        named = _named(part, points)
        overall = sum(one["y"] * one["rows"] for one in points) / sum(one["rows"] for one in points)
        worst = max(named, key=lambda one: one["y"])
        says = f"Worst at {_place(part, worst['label'])}: mean {found['loss']} {number(worst['y'])}, overall {number(overall)}"
        read = f"Mean {found['loss']} with its 90% interval; lower is better."
        drawn.append(
            show(
                key, f"Error by {PARTS.get(part, part)}", says, read,
                lambda canvas, named=named, overall=overall: curves.parts_chart(named, overall, BLUE, canvas),  # type: ignore[misc]
            )
        )  # fmt: skip
    return drawn
