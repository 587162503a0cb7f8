"""Why a version says what it says, in pictures: how much each feature matters, and what it adds over its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.evidence import Evaluation
from keepfit.spec.model import CLASSIFICATION, MULTICLASS
from keepfit.stages.reports import curves
from keepfit.stages.reports import evaluation_tables as tables
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.summary import plural
from keepfit.stages.reports.swarm import signs, swarm_chart

MOST_BARS = 15
# of contributions; of a regression, the unit of the target if it has one
UNITS = {CLASSIFICATION: "log-odds", MULTICLASS: "the score of the label called, before it is made a probability"}


def importance(show: Figures, evaluation: Evaluation, found: Mapping[str, Any]) -> Html:
    """Return how much each feature matters, as bars and in numbers."""
    rows: Sequence[Mapping[str, Any]] = found["importance"]
    told = bool(rows) and rows[0]["contribution"] is not None
    by = "contribution" if told else "permutation"
    shown = [(one["feature"], one[by] or 0.0) for one in rows[:MOST_BARS]]
    unit = _unit(evaluation, found)
    read = f"Mean |contribution| in {unit}" if told else f"{evaluation.metric} lost if the feature is shuffled"
    read += f", over {plural(found['sampled'][by + ('s' if told else '')], 'test row')}."
    says = f"{shown[0][0]} matters most, then {shown[1][0]}" if len(shown) > 1 else shown[0][0]
    drawn = show("importance", "Importance", says, read, lambda canvas: curves.importance_chart(shown, canvas))
    table = tables.importance_table(rows, evaluation.metric)
    return element("div", drawn, element("details", element("summary", "The numbers"), table))


def _unit(evaluation: Evaluation, found: Mapping[str, Any]) -> str:
    """Return what contributions are measured in."""
    return UNITS.get(evaluation.task) or found.get("unit") or "the target's unit"


def summary(show: Figures, evaluation: Evaluation, found: Mapping[str, Any]) -> list[Html]:
    """Return what the features that matter most added to each row; nothing without contributions."""
    features = {name: dots for name, dots in found.get("summary", {}).items() if dots}
    if not features:
        return []
    says = "What each feature added, and whether its value was high or low"
    read = f"Across: what a feature added to a prediction, in {_unit(evaluation, found)}."
    read += " A dot is a test row, drawn evenly; its colour is the third of the rows that its value lies in."
    chart = ("summary", "Contributions", says, read)
    return [show(*chart, lambda canvas: swarm_chart(features, canvas), signs())]


def dependence(show: Figures, evaluation: Evaluation, found: Mapping[str, Any]) -> list[Html]:
    """Return what the features that matter most add over their values, side by side; nothing without contributions."""
    unit = _unit(evaluation, found)
    charts = [
        (f"dependence-{place}", name, lambda canvas, points=points: curves.dependence_chart(points, canvas))  # type: ignore[misc]
        for place, (name, points) in enumerate(found["dependence"].items())
        if len(points) > 1
    ]
    if not charts:
        return []
    says = "How the prediction moves with the features that matter most"
    read = f"Up: what a feature added to a prediction, in {unit}. Across: its value. A dot is a test row, drawn evenly."
    return [show.cards("Dependence", says, read, charts)]
