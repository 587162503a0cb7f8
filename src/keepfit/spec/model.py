"""A model: observations, features, a target, and how good it must stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from keepfit import clock
from keepfit.spec.estimators import Estimator, XGBoost
from keepfit.spec.features import Aggregate, Attribute, ByCategory, Expression, Input, Labelled, Named
from keepfit.spec.gates import Gate
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import OlderThan, Policy
from keepfit.spec.tables import Events, Records, Table
from keepfit.spec.training import Training
from keepfit.spec.tuning import Tune
from keepfit.spec.watch import Watch

CLASSIFICATION, REGRESSION, MULTICLASS = "classification", "regression", "multiclass"


@dataclass(frozen=True, eq=False)
class Model:
    """What to predict, from what, and how good it must stay.

    Parameters
    ----------
    name : str
        The model's name in the registry and on the command line.
    observe : Every or EachRow
        When predictions are made.
    features : sequence of Expression
        Values at t from the past; lists inside the list are flattened.
    target : Expression
        A value from the future. A comparison makes a classification, one of several labels a multiclass
        classification, anything else a regression.
    estimator : Estimator
        What learns.
    metric : str
        The metric that the decision threshold, the gates and the policy look at.
    gates : sequence of Gate
        What a challenger must show to be promoted.
    policy : Policy
        When to retrain.
    training : Training
        How it is trained: weights, constraints, calibration, costs.
    tune : Tune, optional
        Which parameters of the estimator are looked for before each training.
    watch : Watch
        How many false alarms it may give in use.
    kept : tuple of str or None
        The features that `Training(select=...)` kept, by name; the definition kept with a model version has it.
    """

    name: str
    observe: Every | EachRow
    features: Sequence[Any]
    target: Expression
    estimator: Estimator = field(default_factory=XGBoost)
    metric: str = ""
    gates: Sequence[Gate] = ()
    policy: Policy = field(default_factory=lambda: Policy(retrain=OlderThan("90d")))
    training: Training = field(default_factory=Training, metadata={"unwritten": Training()})
    tune: Tune | None = field(default=None, metadata={"unwritten": None})
    watch: Watch = field(default_factory=Watch, metadata={"unwritten": Watch()})
    kept: Sequence[str] | None = field(default=None, metadata={"unwritten": None})

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(_flatten(self.features)))
        object.__setattr__(self, "gates", tuple(self.gates))
        if self.kept is not None:
            object.__setattr__(self, "kept", tuple(self.kept))
        if not self.metric:
            object.__setattr__(self, "metric", _usual_metric(self.task, self.training))

    @property
    def task(self) -> str:
        """'classification' if the target is a comparison, 'multiclass' if it is one of several labels, else 'regression'."""
        if self.labels:
            return MULTICLASS
        return CLASSIFICATION if getattr(self.target, "is_condition", False) else REGRESSION

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the target is one of, in their declared order; none if it is a number or a comparison."""
        target = self.target
        while isinstance(target, Named):
            target = target.value
        return target.labels if isinstance(target, Labelled) else ()

    @property
    def horizon(self) -> int:
        """How far the target looks ahead, in microseconds."""
        return max(
            (leaf.window.offsets()[1] for leaf in self.target.leaves() if isinstance(leaf, Aggregate)), default=0
        )

    @property
    def tested(self) -> int | None:
        """How much of the newest time is the test, in microseconds; None is a tenth of the moments."""
        return None if self.training.test is None else clock.duration(self.training.test)

    def inputs(self) -> list[Expression]:
        """Return what the model learns from, one column each: `by=` gives one for each value, once they are learned."""
        found = [one.expand() if isinstance(one, ByCategory) else [one] for one in self.features]
        every = [expression for expressions in found for expression in expressions]
        return every if self.kept is None else [one for one in every if one.name in self.kept]

    def awaited(self) -> list[Events]:
        """Return the events that the target waits for."""
        leaves = [leaf for leaf in self.target.leaves() if isinstance(leaf, Aggregate) and leaf.window.future]
        return list({leaf.events.name: leaf.events for leaf in leaves}.values())

    def request_inputs(self) -> dict[str, Input]:
        """Return what a request may send beside the entity, by name."""
        nodes = (node for expression in self.inputs() for node in expression.nodes())
        return {node.label: node for node in nodes if isinstance(node, Input)}

    def group_columns(self) -> dict[str, str]:
        """Return the columns whose groups are compared for fairness, and the feature that holds each."""
        named = [gate.column for gate in self.gates if gate.column]
        return {column: f"{table.name}_{column}" for column in named for table in self.records()}

    def learned(self, values: Mapping[str, tuple[str, ...]]) -> Model:
        """Return the model with the values of its `by=` features, by their names; without any, as it was declared.

        What a selection kept is forgotten.
        """
        features = [
            replace(one, learned=values.get(one.name)) if isinstance(one, ByCategory) else one for one in self.features
        ]
        return replace(self, features=features, kept=None)

    def expressions(self) -> list[Expression]:
        """Return every expression of the model: features, target, activity condition."""
        active = self.observe.active if isinstance(self.observe, Every) else None
        features = [one.aggregate if isinstance(one, ByCategory) else one for one in self.features]
        values = (*features, self.target, active)
        # what is no expression is reported by `check`, beside everything else that is wrong
        return [value for value in values if isinstance(value, Expression)]

    def tables(self) -> list[Table]:
        """Return the tables the model reads, each once, by name."""
        found: dict[str, Table] = {self.observe.of.name: self.observe.of}
        for leaf in (leaf for expression in self.expressions() for leaf in expression.leaves()):
            if isinstance(leaf, Aggregate):
                found[leaf.events.name] = leaf.events
                if leaf.via is not None:
                    found[leaf.via.records.name] = leaf.via.records
            elif isinstance(leaf, Attribute):
                found[leaf.records.name] = leaf.records
        return [found[name] for name in sorted(found)]

    def events(self) -> list[Events]:
        """Return the events tables the model reads."""
        return [table for table in self.tables() if isinstance(table, Events)]

    def records(self) -> list[Records]:
        """Return the records tables the model reads."""
        return [table for table in self.tables() if isinstance(table, Records)]


def _usual_metric(task: str, training: object) -> str:
    if task == REGRESSION and getattr(training, "quantile", None) is not None:
        return "pinball"
    return {CLASSIFICATION: "auc", MULTICLASS: "log_loss", REGRESSION: "rmse"}[task]


def _flatten(features: Iterable[Any]) -> Iterable[Any]:
    for feature in features:
        if isinstance(feature, list | tuple):
            yield from _flatten(feature)
        else:
            yield feature
