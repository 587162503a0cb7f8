"""The rules of one model and the tables it reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from keepfit import clock
from keepfit.errors import did_you_mean
from keepfit.spec.check.features import FEATURE_RULES
from keepfit.spec.check.gates import GATE_RULES
from keepfit.spec.check.labels import labels_can_be_told_apart
from keepfit.spec.check.parameters import PARAMETER_RULES
from keepfit.spec.check.policies import POLICY_RULES
from keepfit.spec.check.problem import AS_A_NAME, NAME, Problem
from keepfit.spec.check.reading import leaves, of
from keepfit.spec.check.shapes import malformed_values
from keepfit.spec.check.training import TRAINING_RULES, malformed_training
from keepfit.spec.check.tuning import TUNING_RULES, malformed_tune
from keepfit.spec.check.watch import WATCH_RULES, malformed_watch
from keepfit.spec.features import Aggregate, ByCategory, Expression
from keepfit.spec.gates import Gate
from keepfit.spec.metric import METRICS, ONE_SIDED
from keepfit.spec.model import CLASSIFICATION, MULTICLASS, REGRESSION, Model
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import Condition, EstimatedBelow, MetricBelow, Policy
from keepfit.spec.tables import Events, Records

# columns that stand beside the features in training sets, answers and profiles
RESERVED = ("entity", "t", "target", "score")
BOUNDS = ("low", "high")  # of models that declare an interval
ANSWERED = ("label", "scores")  # of models whose target is one of several labels
KINDS = {
    CLASSIFICATION: "a comparison, so a classification",
    MULTICLASS: "one of several labels",
    REGRESSION: "a number, so a regression",
}
# of each word of `Training` that makes metrics exist, what it is and how to say it
DECLARED = {
    "cost": ("costs", "say what mistakes cost: training=Training(cost=Cost(false_positive=1, false_negative=5))"),
    "interval": ("an interval", "say which share of the rows it is to hold: training=Training(interval=0.9)"),
}


def malformed(model: Model) -> Iterator[Problem]:
    """What the other rules read must be there: observations of a table, values, gates, a policy of conditions."""
    for what, text in (("name", model.name), ("metric", model.metric)):
        if not isinstance(text, str):
            yield Problem(f"{what}={text!r} is no text", of(model), f"write it as a text: {what}='...'")
    observed = model.observe.of if isinstance(model.observe, Every | EachRow) else None
    if not isinstance(observed, Events) and not (isinstance(observed, Records) and isinstance(model.observe, Every)):
        fix = "write Every('1 month', of=<Records or Events>) or EachRow(of=<Events>)"
        yield Problem(f"observe={model.observe!r} does not say which entities are observed", of(model), fix)
    for gate in model.gates:
        if not isinstance(gate, Gate):
            fix = "call it: Gate('f1', threshold=0.8), Gate.not_worse_than_champion()"
            yield Problem(f"gate {gate!r} is no Gate", of(model), fix)
    if not isinstance(model.policy, Policy) or not isinstance(model.policy.retrain, Condition):
        fix = "call the conditions: Policy(retrain=when.drift() | when.older_than('90d'))"
        yield Problem(f"policy={model.policy!r} has no condition to retrain on", of(model), fix)
    yield from malformed_training(model)
    yield from malformed_tune(model)
    yield from malformed_watch(model)
    yield from malformed_values(model)


def parts_are_specs(model: Model) -> Iterator[Problem]:
    """Features and target must be expressions; a bare column or a text is a slip."""
    for role, value in (*(("feature", feature) for feature in model.features), ("target", model.target)):
        if not isinstance(value, Expression) and not (role == "feature" and isinstance(value, ByCategory)):
            fix = "aggregate a column over a window: sales.amount.sum(last='30d')"
            yield Problem(f"{role} {value!r} is not a value at t", of(model), fix)
    if not model.features:
        yield Problem("there are no features", of(model), "name at least one: sales.count(last='30d')")
    active = model.observe.active if isinstance(model.observe, Every) else None
    if active is not None and not (isinstance(active, Expression) and active.is_condition):
        fix = "compare it with a number, or write active=sales.within('90d')"
        yield Problem(f"active={active!r} is no condition", of(model), fix)


def grid_exists(model: Model) -> Iterator[Problem]:
    """`Every` needs a calendar grid."""
    if isinstance(model.observe, Every):
        try:
            clock.Grid(model.observe.every)
        except (ValueError, TypeError) as error:
            yield Problem(f"observe: {error}", of(model), "Every('1 month', of=...)")


def tables_share_the_entity(model: Model) -> Iterator[Problem]:
    """All tables of a model must be about the entity that is observed, but for those reached through an attribute."""
    entity = model.observe.of.entity
    reached = {leaf.events.name for _, _, leaf in leaves(model) if isinstance(leaf, Aggregate) and leaf.via is not None}
    for table in model.tables():
        if table.entity != entity and table.name not in reached:
            fix = f"observe entities that {table.name} knows, or reach it through an attribute: via=<records>.<column>"
            yield Problem(f"{table.name} is about {table.entity!r}, but observed is {entity!r}", of(model), fix)


def names_are_unique(model: Model) -> Iterator[Problem]:
    """Two values of one name would be one column, upper and lower case alike; some names are keepfit's own."""
    if not re.fullmatch(NAME, model.name):
        yield Problem(f"{model.name!r} cannot be the name of a model", of(model), AS_A_NAME)
    rename = "rename it with .named('...')"
    reserved = RESERVED + (BOUNDS if model.training.interval is not None else ()) + (ANSWERED if model.labels else ())
    features = [feature.name for feature in model.features if isinstance(feature, Expression | ByCategory)]
    # the values of by= that are declared; those that are learned have names below its own
    grouped = [one for one in model.features if isinstance(one, ByCategory) and isinstance(one.values, tuple)]
    features += [value.name for one in grouped for value in one.expand()]
    names = Counter(name.lower() for name in features)
    for name in (name for name, times in names.items() if times > 1):
        yield Problem(f"two features are called {name!r}", of(model), f"drop one, or {rename}")
    for name in dict.fromkeys(features):
        if not re.fullmatch(NAME, name) or name.lower() in reserved:
            yield Problem(f"{name!r} cannot be a feature name", of(model), rename)
    if isinstance(model.target, Expression) and model.target.name.lower() in names:
        yield Problem(f"the target and a feature are called {model.target.name!r}", of(model), rename)


def metrics_exist(model: Model) -> Iterator[Problem]:
    """Metrics must exist and fit the task."""
    named = [model.metric, *(gate.metric for gate in model.gates if gate.kind == "threshold")]
    named += [leaf.metric for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow | EstimatedBelow)]
    fitting = [metric.name for metric in METRICS.values() if metric.measures(model.task, model.training)]
    for name in dict.fromkeys(named):
        if name in fitting:
            continue
        words = METRICS[name].words if name in METRICS and model.task in METRICS[name].tasks else ()
        if words:
            what, fix = DECLARED[words[0]]
            yield Problem(f"metric {name!r} is of models that declare {what}", of(model), fix)
        elif model.training.quantile is not None and name in METRICS and model.task in METRICS[name].tasks:
            yield Problem(f"metric {name!r} does not fit: a quantile is predicted", of(model), "use 'pinball'")
        else:
            yield Problem(
                f"metric {name!r} does not fit: the target is {KINDS[model.task]}",
                of(model),
                did_you_mean(name, fitting),
            )
    if model.metric in ONE_SIDED and model.metric in fitting:
        what = f"metric={model.metric!r} alone says nothing: intervals without bounds cover all, those of no width are narrow"
        yield Problem(what, of(model), f"use metric='pinball', and Gate({model.metric!r}, ...) beside it")


MODEL_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    parts_are_specs,
    *FEATURE_RULES,
    labels_can_be_told_apart,
    grid_exists,
    tables_share_the_entity,
    names_are_unique,
    metrics_exist,
    *GATE_RULES,
    *POLICY_RULES,
    *TRAINING_RULES,
    *PARAMETER_RULES,
    *TUNING_RULES,
    *WATCH_RULES,
)
