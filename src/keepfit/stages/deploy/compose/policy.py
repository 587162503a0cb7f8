"""Alert rules that follow from what a model declares: its policy, its gates, and its budget of false alarms.

What they read is told by the server, which has it of the loop's last turn (`keepfit.stages.serving.watched`). A rule looks at the
version that answers now: what was measured of the one before it is over with the promotion. The bounds are those that
`keepfit run` tells by itself (docs/alerts.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from keepfit import clock
from keepfit.spec.gates import THRESHOLD
from keepfit.spec.metric import METRICS
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.spec.policy import Condition, Drift, EstimatedBelow, MetricBelow, OlderThan

ANSWERS = "and on (service, model, version) keepfit_champion_trained_timestamp_seconds"
BY = "by (service, model)"
EACH = "by (service, model, version, column)"
LOOK = "`keepfit watch` shows which columns and metrics (README, 2). "
RETRAIN = "A turn decides by the policy: docker compose run --rm loop. By hand: keepfit train, gates, promote."
VALUE = '{{ $value | printf "%.3g" }}'
HEADER = """# What the definition of {model} declares, as alerts: its policy, its gates and its budget of false alarms.
# Written by `keepfit deploy compose`; change definitions.py, and write it again.
"""
Rule = dict[str, Any]


def policy_rules(model: Model) -> bytes:
    """Return the rules of a model as Prometheus reads them."""
    leaves = model.policy.retrain.leaves()
    rules = [*_metrics(model, leaves), *_drift(model, leaves), *_age(model, leaves), _blocked()]
    said = yaml.safe_dump(
        {"groups": [{"name": "keepfit-policy", "rules": rules}]}, sort_keys=False, width=140, allow_unicode=True
    )
    return (HEADER.format(model=model.name) + said).encode()


def _rule(name: str, expr: str, severity: str, said: tuple[str, str, str], **labels: str) -> Rule:
    summary, description, runbook = said
    told = {"summary": summary, "description": description, "runbook": runbook}
    # a promotion moves the pointer and what is told of the version a moment apart
    return {"alert": name, "expr": expr, "for": "5m", "labels": {"severity": severity, **labels}, "annotations": told}


def _metrics(model: Model, leaves: list[Condition]) -> Iterator[Rule]:
    """Yield a rule for each bound: of realised metrics the policy's, or else a gate's; of estimates their own, or else that."""
    realised = {
        gate.metric: gate.threshold for gate in model.gates if gate.kind == THRESHOLD and gate.metric in METRICS
    }
    realised |= {leaf.metric: leaf.threshold for leaf in leaves if isinstance(leaf, MetricBelow)}
    estimated = realised | {leaf.metric: leaf.threshold for leaf in leaves if isinstance(leaf, EstimatedBelow)}
    for name, bound in realised.items():
        higher = METRICS[name].greater_is_better
        sign, side, worst = ("<", "below", "min") if higher else (">", "above", "max")
        series = f'keepfit_model_metric{{stage="realised", metric="{name}"}} {sign} {bound:g}'
        said = (
            f"{name} of {{{{ $labels.model }}}} is {VALUE}, {side} {bound:g}",
            f"On the newest rows whose labels have matured, {name} is {side} the declared {bound:g}.",
            LOOK + RETRAIN,
        )
        yield _rule("KeepfitMetric", f"{worst} {BY} ({series} {ANSWERS})", "critical", said, metric=name)
    for name, bound in estimated.items():
        higher = METRICS[name].greater_is_better
        end, sign, side, worst = ("high", "<", "below", "min") if higher else ("low", ">", "above", "max")
        series = f'keepfit_model_metric_{end}{{stage="estimated", metric="{name}"}} {sign} {bound:g}'
        said = (
            f"{name} of {{{{ $labels.model }}}} is expected to be {side} {bound:g}",
            f"Before labels mature, all of the 90% interval of {name} lies {side} {bound:g}: {VALUE} at best.",
            f"{LOOK}Inputs that drifted say why; what they mean may have changed, too. {RETRAIN}",
        )
        yield _rule("KeepfitEstimate", f"{worst} {BY} ({series} {ANSWERS})", "warning", said, metric=name)


def _drift(model: Model, leaves: list[Condition]) -> Iterator[Rule]:
    for leaf in leaves:
        if isinstance(leaf, Drift):
            least = 2 if leaf.severity == "critical" else 1
            series = f"keepfit_drift_severity >= {least}"
            if leaf.severity is None:
                series = f"keepfit_drift_psi >= {leaf.psi:g} and on (service, model, version, column) {series}"
            said = (
                "{{ $value }} columns of {{ $labels.model }} drifted",
                f"The policy retrains when {_spoken(leaf)}. The budget of false alarms is {model.watch.alarms}.",
                LOOK + RETRAIN,
            )
            yield _rule("KeepfitDrift", _columns(series), "warning", said)
    said = (
        "{{ $value }} columns of {{ $labels.model }} drifted so that it costs",
        f"Each is an alarm within the budget of {model.watch.alarms}, and is expected to raise the loss by a tenth or more, "
        "or holds values that were never seen.",
        f"{LOOK}A source that changed is mended there, not by a training. {RETRAIN}",
    )
    yield _rule("KeepfitDriftCritical", _columns("keepfit_drift_severity >= 2"), "critical", said)


def _spoken(leaf: Drift) -> str:
    return (
        f"drift is {leaf.severity}" if leaf.severity else f"a column's PSI reaches {leaf.psi:g} and that is no chance"
    )


def _columns(series: str) -> str:
    """Return how many columns a condition holds of, each once however many servers tell it."""
    return f"count {BY} (max {EACH} ({series} {ANSWERS}))"


def _age(model: Model, leaves: list[Condition]) -> Iterator[Rule]:
    """Yield a rule for each age: it is told when the turn after it has not trained, or what it trained was no better."""
    step = clock.Grid(model.observe.every).step if isinstance(model.observe, Every) else clock.DAY
    for leaf in leaves:
        if isinstance(leaf, OlderThan):
            most = (clock.duration(leaf.age) + step) // clock.SECOND
            said = (
                "The champion of {{ $labels.model }} is {{ $value | humanizeDuration }} old",
                f"The policy retrains after {leaf.age}; the turn after that did not run, or its version failed a gate.",
                "`keepfit ledger` says why. " + RETRAIN,
            )
            age = f"time() - max {BY} (keepfit_champion_trained_timestamp_seconds)"
            yield _rule("KeepfitOld", f"{age} > {most}", "warning", said)


def _blocked() -> Rule:
    said = (
        "The last turn of {{ $labels.model }} was stopped by its data",
        "A table is not as its declaration expects. The champion goes on answering; nothing else is done.",
        "`keepfit run` and `keepfit quarantine list` say which. Mend the source, or accept it: keepfit ingest --accept TABLE.",
    )
    return _rule("KeepfitBlocked", f"max {BY} (keepfit_turn_blocked) == 1", "critical", said)
