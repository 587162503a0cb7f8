"""The evaluation page is one safe file that shows every part for both tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from keepfit.evidence import Estimate, Evaluation
from keepfit.stages.reports import curves, regression, swarm
from keepfit.stages.reports.canvas import NARROW, WIDE, Canvas
from keepfit.stages.reports.evaluation import evaluation_page

LINE = [{"x": 0.0, "y": 0.0}, {"x": 0.4, "y": 0.7}, {"x": 1.0, "y": 1.0}]
RANGE = [
    {"x": 0.1, "y": 0.1, "low": 0.05, "high": 0.2, "rows": 9},
    {"x": 0.7, "y": 0.6, "low": 0.5, "high": 0.8, "rows": 9},
]
PARTS = [
    {"label": "0", "y": 0.2, "low": 0.1, "high": 0.3, "rows": 9},
    {"label": "5", "y": 0.4, "low": None, "high": None, "rows": 1},
]
RATE = {"value": 0.5, "low": 0.4, "high": 0.6, "rows": 40}
RATES = dict.fromkeys(("selection_rate", "tpr", "fpr", "precision", "accuracy"), RATE)
SLICE = {
    "conditions": ["age <= 30", "segment is <b>"],
    "rows": 40,
    "loss": 0.9,
    "elsewhere": 0.2,
    "effect": 0.7,
    "p_value": 0.001,
}
WORST = {
    "entity": "<script>alert(1)</script>",
    "t_at": "2025-06-01T12:00:00Z",
    "actual": 1.0,
    "predicted": 0.1,
    "loss": 2.3,
    "features": {"age": None, "segment": "b"},
    "contributions": {"age": -1.2, "segment": 0.1},
}
SWARM = [
    {"x": 30.0, "y": 0.4, "share": 0.9},
    {"x": None, "y": -0.1, "share": None},
    {"x": 20.0, "y": 0.41, "share": 0.1},
]
FOUND: dict[str, Any] = {
    "numbers": {},
    "loss": "log loss",
    "curves": {"roc": LINE, "pr": LINE[::-1], "gain": LINE, "calibration": RANGE, "error_by_weekday": PARTS},
    "importance": [
        {"feature": "age", "contribution": 0.9, "permutation": 0.1, "spread": 0.01},
        {"feature": "segment", "contribution": 0.0, "permutation": -0.01, "spread": 0.01},
    ],
    "summary": {"age": SWARM},
    "dependence": {"age": LINE},
    "slices": {"loss": "log loss", "tried": 50, "rows": 400, "found": [SLICE]},
    "worst": [WORST],
    "fairness": {
        "sex": {
            "groups": {"f": {"rows": 40, **RATES}, "m": {"rows": 45, **RATES}},
            "gaps": RATES,
            "all": dict.fromkeys(RATES, 0.5),
        }
    },
    "sampled": {"contributions": 400, "permutation": 400, "slices": 400},
}


def evaluation(task: str, metric: str) -> Evaluation:
    return Evaluation(
        task=task,
        metric=metric,
        threshold=0.5,
        rows={"train": 30, "validation": 5, "test": 6},
        test_from_at=0,
        test_to_at=86_400_000_000,
        metrics={metric: 0.8},
        baseline={metric: 0.5},
        estimate=Estimate(0.8, 0.7, 0.9, 6),
        intervals={metric: Estimate(0.8, 0.7, 0.9, 6)},
        rivals={"recency (gone)": {metric: 0.9}},
    )


def kinds(page: str) -> list[str]:
    return re.findall(r'<p class="kind">([^<]*)</p>', page)


def test_a_classification_shows_its_curves_slices_worst_rows_and_groups() -> None:
    page = evaluation_page("churn", evaluation("classification", "auc"), FOUND)
    wanted = ["Metrics", "ROC", "Precision and recall", "Gain and lift", "Calibration", "Importance", "Dependence"]
    wanted += ["Error by weekday", "Weak slices", "Worst predictions", "Fairness"]
    assert set(wanted) <= set(kinds(page))
    assert "no better than recency (gone) with 0.900" in page
    assert "Worst at Sat" in page


def test_a_regression_shows_its_errors() -> None:
    own = {
        "fit": LINE,
        "residuals": [{"from": -1.0, "to": 0.0, "rows": 3}, {"from": 0.0, "to": 1.0, "rows": 4}],
        "spread": RANGE,
    }
    found = {**FOUND, "curves": own, "fairness": {}, "slices": {**FOUND["slices"], "found": []}, "dependence": {}}
    page = evaluation_page("dust", evaluation("regression", "rmse"), found)
    assert {"Predicted and actual", "Errors", "Errors over predictions"} <= set(kinds(page))
    assert "None is significantly worse than the rest" in page


def test_a_model_without_contributions_shows_what_shuffling_costs() -> None:
    rows = [{**one, "contribution": None} for one in FOUND["importance"]]
    page = evaluation_page(
        "churn", evaluation("classification", "auc"), {**FOUND, "importance": rows, "dependence": {}}
    )
    assert "auc lost if the feature is shuffled" in page


def test_rows_that_would_lie_on_each_other_stand_beside_each_other_and_have_the_colour_of_their_value() -> None:
    low, middle, high = ({"x": share, "y": 0.5, "share": share} for share in (0.2, 0.5, 0.8))
    spec = swarm.swarm_chart({"age": [low, middle, high], "segment": [{"x": "a", "y": -0.5, "share": None}]}, WIDE)
    dots = spec["layer"][1]["data"]["values"]
    assert [dot["colour"] for dot in dots] == ["#0072b2", "#66707b", "#d55e00", "#b0568a"]
    assert [dot["lane"] for dot in dots] == [15, 18, 12, 45]


def test_the_page_is_one_file_without_script_and_values_are_escaped() -> None:
    page = evaluation_page("churn <1>", evaluation("classification", "auc"), FOUND)
    assert "<script" not in page
    assert "&lt;script&gt;" in page and "churn &lt;1&gt;" in page
    assert not re.search(r'(src|href)="(?!#)', page.replace('href="#', ""))
    assert page == evaluation_page("churn <1>", evaluation("classification", "auc"), FOUND)


@pytest.mark.parametrize("canvas", [WIDE, NARROW], ids=lambda canvas: canvas.name)
def test_every_picture_is_as_wide_as_its_canvas(canvas: Canvas) -> None:
    bars = [{"from": -1.0, "to": 1.0, "rows": 3}]
    specs: list[Mapping[str, Any]] = [
        curves.curve_chart(LINE, [(0, 0), (1, 1)], "x", ("a", "b"), canvas),
        curves.calibration_chart(RANGE, canvas),
        regression.fit_chart(LINE, canvas),
        regression.residuals_chart(bars, canvas),
        regression.spread_chart(RANGE, canvas),
        curves.parts_chart(PARTS, 0.3, "#0072b2", canvas),
        curves.importance_chart([("age", 0.4)], canvas),
        curves.dependence_chart(LINE, canvas),
        swarm.swarm_chart({"age": SWARM}, canvas),
    ]
    assert {spec["width"] + spec["padding"]["left"] + spec["padding"]["right"] for spec in specs} == {canvas.width}
