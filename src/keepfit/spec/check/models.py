"""The rules of one model and the tables it reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from zoneinfo import available_timezones

from keepfit import clock
from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import AS_A_NAME, NAME, WHERE, Problem, not_a_duration
from keepfit.spec.features import CALENDAR_PARTS, FUNCTIONS, Aggregate, Attribute, Calendar, Constant, Expression
from keepfit.spec.gates import Gate
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION, Model
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.policy import Condition, MetricBelow, OlderThan, Policy
from keepfit.spec.tables import Events, Records

# columns that stand beside the features in training sets, answers and profiles
RESERVED = ("entity", "t", "target", "score")


def _of(model: Model) -> str:
    return f"{WHERE}, Model {model.name!r}"


def malformed(model: Model) -> Iterator[Problem]:
    """What the other rules read must be there: observations of a table, gates, a policy of conditions."""
    of = model.observe.of if isinstance(model.observe, Every | EachRow) else None
    if not isinstance(of, Events) and not (isinstance(of, Records) and isinstance(model.observe, Every)):
        fix = "write Every('1 month', of=<Records or Events>) or EachRow(of=<Events>)"
        yield Problem(f"observe={model.observe!r} does not say which entities are observed", _of(model), fix)
    for gate in model.gates:
        if not isinstance(gate, Gate):
            fix = "call it: Gate('f1', threshold=0.8), Gate.not_worse_than_champion()"
            yield Problem(f"gate {gate!r} is no Gate", _of(model), fix)
    if not isinstance(model.policy, Policy) or not isinstance(model.policy.retrain, Condition):
        fix = "call the conditions: Policy(retrain=when.drift() | when.older_than('90d'))"
        yield Problem(f"policy={model.policy!r} has no condition to retrain on", _of(model), fix)


def parts_are_specs(model: Model) -> Iterator[Problem]:
    """Features and target must be expressions; a bare column or a text is a slip."""
    for role, value in (*(("feature", feature) for feature in model.features), ("target", model.target)):
        if not isinstance(value, Expression):
            fix = "aggregate a column over a window: sales.amount.sum(last='30d')"
            yield Problem(f"{role} {value!r} is not a value at t", _of(model), fix)
    if not model.features:
        yield Problem("there are no features", _of(model), "name at least one: sales.count(last='30d')")
    active = model.observe.active if isinstance(model.observe, Every) else None
    if active is not None and not (isinstance(active, Expression) and active.is_condition):
        fix = "compare it with a number, or write active=sales.within('90d')"
        yield Problem(f"active={active!r} is no condition", _of(model), fix)


def _leaves(model: Model) -> Iterator[tuple[str, Expression, Expression]]:
    roles = [("Feature", feature) for feature in model.features] + [("Target", model.target)]
    if isinstance(model.observe, Every) and model.observe.active is not None:
        roles.append(("Condition", model.observe.active))
    for role, expression in roles:
        if isinstance(expression, Expression):
            yield from ((role, expression, leaf) for leaf in expression.leaves())


def columns_exist(model: Model) -> Iterator[Problem]:
    """Each column that is read must be declared or derived, and be numeric where arithmetic needs it."""
    for role, expression, leaf in _leaves(model):
        table = leaf.events if isinstance(leaf, Aggregate) else leaf.records if isinstance(leaf, Attribute) else None
        column = leaf.column if isinstance(leaf, Aggregate | Attribute) else None
        if table is None or column is None:
            continue
        declared = table.type_of(column)
        if declared is None:
            fix = did_you_mean(column, table.column_names(), of=table.name)
            yield Problem(
                f"{role} {expression.name!r} reads unknown column {column!r} of {table.name}", _of(model), fix
            )
        elif isinstance(leaf, Aggregate) and not declared.numeric and leaf.function not in ("count", "time_since_last"):
            fix = f"derive a number from {column!r}, or count it: {table.name}.{column}.count(...)"
            yield Problem(
                f"{role} {expression.name!r}: {leaf.function} of {column!r}, which is {declared.kind}", _of(model), fix
            )
        elif (
            isinstance(leaf, Attribute) and not declared.numeric and (expression is not leaf or declared.kind == "text")
        ):
            fix = "use a category on its own as a feature, and free text through derive={...: Sentiment(...)}"
            yield Problem(
                f"{role} {expression.name!r} cannot use {column!r}, which is {declared.kind}", _of(model), fix
            )


def windows_are_durations(model: Model) -> Iterator[Problem]:
    """Windows must be exact durations, grids must be grids, zones must exist."""
    for role, expression, leaf in _leaves(model):
        if isinstance(leaf, Aggregate):
            for text in leaf.window.texts():
                yield from not_a_duration(text, f"{role} {expression.name!r}", _of(model))
            if leaf.function not in FUNCTIONS:
                yield Problem(
                    f"unknown aggregate {leaf.function!r}", _of(model), did_you_mean(leaf.function, FUNCTIONS)
                )
        if isinstance(leaf, Calendar) and leaf.part not in CALENDAR_PARTS:
            yield Problem(f"unknown calendar part {leaf.part!r}", _of(model), did_you_mean(leaf.part, CALENDAR_PARTS))
        if isinstance(leaf, Calendar) and leaf.zone not in available_timezones():
            yield Problem(f"unknown zone {leaf.zone!r}", _of(model), did_you_mean(leaf.zone, available_timezones()))
    if isinstance(model.observe, Every):
        try:
            clock.Grid(model.observe.every)
        except ValueError as error:
            yield Problem(f"observe: {error}", _of(model), "Every('1 month', of=...)")


def past_and_future_do_not_mix(model: Model) -> Iterator[Problem]:
    """Features and conditions look back, the target looks ahead: leakage is refused here."""
    for role, expression, leaf in _leaves(model):
        if isinstance(leaf, Calendar | Constant):
            continue
        future = isinstance(leaf, Aggregate) and leaf.window.future
        if role != "Target" and future:
            fix = "use last=; what lies after t can only be a target"
            yield Problem(f"{role} {expression.name!r} looks into the future", _of(model), fix)
        if role == "Target" and not future:
            fix = "use next= or at(...); a target lies in [t, t+h)"
            yield Problem(f"Target {expression.name!r} reads the past through {leaf.name!r}", _of(model), fix)
        if role == "Target" and future and _starts_before_t(leaf):
            fix = "at(...) reads [t + at - tolerance, t + at): give a tolerance no longer than at"
            yield Problem(f"Target {expression.name!r} reaches back before t", _of(model), fix)
    if isinstance(model.target, Expression) and not any(isinstance(leaf, Aggregate) for leaf in model.target.leaves()):
        fix = "aggregate events over a window: sales.count(next='30d')"
        yield Problem(f"Target {model.target.name!r} looks at no events", _of(model), fix)


def _starts_before_t(leaf: Expression) -> bool:
    try:
        start, _ = leaf.window.offsets() if isinstance(leaf, Aggregate) else (0, 0)
    except (ValueError, TypeError):
        return False  # `windows_are_durations` reports it
    return start is not None and start < 0


def tables_share_the_entity(model: Model) -> Iterator[Problem]:
    """All tables of a model must be about the entity that is observed."""
    entity = model.observe.of.entity
    for table in model.tables():
        if table.entity != entity:
            fix = f"observe entities that {table.name} knows, or give both tables the same entity column"
            yield Problem(f"{table.name} is about {table.entity!r}, but observed is {entity!r}", _of(model), fix)


def names_are_unique(model: Model) -> Iterator[Problem]:
    """Two values of one name would be one column, upper and lower case alike; some names are keepfit's own."""
    if not re.fullmatch(NAME, model.name):
        yield Problem(f"{model.name!r} cannot be the name of a model", _of(model), AS_A_NAME)
    rename = "rename it with .named('...')"
    features = [feature.name for feature in model.features if isinstance(feature, Expression)]
    names = Counter(name.lower() for name in features)
    for name in (name for name, times in names.items() if times > 1):
        yield Problem(f"two features are called {name!r}", _of(model), f"drop one, or {rename}")
    for name in dict.fromkeys(features):
        if not re.fullmatch(NAME, name) or name.lower() in RESERVED:
            yield Problem(f"{name!r} cannot be a feature name", _of(model), rename)
    if isinstance(model.target, Expression) and model.target.name.lower() in names:
        yield Problem(f"the target and a feature are called {model.target.name!r}", _of(model), rename)


def leaves_are_told_apart(model: Model) -> Iterator[Problem]:
    """Leaves are computed once a name, so two that differ may not share one: `a.b_c` and `a_b.c`."""
    seen: dict[str, str] = {}
    for _, _, leaf in _leaves(model):
        written = repr(leaf).replace(" ", "")
        if not isinstance(leaf, Constant) and seen.setdefault(leaf.name, written) != written:
            fix = "rename a table, or a column with source='<its header>'"
            yield Problem(f"two different values are called {leaf.name!r}", _of(model), fix)


def metrics_exist(model: Model) -> Iterator[Problem]:
    """Metrics must exist and fit the task."""
    named = [model.metric, *(gate.metric for gate in model.gates if gate.kind == "threshold")]
    named += [leaf.metric for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow)]
    fitting = [metric.name for metric in METRICS.values() if metric.task == model.task]
    for name in dict.fromkeys(named):
        if name not in fitting:
            kind = "a comparison, so a classification" if model.task == CLASSIFICATION else "a number, so a regression"
            yield Problem(
                f"metric {name!r} does not fit: the target is {kind}", _of(model), did_you_mean(name, fitting)
            )


def gates_and_policy_fit(model: Model) -> Iterator[Problem]:
    """Fairness needs an attribute among the features; delays must be durations."""
    attributes = {feature.column for feature in model.features if isinstance(feature, Attribute)}
    for gate in model.gates:
        if gate.kind == "fairness" and gate.column not in attributes:
            fix = did_you_mean(str(gate.column), attributes, of="the model")
            yield Problem(f"Gate.fair_across({gate.column!r}): no such attribute among the features", _of(model), fix)
    delays = [("cooldown", model.policy.cooldown), ("probation", model.policy.probation)]
    delays += [("older_than", leaf.age) for leaf in model.policy.retrain.leaves() if isinstance(leaf, OlderThan)]
    for what, text in delays:
        yield from not_a_duration(text, f"policy {what}", _of(model))


MODEL_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    parts_are_specs,
    columns_exist,
    windows_are_durations,
    past_and_future_do_not_mix,
    tables_share_the_entity,
    names_are_unique,
    leaves_are_told_apart,
    metrics_exist,
    gates_and_policy_fit,
)
