"""The search for an estimator's parameters, by Optuna; its one home. What was tried lies on disk: a killed search goes on."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepfit import clock
from keepfit.errors import DefinitionError, KeepfitError, TrainingError
from keepfit.spec.tuning import GRID, LOG, RANDOM, Tune

if TYPE_CHECKING:
    from optuna import Study
    from optuna import Trial as Asked
    from optuna.trial import FrozenTrial

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
FOLDS, REASON = "folds", "reason"
# of a median there must be something to take it of
STARTED = 5


@dataclass(frozen=True)
class Trial:
    """One set of parameters that was tried.

    Attributes
    ----------
    folds : tuple of float
        The metric on each fold that it came to, the oldest first.
    value : float
        Their mean; NaN if it was pruned or failed.
    state : str
        'complete', 'pruned' or 'failed'.
    reason : str
        Why it failed.
    seconds : float
        How long it took.
    """

    number: int
    parameters: dict[str, Any]
    folds: tuple[float, ...]
    value: float
    state: str
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Tuned:
    """The best parameters, and all that was tried, in order."""

    best: Trial
    trials: tuple[Trial, ...]


def tune(
    said: Tune,
    score: Callable[[Mapping[str, Any]], Iterable[float]],
    *,
    greater_is_better: bool,
    name: str,
    kept: Path,
    seed: int,
) -> Tuned:
    """Return the best parameters of a search.

    Parameters
    ----------
    said : Tune
        Where to look, how, and for how long.
    score : callable
        Parameters -> the metric on each fold, one after the other; what is not asked for need not be computed.
    name : str
        What is searched for: data, definition and seed. A search of the same name goes on where it was left.
    kept : Path
        The folder where searches are kept.
    seed : int
        Of every draw.

    Raises
    ------
    DefinitionError
        If the estimator refuses the first parameters tried.
    TrainingError
        If no trial came to an end.
    """
    study = _study(said, name, kept, seed, greater_is_better=greater_is_better)
    left = said.trials - sum(one.state.name in ("COMPLETE", "PRUNED") for one in study.trials)
    if left > 0:
        seconds = clock.duration(said.budget) / clock.SECOND if said.budget else None
        study.optimize(lambda trial: _tried(trial, said, score), n_trials=left, timeout=seconds)
    trials = tuple(_trial(one) for one in study.trials)
    complete = [one for one in trials if one.state == COMPLETE]
    if not complete:
        reasons = "; ".join(dict.fromkeys(one.reason for one in trials if one.reason)) or "none came to an end"
        raise TrainingError(
            f"none of {len(trials)} trials can be used: {reasons}",
            where="definitions.py, Model(tune=...)",
            fix="look at the space of parameters; give more trials or a longer budget",
        )
    best = max(complete, key=lambda one: (one.value if greater_is_better else -one.value, -one.number))
    return Tuned(best, trials)


def _study(said: Tune, name: str, kept: Path, seed: int, *, greater_is_better: bool) -> Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    logging.getLogger("optuna").setLevel(logging.WARNING)
    kept.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(kept / f"{name}.log"))),
        study_name=name,
        direction="maximize" if greater_is_better else "minimize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTED) if said.prune else optuna.pruners.NopPruner(),
    )
    # those that a kill left open
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=False)
    begun = len(study.trials)
    if said.method == GRID:
        study.sampler = optuna.samplers.GridSampler(
            {key: _listed(key, values) for key, values in said.space.items()}, seed
        )
    elif said.method == RANDOM:
        study.sampler = optuna.samplers.RandomSampler(seed + begun)
    else:
        study.sampler = optuna.samplers.TPESampler(seed=seed + begun, multivariate=True)
    return study


def _listed(name: str, values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise DefinitionError(
            f"a grid needs the values of {name!r} as a list",
            where="definitions.py, Tune(...)",
            fix=f"{{{name!r}: [1, 2, 4]}}",
        )
    return values


def _tried(trial: Asked, said: Tune, score: Callable[[Mapping[str, Any]], Iterable[float]]) -> float:
    import optuna

    found: list[float] = []
    try:
        for step, value in enumerate(score({name: _asked(trial, name, where) for name, where in said.space.items()})):
            found.append(value)
            trial.set_user_attr(FOLDS, json.dumps(found))
            if not math.isfinite(value):
                raise TrainingError(f"the metric of fold {step + 1} is undefined")
            trial.report(value, step)
            if step + 1 < said.folds and trial.should_prune():
                raise optuna.TrialPruned
    except KeepfitError as error:
        if isinstance(error, DefinitionError) and trial.number == 0:
            raise
        # an estimator may refuse some of the space: that is no reason to stop
        trial.set_user_attr(REASON, error.what)
        raise optuna.TrialPruned from error
    return sum(found) / len(found)


def _asked(trial: Asked, name: str, where: Any) -> Any:
    if isinstance(where, list):
        return trial.suggest_categorical(name, where)
    low, high, *log = where
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=log == [LOG])
    return trial.suggest_float(name, float(low), float(high), log=log == [LOG])


def _trial(trial: FrozenTrial) -> Trial:
    reason = str(trial.user_attrs.get(REASON, ""))
    ended = trial.state.name
    state = COMPLETE if ended == "COMPLETE" else FAILED if reason or ended == "FAIL" else PRUNED
    return Trial(
        trial.number,
        dict(trial.params),
        tuple(json.loads(trial.user_attrs.get(FOLDS, "[]"))),
        float(trial.value) if state == COMPLETE and trial.value is not None else math.nan,
        state,
        reason or ("it was interrupted" if ended == "FAIL" else ""),
        trial.duration.total_seconds() if trial.duration else 0.0,
    )
