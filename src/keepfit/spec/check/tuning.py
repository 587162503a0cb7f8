"""The rules of a search for parameters, of a backtest, and of a selection of features."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from keepfit.spec.check.problem import Problem, not_a_duration
from keepfit.spec.check.reading import of
from keepfit.spec.model import Model
from keepfit.spec.training import Select
from keepfit.spec.tuning import GRID, LOG, METHODS, Tune

MOST_FOLDS = 8  # of a tenth of the moments each, beside validation and test


def malformed_tune(model: Model) -> Iterator[Problem]:
    """A search must be a `Tune` over a space of named parameters."""
    if model.tune is not None and not isinstance(model.tune, Tune):
        fix = "write tune=Tune({'max_depth': (2, 8)}, trials=30)"
        yield Problem(f"tune={model.tune!r} is no Tune", of(model), fix)


def searches_can_be_made(model: Model) -> Iterator[Problem]:
    """A search has parameters to look for, a method, trials and folds."""
    said = model.tune
    if said is None:
        return
    if not said.space:
        yield Problem("tune=Tune({}) looks for nothing", of(model), "name a parameter: Tune({'max_depth': (2, 8)})")
    if said.method not in METHODS:
        yield Problem(f"method={said.method!r} is unknown", of(model), f"use one of {', '.join(METHODS)}")
    for name, where in said.space.items():
        if not isinstance(name, str) or not _is_a_range(where, said.method):
            example = "[2, 4, 8]" if said.method == GRID else "(2, 8), (0.01, 0.3, 'log') or ['a', 'b']"
            yield Problem(
                f"Tune({{{name!r}: {where!r}}}) is no range of a {said.method} search", of(model), f"write {example}"
            )
    yield from _counted("Tune(trials=", said.trials, 1, 10_000, model)
    yield from _counted("Tune(folds=", said.folds, 1, MOST_FOLDS, model)
    if said.budget is not None:
        yield from not_a_duration(said.budget, "Tune(budget=...)", of(model))


def backtests_can_be_made(model: Model) -> Iterator[Problem]:
    """Folds are counted; a learning curve is asked for or not."""
    yield from _counted("Training(folds=", model.training.folds, 0, MOST_FOLDS, model)
    if not isinstance(model.training.learning_curve, bool):
        what = f"Training(learning_curve={model.training.learning_curve!r}) is neither True nor False"
        yield Problem(what, of(model), "write learning_curve=True, or leave it out")


def selections_can_be_made(model: Model) -> Iterator[Problem]:
    """A selection has folds, and shares that can be reached; what it keeps is for the training to say."""
    if model.kept is not None:
        fix = "leave it out: training sets it; to choose features by hand, list them in features="
        yield Problem(f"kept={model.kept!r} is not declared", of(model), fix)
    said = model.training.select
    if said is None:
        return
    if not isinstance(said, Select):
        yield Problem(f"select={said!r} is no Select", of(model), "write Training(select=Select(folds=3))")
        return
    yield from _counted("Select(folds=", said.folds, 2, MOST_FOLDS, model)
    for name, value, above in (("stable", said.stable, 0.0), ("redundant", said.redundant, 0.5)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not above < value <= 1:
            fix = f"use a number above {above:g}, 1 at most: Select({name}={getattr(Select, name)})"
            yield Problem(f"Select({name}={value!r}) is no share that can be reached", of(model), fix)


def _counted(what: str, value: object, least: int, most: int, model: Model) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        yield Problem(
            f"{what}{value!r}) is no number from {least} to {most:,}", of(model), f"use one from {least} to {most:,}"
        )


def _is_a_range(where: object, method: str) -> bool:
    if isinstance(where, list):
        return bool(where) and not any(isinstance(one, list | dict | Mapping) for one in where)
    if method == GRID or not isinstance(where, tuple) or len(where) not in (2, 3):
        return False
    low, high, *more = where
    numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= sys.float_info.max
        for one in (low, high)
    )
    return numbers and low < high and more in ([], [LOG]) and (not more or low > 0)


TUNING_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    searches_can_be_made,
    backtests_can_be_made,
    selections_can_be_made,
)
