"""The rules of what learns and how: the estimator, its task, weights, constraints, calibration, costs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem, not_a_duration
from keepfit.spec.check.reading import of
from keepfit.spec.estimators import HIST, QUANTILE, SKLEARN, TASKS, Estimator
from keepfit.spec.features import ByCategory, Expression
from keepfit.spec.features.meaning import type_of
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION, Model
from keepfit.spec.training import BALANCED, BY_TIME, ISOTONIC, SIGMOID, Cost, Training

MODULE_AND_CLASS = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
MOST_HELD_OUT = 0.5
KINDS = {CLASSIFICATION: "a comparison", MULTICLASS: "one of several labels", REGRESSION: "a number"}


def malformed_training(model: Model) -> Iterator[Problem]:
    """What learns must be an estimator, and how it learns a `Training`."""
    if not isinstance(model.estimator, Estimator) or not isinstance(model.estimator.parameters, Mapping):
        yield Problem(f"estimator={model.estimator!r} is no estimator", of(model), "call it: estimator=XGBoost()")
    if not isinstance(model.training, Training):
        yield Problem(f"training={model.training!r} is no Training", of(model), "write training=Training(...)")


def estimator_fits_the_task(model: Model) -> Iterator[Problem]:
    """Some estimators learn one task only; a class is named by its module."""
    one = model.estimator
    if one.kind != SKLEARN:
        return
    if one.of in TASKS:
        if model.task not in TASKS[one.of]:
            other = "Linear(), or another regression" if model.task == REGRESSION else "Logistic()"
            yield Problem(f"{one.of}() does not fit: the target is {KINDS[model.task]}", of(model), f"use {other}")
    elif not isinstance(one.of, str) or not re.fullmatch(MODULE_AND_CLASS, one.of):
        fix = "write 'package.module:Class': Sklearn('sklearn.svm:SVR')"
        yield Problem(f"Sklearn({one.of!r}) names no class", of(model), fix)


def weights_are_weights(model: Model) -> Iterator[Problem]:
    """Classes have weights above 0, in a classification; ages are durations."""
    weight = model.training.class_weight
    if weight is not None:
        if model.task == REGRESSION:
            fix = "leave it out, or compare the target: ... > 0"
            yield Problem("class_weight= weighs classes, but the target is a number", of(model), fix)
        classes: set[Any] = set(model.labels) if model.labels else {0, 1}
        given = {str(key): one for key, one in weight.items()} if isinstance(weight, Mapping) else {}
        named = set(given) == {str(one) for one in classes} and all(_positive(one) for one in given.values())
        if weight != BALANCED and not named:
            example: dict[Any, int] = {label: place + 1 for place, label in enumerate(model.labels)} or {0: 1, 1: 5}
            fix = f"write class_weight='balanced', or a weight above 0 for each class: {example}"
            told = ", ".join(model.labels) if model.labels else "0 and 1"
            yield Problem(f"class_weight={weight!r} does not weigh the classes {told}", of(model), fix)
    if model.training.half_life is not None:
        yield from not_a_duration(model.training.half_life, "half_life", of(model))


def constraints_name_features(model: Model) -> Iterator[Problem]:
    """What is monotone must be a feature and a number, and the estimator must be able to hold it."""
    monotone = model.training.monotone
    if not isinstance(monotone, Mapping):
        fix = "name the features: monotone={'sales_count_30d': -1}"
        yield Problem(f"monotone={monotone!r} names no features", of(model), fix)
        return
    if monotone and model.task == MULTICLASS:
        what = "monotone= holds one score, but the target is one of several labels"
        yield Problem(what, of(model), "leave it out, or predict the number itself")
    if monotone and model.estimator.kind == SKLEARN and model.estimator.of != HIST:
        fix = "use XGBoost(), LightGBM() or HistGradientBoosting(), or leave monotone= out"
        yield Problem(f"{model.estimator.of} cannot hold monotone=", of(model), fix)
    grouped = [one for one in model.features if isinstance(one, ByCategory)]
    named = [value for one in grouped if isinstance(one.values, tuple) for value in one.expand()]
    known = [*(one for one in model.features if isinstance(one, Expression)), *named]
    types = {one.name: type_of(one) for one in known}
    learned = [one.name for one in grouped if one.values is None]
    for name, direction in monotone.items():
        what = f"monotone={{{name!r}: {direction!r}}}"
        if name not in types and not any(str(name).startswith(f"{group}_") for group in learned):
            yield Problem(f"{what}: no such feature", of(model), did_you_mean(str(name), types, of="the model"))
        elif types.get(name) == "category":
            yield Problem(f"{what}: labels have no order", of(model), "leave it out")
        if direction not in (1, -1) or isinstance(direction, bool):
            fix = "write 1 (the score never falls when it rises) or -1 (never rises)"
            yield Problem(f"{what} is no direction", of(model), fix)


def scores_can_be_calibrated(model: Model) -> Iterator[Problem]:
    """Only the score of a class is a probability."""
    found = model.training.calibrate
    if found is None:
        return
    if found not in (ISOTONIC, SIGMOID):
        yield Problem(f"calibrate={found!r} is unknown", of(model), f"use {ISOTONIC!r} or {SIGMOID!r}")
    if model.task == MULTICLASS:
        what = "calibrate= maps one probability, and cannot keep those of several labels at a sum of 1"
        yield Problem(what, of(model), "leave it out, or compare the target: ... > 35.5")
    elif model.task != CLASSIFICATION:
        yield Problem("calibrate= is for probabilities, but the target is a number", of(model), "leave it out")


def bounds_are_shares(model: Model) -> Iterator[Problem]:
    """An interval holds a share of a number's rows, above half of them; a quantile lies above a share of them."""
    training = model.training
    for word, least in (("interval", 0.5), ("quantile", 0.0)):
        share = getattr(training, word)
        if share is None:
            continue
        if model.task != REGRESSION:
            what = f"{word}= is of a predicted number, but the target is not one"
            yield Problem(what, of(model), "leave it out, or predict the number itself")
        if isinstance(share, bool) or not isinstance(share, int | float) or not least < share < 1:
            yield Problem(f"{word}={share!r} is no share of the rows", of(model), f"use one between {least} and 1: 0.9")
    if training.interval is not None and training.quantile is not None:
        yield Problem(
            "interval= and quantile= are both declared", of(model), "leave one out: an interval has both bounds"
        )
    one = model.estimator
    if training.quantile is not None and one.kind == SKLEARN and QUANTILE not in TASKS.get(one.of, ()):
        fix = "use XGBoost(), LightGBM() or HistGradientBoosting()"
        yield Problem(f"{one.of} cannot learn a quantile", of(model), fix)


def costs_are_costs(model: Model) -> Iterator[Problem]:
    """Mistakes cost something, in a classification."""
    cost = model.training.cost
    if cost is None:
        return
    if not isinstance(cost, Cost):
        yield Problem(f"cost={cost!r} is no Cost", of(model), "write cost=Cost(false_positive=1, false_negative=5)")
        return
    for name, value in vars(cost).items():
        if not _positive(value):
            yield Problem(f"Cost({name}={value!r}) is no cost", of(model), "use a finite number above 0")
    if model.task != CLASSIFICATION:
        yield Problem(f"cost= is of yes and no, but the target is {KINDS[model.task]}", of(model), "leave it out")


def some_entities_are_left(model: Model) -> Iterator[Problem]:
    """A share of the entities, and not the most of them."""
    share = model.training.hold_out
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= MOST_HELD_OUT:
        fix = f"use a share from 0 to {MOST_HELD_OUT}: hold_out=0.1"
        yield Problem(f"hold_out={share!r} is no share of the entities to set aside", of(model), fix)


def rows_are_split_by_time(model: Model) -> Iterator[Problem]:
    """A model is judged on what came after all that it learnt from."""
    if model.training.split != BY_TIME:
        yield Problem(
            f"split={model.training.split!r} would judge the model on rows that lie between those it learnt from: rows of one"
            " entity and of one day resemble each other, so it would look better than it will be on tomorrow's",
            of(model),
            "leave it out; hold_out=0.1 tests entities that were never seen, folds=4 repeats the training at earlier origins",
        )


def tests_have_a_length(model: Model) -> Iterator[Problem]:
    """What a model is judged on is as long as a duration."""
    if model.training.test is not None:
        yield from not_a_duration(model.training.test, "Training(test=...)", of(model))


def _positive(value: object) -> bool:
    """Whether it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value) and value > 0
    except OverflowError:
        return False


TRAINING_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    estimator_fits_the_task,
    weights_are_weights,
    constraints_name_features,
    scores_can_be_calibrated,
    bounds_are_shares,
    costs_are_costs,
    some_entities_are_left,
    rows_are_split_by_time,
    tests_have_a_length,
)
