"""The search for parameters: what it finds, what it gives up, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from keepfit.errors import DefinitionError, TrainingError
from keepfit.spec.tuning import Tune
from keepfit.stages.training.tuning import tune

SPACE = {"depth": (1, 9), "rate": (0.001, 1.0, "log"), "kind": ["a", "b"]}


def distance(parameters):
    """Least at depth 6, rate 0.1, kind b; the same on three folds."""
    far = abs(parameters["depth"] - 6) + abs(parameters["rate"] - 0.1) + (parameters["kind"] == "a")
    return [far, far, far]


def search(tmp_path, said, score=distance, name="search", **options):
    return tune(said, score, greater_is_better=False, name=name, kept=tmp_path, seed=7, **options)


def test_the_best_parameters_are_found_and_every_trial_is_told(tmp_path):
    found = search(tmp_path, Tune(SPACE, trials=60))
    assert len(found.trials) == 60
    assert found.best.value == min(one.value for one in found.trials if one.state == "complete")
    assert (found.best.parameters["depth"], found.best.parameters["kind"]) == (6, "b")
    assert all(1 <= one.parameters["depth"] <= 9 and 0.001 <= one.parameters["rate"] <= 1 for one in found.trials)


@pytest.mark.parametrize("method", ["tpe", "random"])
def test_equal_seeds_try_equal_parameters(tmp_path, method):
    said = Tune(SPACE, method=method, trials=12)
    one, other = (search(tmp_path / folder, said) for folder in ("a", "b"))
    assert [trial.parameters for trial in one.trials] == [trial.parameters for trial in other.trials]


def test_a_grid_tries_every_combination_once(tmp_path):
    said = Tune({"depth": [1, 2, 3], "rate": [0.1, 0.2], "kind": ["b"]}, method="grid", trials=99)
    found = search(tmp_path, said)
    tried = sorted((one.parameters["depth"], one.parameters["rate"]) for one in found.trials)
    assert tried == [(1, 0.1), (1, 0.2), (2, 0.1), (2, 0.2), (3, 0.1), (3, 0.2)]
    assert (found.best.parameters["depth"], found.best.parameters["rate"]) == (3, 0.1)


def test_a_grid_of_a_range_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match="needs the values of 'depth' as a list"):
        search(tmp_path, Tune(SPACE, method="grid"))


def test_a_trial_that_begins_badly_is_given_up_before_its_last_fold(tmp_path):
    asked = []

    def score(parameters):
        asked.append(0)
        for _ in range(3):
            asked[-1] += 1
            yield float(parameters["depth"])

    found = search(tmp_path, Tune({"depth": [1, 2, 3, 4, 5, 6, 7, 8, 9]}, method="grid", trials=9), score)
    pruned = [one for one in found.trials if one.state == "pruned"]
    assert pruned and all(len(one.folds) < 3 for one in pruned)
    assert [len(one.folds) for one in found.trials] == asked
    assert found.best.parameters == {"depth": 1}


def test_parameters_that_an_estimator_refuses_cost_one_trial(tmp_path):
    def score(parameters):
        if parameters["depth"] == 2:
            raise DefinitionError("depth 2 is refused")
        return [float(parameters["depth"])]

    found = search(tmp_path, Tune({"depth": [3, 2, 1]}, method="grid", trials=3, folds=1), score)
    assert [one.reason for one in found.trials if one.state == "failed"] in (["depth 2 is refused"],)
    assert found.best.parameters == {"depth": 1}


def test_a_search_without_a_result_says_why(tmp_path):
    def score(parameters):
        raise TrainingError("one class only")

    with pytest.raises(TrainingError, match="none of 3 trials can be used: one class only"):
        search(tmp_path, Tune({"depth": (1, 3)}, trials=3), score)


def test_a_search_that_is_asked_for_again_tries_nothing_anew(tmp_path):
    first = search(tmp_path, Tune(SPACE, trials=8))
    again = search(tmp_path, Tune(SPACE, trials=8), lambda parameters: pytest.fail("tried again"))
    assert again.best == first.best


KILLED = """
import os, signal, sys
from pathlib import Path
from keepfit.spec.tuning import Tune
from keepfit.stages.training.tuning import tune

done = []
def score(parameters):
    if len(done) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(1)
    return [abs(parameters["depth"] - 6)] * 3

tune(Tune({"depth": (1, 9)}, trials=10), score, greater_is_better=False, name="search", kept=Path(sys.argv[1]), seed=7)
"""


def test_a_search_that_was_killed_goes_on_and_tries_again_what_was_under_way(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    tried = []

    def score(parameters):
        tried.append(parameters)
        return [abs(parameters["depth"] - 6)] * 3

    found = search(tmp_path, Tune({"depth": (1, 9)}, trials=10), score)
    assert [one.state for one in found.trials[:5]] == ["complete"] * 4 + ["failed"]
    assert found.trials[4].reason == "it was interrupted"
    assert tried[0] == found.trials[4].parameters
    assert len(found.trials) == 11
