"""The rules of an estimator's parameters, declared or looked for: the library knows them, and they leave the task what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem
from keepfit.spec.check.reading import of
from keepfit.spec.estimators import LIGHTGBM, XGBOOST
from keepfit.spec.model import MULTICLASS, Model
from keepfit.spec.parameters import OBJECTIVES, known_to

WRITTEN = {XGBOOST: "XGBoost", LIGHTGBM: "LightGBM"}
"""Estimators as a definition writes them; those of scikit-learn are called as in `Estimator.of`."""


def _named(model: Model) -> Iterator[tuple[str, str]]:
    """Yield every parameter's name and what names it."""
    one = model.estimator
    yield from ((name, f"{WRITTEN.get(one.kind, one.of)}({name}=...)") for name in one.parameters)
    yield from ((name, f"Tune({{{name!r}: ...}})") for name in (model.tune.space if model.tune else ()))


def parameters_are_known(model: Model) -> Iterator[Problem]:
    """What the library does not know would stop the training, or a search after its first trial."""
    known = known_to(model.estimator)
    for name, what in _named(model):
        if known and isinstance(name, str) and name not in known:
            fix = did_you_mean(name, known, of=WRITTEN.get(model.estimator.kind, model.estimator.of))
            yield Problem(f"{what}: there is no such parameter", of(model), fix)


def objectives_are_open(model: Model) -> Iterator[Problem]:
    """A quantile, and one of several labels, have one loss that answers with them."""
    one = model.estimator
    wanted = "the labels' probabilities" if model.task == MULTICLASS else "the quantile"
    if model.task != MULTICLASS and model.training.quantile is None:
        return
    for name, what in _named(model):
        if name in OBJECTIVES.get(one.of or one.kind, ()):
            yield Problem(f"{what} cannot be chosen: one loss gives {wanted}", of(model), "leave it out")


def boosters_can_be_served(model: Model) -> Iterator[Problem]:
    """XGBoost's other boosters cannot be written as ONNX, which is what answers; that would show after the training."""
    one = model.estimator
    booster = one.parameters.get("booster", "gbtree")
    if one.kind == XGBOOST and booster != "gbtree":
        yield Problem(
            f"XGBoost(booster={booster!r}) cannot be served: only trees that are added up can be written as ONNX",
            of(model),
            "leave booster= out",
        )


PARAMETER_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    parameters_are_known,
    objectives_are_open,
    boosters_can_be_served,
)
