"""Gates: an evaluation held against the bounds that a challenger must meet before it may be promoted.

A new kind of gate is a function `(gate, evaluation) -> Verdict` and an entry in `JUDGES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from keepfit.evidence import Evaluation, Verdict
from keepfit.measure.wording import number, signed
from keepfit.spec.gates import Gate
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION

FEWEST_ROWS = 30
"""Groups with fewer rows to judge on are left out of fairness: their rates are mostly chance."""


def judge(gates: Sequence[Gate], evaluation: Evaluation) -> tuple[Verdict, ...]:
    """Return what each gate found, in the order of the gates.

    A gate whose evidence is missing or undefined does not pass; only the absence of a champion, or of groups large
    enough to compare, lets a gate pass without a value.

    Returns
    -------
    tuple of Verdict
        `value` is what was held to the bound: the metric, the low end of the gain's interval, or the ratio of the
        groups.
    """
    return tuple(JUDGES[gate.kind](gate, evaluation) for gate in gates)


def _threshold(gate: Gate, evaluation: Evaluation) -> Verdict:
    metric = gate.metric or evaluation.metric
    value = evaluation.metrics.get(metric, math.nan)
    if math.isnan(value):
        return _without_value(gate, f"{metric} is undefined on the test rows, the bound is {number(gate.threshold)}")
    passed = METRICS[metric].reaches(value, gate.threshold)
    sign = {(True, True): ">=", (True, False): "<", (False, True): "<=", (False, False): ">"}
    relation = sign[METRICS[metric].greater_is_better, passed]
    reason = f"{metric} {number(value, gate.threshold)} {relation} {number(gate.threshold, value)}"
    return Verdict(gate.name, passed, value, gate.threshold, reason)


def _champion(gate: Gate, evaluation: Evaluation) -> Verdict:
    gain, bound = evaluation.against_champion, -gate.threshold
    if gain is None:
        return _without_value(gate, "no champion to compare with", passed=True, bound=bound)
    if math.isnan(gain.low):
        return _without_value(gate, f"the gain over the champion is undefined on {gain.rows:,} rows", bound=bound)
    passed = gain.low > bound
    interval = f"{signed(gain.value)} [{number(gain.low, bound)}, {number(gain.high)}]"
    relation = "lies above" if passed else "does not lie above"
    reason = f"gain over the champion {interval} {relation} {number(bound, gain.low)}"
    return Verdict(gate.name, passed, gain.low, bound, reason)


def _fairness(gate: Gate, evaluation: Evaluation) -> Verdict:
    groups = evaluation.groups.get(gate.column or "")
    if groups is None:
        return _without_value(gate, f"the groups of {gate.column} were not measured")
    rates = {name: group["rate"] for name, group in groups.items() if group["rows"] >= FEWEST_ROWS}
    if len(rates) < 2:
        found = f"only group {next(iter(rates))!r}" if rates else "no group"
        return _without_value(gate, f"{found} of {gate.column} has {FEWEST_ROWS} rows to judge on", passed=True)
    low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    # Low over high either way: for an error the worst is the highest. All rates 0 means no difference.
    share = rates[low] / rates[high] if rates[high] > 0 else 1.0
    passed = share >= gate.threshold
    worst, best = (low, high) if evaluation.task == CLASSIFICATION else (high, low)
    rate = "true positive rate" if evaluation.task == CLASSIFICATION else "mean absolute error"
    reason = (
        f"{rate} by {gate.column}: worst {_group(worst, groups[worst])}, best {_group(best, groups[best])}, "
        f"ratio {number(share, gate.threshold)} {'>=' if passed else '<'} {number(gate.threshold, share)}"
    )
    return Verdict(gate.name, passed, share, gate.threshold, reason)


def _group(name: str, found: dict[str, float]) -> str:
    return f"{name!r} {number(found['rate'])} ({found['rows']:,.0f} rows)"


def _without_value(gate: Gate, reason: str, *, passed: bool = False, bound: float | None = None) -> Verdict:
    return Verdict(gate.name, passed, None, gate.threshold if bound is None else bound, reason)


JUDGES: dict[str, Callable[[Gate, Evaluation], Verdict]] = {
    "threshold": _threshold,
    "champion": _champion,
    "fairness": _fairness,
}
"""Each kind of gate, and who judges it."""
