"""Gates: what is known of a version held against the bounds that it must meet before it may be promoted.

A new kind of gate is a function `(gate, candidate) -> Verdict` and an entry in `JUDGES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from keepfit.evidence import Candidate, Estimate, Verdict
from keepfit.measure.wording import number, signed
from keepfit.spec.gates import (
    ABSOLUTE,
    APPROVAL,
    CHAMPION,
    DOCUMENTS,
    FAIRNESS,
    GAP,
    LATENCY,
    PARITY,
    RELATIVE,
    ROUNDED,
    SIZE,
    THRESHOLD,
    Gate,
)
from keepfit.spec.metric import METRICS
from keepfit.spec.model import CLASSIFICATION

FEWEST_ROWS = 30
"""Groups with fewer rows to judge on are left out of fairness: their rates are mostly chance."""
REQUIRED = ("evaluation.json", "evaluation.html", "report.json", "worst.csv")
"""The documents that a version must have: what it showed, as data and as a page, and its worst predictions."""
MEGABYTE = 1_000_000
GAIN = "champion.gain"


def judge(gates: Sequence[Gate], candidate: Candidate) -> tuple[Verdict, ...]:
    """Return what each gate found, in the order of the gates.

    A gate whose evidence is missing or undefined does not pass; only the absence of a champion, or of groups large
    enough to compare, lets a gate pass without a value.

    Returns
    -------
    tuple of Verdict
        `value` is what was held to the bound: the metric, the gain or the low end of its interval, the ratio or the difference
        of the groups, milliseconds, megabytes, the largest difference, documents, people.
    """
    return tuple(JUDGES[gate.kind](gate, candidate) for gate in gates)


def _threshold(gate: Gate, candidate: Candidate) -> Verdict:
    metric = gate.metric or candidate.evaluation.metric
    value = candidate.evaluation.metrics.get(metric, math.nan)
    if math.isnan(value):
        return _without_value(gate, f"{metric} is undefined on the test rows, the bound is {number(gate.threshold)}")
    passed = METRICS[metric].reaches(value, gate.threshold)
    sign = {(True, True): ">=", (True, False): "<", (False, True): "<=", (False, False): ">"}
    relation = sign[METRICS[metric].greater_is_better, passed]
    reason = f"{metric} {number(value, gate.threshold)} {relation} {number(gate.threshold, value)}"
    return Verdict(gate.name, passed, value, gate.threshold, reason, f"test.{metric}")


def _champion(gate: Gate, candidate: Candidate) -> Verdict:
    bound = -gate.threshold
    gain = _gain(gate, candidate, bound)
    if isinstance(gain, Verdict):
        return gain
    if math.isnan(gain.low):
        return _without_value(gate, f"the gain over the champion is undefined on {gain.rows:,} rows", bound=bound)
    passed = gain.low > bound
    interval = f"{signed(gain.value)} [{number(gain.low, bound)}, {number(gain.high)}]"
    relation = "lies above" if passed else "does not lie above"
    reason = f"gain over the champion {interval} {relation} {number(bound, gain.low)}"
    return Verdict(gate.name, passed, gain.low, bound, reason, GAIN)


def _absolute(gate: Gate, candidate: Candidate) -> Verdict:
    gain = _gain(gate, candidate, gate.threshold)
    if isinstance(gain, Verdict):
        return gain
    return _changed(gate, gain.value, f"{candidate.evaluation.metric} is better than the champion's by")


def _relative(gate: Gate, candidate: Candidate) -> Verdict:
    gain, evaluation = _gain(gate, candidate, gate.threshold), candidate.evaluation
    if isinstance(gain, Verdict):
        return gain
    own = evaluation.metrics.get(evaluation.metric, math.nan)
    before = abs(own - gain.value if METRICS[evaluation.metric].greater_is_better else own + gain.value)
    share = gain.value / before if before else math.nan
    return _changed(gate, share, f"{evaluation.metric} is better than the champion's {number(before)} by a share of")


def _changed(gate: Gate, change: float, words: str) -> Verdict:
    if math.isnan(change):
        return _without_value(gate, "the gain over the champion is undefined on the test rows")
    passed = change >= gate.threshold
    relation = ">=" if passed else "<"
    reason = f"{words} {number(change, gate.threshold)} {relation} {number(gate.threshold, change)}"
    return Verdict(gate.name, passed, change, gate.threshold, reason, GAIN)


def _gain(gate: Gate, candidate: Candidate, bound: float) -> Estimate | Verdict:
    """Return the gain over the champion; or the verdict, if there is none to compare with or it was another one."""
    now, then = candidate.champion, candidate.against
    if now is not None and then is not None and now not in (then, candidate.number):
        before = f"with version {then}" if then else "with no champion"
        reason = f"it was compared {before} when it was trained, and version {now} is the champion now"
        return _without_value(gate, reason, bound=bound)
    found = candidate.evaluation.against_champion
    # before it is recorded it has no number, and is compared with the champion of that moment
    if found is None and then is None and candidate.number and now not in (None, candidate.number):
        reason = (
            f"it was not compared with version {now}, the champion now: train one here, or promote it with --override"
        )
        return _without_value(gate, reason, bound=bound)
    return found or _without_value(gate, "no champion to compare with", passed=True, bound=bound)


def _fairness(gate: Gate, candidate: Candidate) -> Verdict:
    return _between_groups(
        gate,
        candidate,
        # low over high either way: for an error the worst is the highest; all rates 0 means no difference
        lambda low, high: low / high if high > 0 else 1.0,
        lambda value: ("ratio", ">=" if value >= gate.threshold else "<", value >= gate.threshold),
    )


def _gap(gate: Gate, candidate: Candidate) -> Verdict:
    return _between_groups(
        gate,
        candidate,
        lambda low, high: high - low,
        lambda value: ("difference", "<=" if value <= gate.threshold else ">", value <= gate.threshold),
    )


def _between_groups(
    gate: Gate,
    candidate: Candidate,
    compare: Callable[[float, float], float],
    hold: Callable[[float], tuple[str, str, bool]],
) -> Verdict:
    """Return the verdict on the groups with the lowest and the highest rate, compared and held to the bound."""
    groups, task = candidate.evaluation.groups.get(gate.column or ""), candidate.evaluation.task
    if groups is None:
        return _without_value(gate, f"the groups of {gate.column} were not measured")
    rates = {name: group["rate"] for name, group in groups.items() if group["rows"] >= FEWEST_ROWS}
    if len(rates) < 2:
        found = f"only group {next(iter(rates))!r}" if rates else "no group"
        return _without_value(gate, f"{found} of {gate.column} has {FEWEST_ROWS} rows to judge on", passed=True)
    low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
    value = compare(rates[low], rates[high])
    word, relation, passed = hold(value)
    worst, best = (low, high) if task == CLASSIFICATION else (high, low)
    rate = "true positive rate" if task == CLASSIFICATION else "mean absolute error"
    reason = (
        f"{rate} by {gate.column}: worst {_group(worst, groups[worst])}, best {_group(best, groups[best])}, "
        f"{word} {number(value, gate.threshold)} {relation} {number(gate.threshold, value)}"
    )
    evidence = f"group.{gate.column}.{worst}" + (".tpr" if task == CLASSIFICATION else "")
    return Verdict(gate.name, passed, value, gate.threshold, reason, evidence)


def _group(name: str, found: dict[str, float]) -> str:
    return f"{name!r} {number(found['rate'])} ({found['rows']:,.0f} rows)"


def _latency(gate: Gate, candidate: Candidate) -> Verdict:
    found = candidate.latency
    if found is None:
        return _without_value(gate, "its latency was not measured")
    reason = f"of {found.rows:,} single rows on {found.machine}"
    return _at_most(gate, found.p99_ms, "p99", "ms", reason, "latency.p99_ms")


def _size(gate: Gate, candidate: Candidate) -> Verdict:
    value = sum(candidate.files.values()) / MEGABYTE
    return _at_most(gate, value, f"{len(candidate.files)} files", "MB", "together", "size.megabytes")


def _at_most(gate: Gate, value: float, words: str, unit: str, more: str, evidence: str) -> Verdict:
    passed = value <= gate.threshold
    bound = f"{'<=' if passed else '>'} {number(gate.threshold, value)}"
    reason = f"{words} {number(value, gate.threshold)} {unit} {bound} {unit} {more}"
    return Verdict(gate.name, passed, value, gate.threshold, reason, evidence)


def _parity(gate: Gate, candidate: Candidate) -> Verdict:
    measured = candidate.parity.routes if candidate.parity else {}
    routes = {name: one for name, one in measured.items() if _asked(gate, name)}
    if missing := [name for name in gate.routes if name not in routes]:
        return _without_value(gate, f"no certificate has {', '.join(missing)}: measure it with keepfit parity")
    if not any(one.rows for one in routes.values()):
        return _without_value(
            gate, "no certificate: whether every way to an answer gives the same one was not measured"
        )
    worst = max(
        routes, key=lambda name: (routes[name].flipped, bool(routes[name].skewed), routes[name].largest_difference)
    )
    found, largest = routes[worst], max(one.largest_difference for one in routes.values())
    agree = all(one.flipped <= gate.flips * one.rows and not one.skewed for one in routes.values())
    flips = f"{found.flipped:,} of {found.rows:,} decisions flipped" if found.flipped else "no decision flipped"
    relation = f"{'<=' if largest <= gate.threshold else '>'} {number(gate.threshold, largest)}"
    ways = "1 route" if len(routes) == 1 else f"{len(routes)} routes"
    reason = f"{ways}, {flips} ({worst}), largest difference {number(largest, gate.threshold)} {relation}"
    may = f"up to {number(gate.flips)} of decisions may flip" if gate.flips else ""
    told = "".join(f", {words}" for words in (may, _skewed(found.skewed), found.refused) if words)
    passed = agree and largest <= gate.threshold
    return Verdict(gate.name, passed, largest, gate.threshold, reason + told, f"parity.{worst}")


def _asked(gate: Gate, route: str) -> bool:
    return route in gate.routes if gate.routes else route not in ROUNDED


def _skewed(found: dict[str, int]) -> str:
    names = sorted(found, key=lambda name: -found[name])
    return f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''} computed otherwise" if names else ""


def _documents(gate: Gate, candidate: Candidate) -> Verdict:
    missing = [name for name in REQUIRED if name not in candidate.files]
    there = len(REQUIRED) - len(missing)
    reason = f"without {', '.join(missing)}" if missing else f"has {', '.join(REQUIRED)}"
    return Verdict(gate.name, not missing, float(there), float(len(REQUIRED)), reason, "documents")


def _approval(gate: Gate, candidate: Candidate) -> Verdict:
    given, needed = candidate.approvals, int(gate.threshold)
    passed = len(given) >= needed
    people = f"{len(given)} of {needed} approvals"
    reason = f"approved by {', '.join(given)}" if passed else f"waits for approval: {people}"
    return Verdict(gate.name, passed, float(len(given)), gate.threshold, reason, ", ".join(given.values()))


def _without_value(gate: Gate, reason: str, *, passed: bool = False, bound: float | None = None) -> Verdict:
    return Verdict(gate.name, passed, None, gate.threshold if bound is None else bound, reason)


JUDGES: dict[str, Callable[[Gate, Candidate], Verdict]] = {
    THRESHOLD: _threshold,
    ABSOLUTE: _absolute,
    RELATIVE: _relative,
    CHAMPION: _champion,
    FAIRNESS: _fairness,
    GAP: _gap,
    LATENCY: _latency,
    SIZE: _size,
    PARITY: _parity,
    DOCUMENTS: _documents,
    APPROVAL: _approval,
}
"""Each kind of gate, and who judges it."""
