"""How a version was grown is drawn from its numbers: folds, rounds, parts of the rows, and the trials of a search."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from tests.stages.reports.test_evaluation import FOUND, evaluation, kinds

from keepfit import clock
from keepfit.evidence import Estimate, Fold, LearntFrom, Search, as_data
from keepfit.spec.metric import METRICS
from keepfit.stages.reports import training
from keepfit.stages.reports.canvas import NARROW, SMALL, WIDE, Canvas
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.stages.reports.tuning import WORDS, parameter_chart, trial_rows, trials_chart

HISTORY = {"metric": "logloss", "train": [0.6, 0.4, 0.3, 0.2], "validation": [0.7, 0.5, 0.6, 0.6], "kept": 2}
LEARNT = [
    LearntFrom(0.5, 40, 5 * clock.DAY, Estimate(0.7, 0.6, 0.8, 9)),
    LearntFrom(1.0, 80, 0, Estimate(0.8, 0.7, 0.9, 9)),
]


def trial(number: int, value: float | None, state: str = "complete", **parameters: Any) -> dict[str, Any]:
    one = {"number": number, "state": state, "value": value, "folds": (0.5,), "reason": "", "best": False}
    return {**one, "parameters": parameters or {"depth": number + 2, "rate": 10.0**-number, "policy": "ab"[number % 2]}}


TRIALS = (
    trial(0, 0.7),
    {**trial(1, 0.8), "best": True},
    trial(2, None, "pruned"),
    {**trial(3, None, "failed"), "reason": "it refused <b>"},
    trial(4, 0.79),
    trial(5, 0.02),
)
SEARCH = Search("auc", "tpe", {"depth": "linear", "rate": "log", "policy": "choice"}, TRIALS)
FOLDS = tuple(
    Fold(day * clock.DAY, (day + 9) * clock.DAY, 30, {"auc": 0.7 + day / 1000}, {"auc": 0.5}) for day in (-40, -20)
)


def page(grown: dict[str, Any], folds: tuple[Fold, ...] = ()) -> str:
    found = {**FOUND, "grown": as_data(grown)}
    return evaluation_page("churn", replace(evaluation("classification", "auc"), folds=folds), found)


def test_a_page_shows_how_its_version_was_grown() -> None:
    shown = page({"history": HISTORY, "learning_curve": LEARNT, "search": SEARCH}, FOLDS)
    wanted = ["Over time", "Rounds", "Learning curve", "Search", "Searched parameters"]
    assert [kind for kind in kinds(shown) if kind in wanted] == wanted
    assert "auc 0.670 \u00b1 0.014 at 2 earlier origins, 0.800 on the test" in shown
    assert "2 rounds kept: logloss 0.400 on train rows, 0.500 on validation rows" in shown
    assert "auc 0.700 from the newest 50% of the train rows, 0.800 from all" in shown
    assert "Trial 1 of 6 was best, auc 0.800: depth 3" in shown
    assert "it refused &lt;b&gt;" in shown
    for evidence in ("fold.1.auc", "fold.2.auc", "trial.5"):
        assert evidence in shown


def test_a_page_of_a_version_without_them_leaves_them_out() -> None:
    assert not {"Over time", "Rounds", "Learning curve", "Search"} & set(kinds(page({})))
    old = {name: one for name, one in FOUND.items() if name != "grown"}
    assert evaluation_page("churn", evaluation("classification", "auc"), old) == page({})


def test_rounds_that_ran_out_are_told() -> None:
    assert "allow more" in page({"history": {**HISTORY, "kept": 4}})
    assert "allow more" not in page({"history": HISTORY})


def test_the_test_is_the_last_of_the_folds_and_has_their_constant_beside_it() -> None:
    rows = training.fold_rows(replace(evaluation("classification", "auc"), folds=FOLDS))
    assert [one["label"] for one in rows] == ["fold 1", "fold 2", "test"]
    assert [one["baseline"] for one in rows] == [0.5, 0.5, 0.5]
    assert (rows[-1]["low"], rows[-1]["high"]) == (0.7, 0.9)
    assert all(older["to"] < newer["from"] for older, newer in itertools.pairwise(rows))


def test_trials_without_a_mean_of_all_folds_stand_at_the_edge_and_never_raise_the_best_so_far() -> None:
    rows, (low, high) = trial_rows(as_data(SEARCH)["trials"], METRICS["auc"])
    edge = rows[2]["y"]
    assert low < edge < min(0.7, 0.79)
    assert high > 0.8
    assert [row["y"] == edge for row in rows] == [False, False, True, True, False, True]
    assert [row["best"] for row in rows] == [0.7, 0.8, 0.8, 0.8, 0.8, 0.8]
    assert [row["beyond"] for row in rows] == [False] * 5 + [True]
    assert rows[1]["state"] == WORDS["chosen"]


def test_of_a_loss_the_lowest_is_the_best_so_far() -> None:
    trials = [trial(0, 3.0), {**trial(1, 2.0), "best": True}, trial(2, 2.5), trial(3, None, "pruned")]
    rows, (_, high) = trial_rows(trials, METRICS["rmse"])
    assert [row["best"] for row in rows] == [3.0, 2.0, 2.0, 2.0]
    assert 3.0 < rows[3]["y"] < high


@pytest.mark.parametrize("canvas", [WIDE, NARROW, SMALL], ids=lambda canvas: canvas.name)
def test_every_picture_is_as_wide_as_its_canvas(canvas: Canvas) -> None:
    trials = as_data(SEARCH)["trials"]
    rows, bounds = trial_rows(trials, METRICS["auc"])
    specs = [
        training.folds_chart(
            training.fold_rows(replace(evaluation("classification", "auc"), folds=FOLDS)), "auc", canvas
        ),
        training.history_chart(HISTORY, canvas),
        training.learning_chart(as_data(LEARNT), "auc", canvas),
        trials_chart(rows, bounds, METRICS["auc"], canvas),
        *(parameter_chart(rows, name, scale, bounds, METRICS["auc"], canvas) for name, scale in SEARCH.scales.items()),
    ]
    assert {spec["width"] + spec["padding"]["left"] + spec["padding"]["right"] for spec in specs} == {canvas.width}


def test_folds_lie_at_pixels_as_vegas_interpreter_does_not_span_temporal_domains_of_layers() -> None:
    rows = training.fold_rows(replace(evaluation("classification", "auc"), folds=FOLDS))
    chart = training.folds_chart(rows, "auc", WIDE)
    assert "temporal" not in str(chart)
    places = [one["at"] for one in chart["layer"][1]["data"]["values"]]
    assert places == sorted(places) and places[0] > 0 and places[-1] < WIDE.plot


def test_an_axis_of_magnitudes_has_few_round_numbers() -> None:
    rows = [{"y": 0.5, "colour": "#0072b2", "rate": rate} for rate in (0.012, 0.29)]
    chart = parameter_chart(rows, "rate", "log", (0.0, 1.0), METRICS["auc"], SMALL)
    x = chart["layer"][0]["encoding"]["x"]
    assert [round(value, 4) for value in x["axis"]["values"]] == [0.02, 0.05, 0.1, 0.2]
    assert x["scale"]["type"] == "log"
