"""The figures of an evaluation report: curves of the task, and what is worse where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keepfit.evidence import Evaluation
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.stages.reports import curves, page
from keepfit.stages.reports import evaluation_tables as tables
from keepfit.stages.reports.canvas import Canvas, Spec, pictures_of
from keepfit.stages.reports.confusion import confusion_chart
from keepfit.stages.reports.page import Html
from keepfit.stages.reports.palette import BLUE, GREEN
from keepfit.stages.reports.summary import number, plural

PARTS = {"hour": "Hour (UTC)", "weekday": "Weekday", "month": "Month", "tenth": "Tenth of the prediction"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def figure(name: str, kind: str, says: str, read: str, draw: Callable[[Canvas], Spec], alt: str | None = None) -> Html:
    """Return a picture for both canvases with its headline and how it is read."""
    return page.figure(kind, says, read, pictures_of(name, alt or f"{kind}: {says}.", draw))


def curve_figures(evaluation: Evaluation, found: Mapping[str, Any]) -> list[Html]:
    """Return the curves of the task as figures."""
    kinds = found["curves"]
    if evaluation.task == MULTICLASS:
        return _labelled(evaluation, kinds)
    return _classified(evaluation, kinds) if evaluation.task == CLASSIFICATION else _regressed(evaluation, kinds)


def _labelled(evaluation: Evaluation, kinds: Mapping[str, Any]) -> list[Html]:
    rows = kinds["labels"]
    known = [one for one in rows if one["recall"] is not None]
    worst = min(known, key=lambda one: one["recall"])
    says = f"Of the rows that were {worst['label']}, {number(worst['recall'])} are called so; it is the least of all labels"
    return [
        figure(
            "confusion", "Confusion", f"accuracy {number(evaluation.metrics.get('accuracy'))}",
            "Down: what rows were. Across: what they were called, with the share of the row.",
            lambda canvas: confusion_chart(kinds["confusion"], canvas),
        ),
        page.section("Labels", says, tables.labels_table(rows)),
    ]  # fmt: skip


def _classified(evaluation: Evaluation, kinds: Mapping[str, Any]) -> list[Html]:
    metrics = evaluation.metrics
    base = evaluation.baseline.get("pr_auc", 0.0)
    blind = [(0.0, 0.0), (1.0, 1.0)]
    called, precision = "share of all rows, highest scores first", "recall: share of the positives that are found"
    return [
        figure(
            "roc", "ROC", f"auc {number(metrics.get('auc'))}",
            "Up: share of the positives that are found. Dashed: a blind guess.",
            lambda canvas: curves.curve_chart(
                kinds["roc"], blind, "share of the negatives called positive", ("model", "blind"), canvas
            ),
        ),
        figure(
            "pr", "Precision and recall", f"pr_auc {number(metrics.get('pr_auc'))}",
            "Up: precision, the share of the rows called positive that are. Dashed: the rate of positives.",
            lambda canvas: curves.curve_chart(
                kinds["pr"], [(0.0, base), (1.0, base)], precision, ("model", "all called"), canvas
            ),
        ),
        figure(
            "gain", "Gain and lift", _lift_says(metrics),
            "Up: share of the positives found among the rows that score highest. Lift is up over across.",
            lambda canvas: curves.curve_chart(kinds["gain"], blind, called, ("model", "blind"), canvas),
        ),
        figure(
            "calibration", "Calibration", f"ece {number(metrics.get('ece'))}: mean gap between score and rate",
            "Up: share of positives in each tenth of the rows by score, with its 90% interval (Wilson).",
            lambda canvas: curves.calibration_chart(kinds["calibration"], canvas),
        ),
    ]  # fmt: skip


def _lift_says(metrics: Mapping[str, float]) -> str:
    gain, lift = number(metrics.get("gain_10")), number(metrics.get("lift_10"))
    return f"The highest tenth holds {gain} of the positives, {lift} times as many as by chance"


def _regressed(evaluation: Evaluation, kinds: Mapping[str, Any]) -> list[Html]:
    metrics = evaluation.metrics
    low, high = kinds["residuals"][0]["from"], kinds["residuals"][-1]["to"]
    band = kinds.get("band", ())
    return [
        figure(
            "fit", "Predicted and actual", _fit_says(metrics),
            f"Up: what happened. {plural(len(kinds['fit']), 'row')} drawn evenly. Dashed: an exact prediction."
            + (" Between the lines: the mean interval, by tenth of the prediction." if band else ""),
            lambda canvas: curves.fit_chart(kinds["fit"], canvas, band),
        ),
        figure(
            "residuals", "Errors", f"99 of 100 errors lie between {number(low)} and {number(high)}",
            "Rows by predicted less actual; the outermost bars hold what lies beyond.",
            lambda canvas: curves.residuals_chart(kinds["residuals"], canvas),
        ),
        figure(
            "spread", "Errors over predictions", "Median error and nine in ten, by tenth of the prediction",
            "Up: predicted less actual. A dot off the dashed line is a bias at predictions of that size.",
            lambda canvas: curves.spread_chart(kinds["spread"], canvas),
        ),
        *_coverage(metrics, kinds),
    ]  # fmt: skip


def _fit_says(metrics: Mapping[str, float]) -> str:
    if "r2" not in metrics:
        return f"{number(metrics.get('coverage'))} of the rows stay below what is predicted"
    said = f"r2 {number(metrics['r2'])}, rmse {number(metrics.get('rmse'))}"
    if "width" in metrics:
        said += f"; intervals hold {number(metrics['coverage'])} of the rows, mean width {number(metrics['width'])}"
    return said


def _coverage(metrics: Mapping[str, float], kinds: Mapping[str, Any]) -> list[Html]:
    """Return how often intervals hold, by tenth of the prediction, part of the calendar and category."""
    drawn: list[Html] = []
    for key, points in kinds.items():
        if key.startswith("coverage_by_"):
            part, overall = key.removeprefix("coverage_by_"), metrics["coverage"]
            named = _named(part, points)
            least = min(named, key=lambda one: one["y"])
            drawn.append(
                figure(
                    key, f"Coverage by {PARTS.get(part, part)}",
                    f"Least at {least['label']}: {number(least['y'])}, overall {number(overall)}",
                    "Share of the rows within their interval, with its 90% interval (Wilson).",
                    lambda canvas, named=named, overall=overall: curves.parts_chart(named, overall, GREEN, canvas),  # type: ignore[misc]
                )
            )  # fmt: skip
    return drawn


def _named(part: str, points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "label": DAYS[int(one["label"])] if part == "weekday" else one["label"]} for one in points]


def errors(found: Mapping[str, Any]) -> list[Html]:
    """Return the mean loss by part of the calendar and by category as figures."""
    drawn: list[Html] = []
    for key, points in found["curves"].items():
        if not key.startswith("error_by_"):
            continue
        part = key.removeprefix("error_by_")
        named = _named(part, points)
        overall = sum(one["y"] * one["rows"] for one in points) / sum(one["rows"] for one in points)
        worst = max(named, key=lambda one: one["y"])
        says = f"Worst at {worst['label']}: mean {found['loss']} {number(worst['y'])}, overall {number(overall)}"
        read = f"Mean {found['loss']} with its 90% interval; lower is better."
        drawn.append(
            figure(
                key, f"Error by {PARTS.get(part, part)}", says, read,
                lambda canvas, named=named, overall=overall: curves.parts_chart(named, overall, BLUE, canvas),  # type: ignore[misc]
            )
        )  # fmt: skip
    return drawn
