"""The tables of a replay: every turn with its reasons, and what the last evaluation showed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepfit import clock
from keepfit.evidence import KEEP, Drift, Evaluation, Turn, Verdict
from keepfit.spec.metric import METRICS, Metric
from keepfit.stages.reports.page import Html, badge, breakable, element, join, table
from keepfit.stages.reports.summary import Column, number, signed, version_name

GROUP_ROWS = 30


def turns_table(turns: Sequence[Turn], metric: Metric, threshold: float | None) -> Html:
    """Return one row per turn: when, which rows, which champion, how it did, what drifted, what was decided and why."""
    heads = ["As of", "Decision", "Champion", f"Realised {metric.name}", "Strongest drift", "Rows"]
    rows = [
        [
            clock.show(turn.as_of),
            _decision(turn),
            version_name(turn.champion.version) if turn.champion else _quiet("none yet"),
            _realised(turn, metric, threshold),
            _strongest(turn.drift),
            _rows(turn.rows),
        ]
        for turn in turns
    ]
    return table(heads, rows, "turns cards")


def _quiet(text: str) -> Html:
    return element("span", text, class_="quiet")


def _decision(turn: Turn) -> Html:
    reasons = [element("p", _sentence(reason)) for reason in turn.reasons if reason.strip()]
    style = "decision keep" if turn.decision == KEEP else "decision"
    return element("div", badge(turn.decision), *reasons, class_=style)


def _sentence(reason: str) -> str:
    text = reason.strip()
    return text if text[-1] in ".!?" else f"{text}."


def _realised(turn: Turn, metric: Metric, threshold: float | None) -> Html:
    if turn.realised is None:
        return _quiet("\u2013")
    real = turn.realised
    value, baseline = real.metrics.get(metric.name, math.nan), real.baseline.get(metric.name, math.nan)
    missed = threshold is not None and math.isfinite(value) and not metric.reaches(value, threshold)
    side = "below" if metric.greater_is_better else "above"
    note = element("span", f"{side} {number(threshold)}", class_="missed") if missed else Html()
    first, last = clock.show(real.from_at), clock.show(real.to_at)
    when = last if first == last else f"{first} to {last}"
    parts = [element("strong", number(value)), note, _quiet(f"baseline {number(baseline)}")]
    parts += [_quiet(f"{version_name(real.version)} on {real.rows:,} rows"), _quiet(f"of {when}")]
    return join(parts, " ")


def _strongest(drifts: Sequence[Drift]) -> Html:
    finite = [drift for drift in drifts if drift.binned and math.isfinite(drift.psi)]
    if not finite:
        return _quiet("\u2013")
    worst = max(finite, key=lambda drift: drift.psi)
    found = "significant" if worst.significant else "not significant"
    return join([breakable(worst.column), f"PSI {number(worst.psi)}", _quiet(found)], " ")


def _rows(rows: dict[str, int]) -> Html:
    parts = [join([element("span", f"{count:,}", class_="count"), kind], " ") for kind, count in rows.items()]
    return join([element("span", part, class_="line") for part in parts], " ") if parts else _quiet("\u2013")


def metrics_table(evaluation: Evaluation) -> Html:
    """Return every metric of the test rows beside the trivial baseline, with the gain."""
    names = list(dict.fromkeys([evaluation.metric, *evaluation.metrics]))
    rows = [_metric_row(name, evaluation) for name in names]
    heads = ["Metric", "Model", "Baseline", "Better by", "Which is better"]
    return table(heads, rows, "plain slim", numeric=frozenset({1, 2, 3}))


def _metric_row(name: str, evaluation: Evaluation) -> list[str]:
    metric = METRICS.get(name)
    value, baseline = evaluation.metrics.get(name, math.nan), evaluation.baseline.get(name, math.nan)
    gain = metric.gain(value, baseline) if metric else math.nan
    direction = (metric and metric.direction) or "\u2013"
    label = element("strong", name) if name == evaluation.metric else name
    return [label, number(value), number(baseline), signed(gain), direction]


def gates_table(verdicts: Sequence[Verdict]) -> Html:
    """Return what each gate asked and found, with pass or fail as a sign and a word."""
    rows = [
        [
            _passed(verdict.passed),
            element("code", verdict.gate),
            number(verdict.value),
            number(verdict.bound),
            verdict.reason,
        ]
        for verdict in verdicts
    ]
    return table(["Outcome", "Gate", "Found", "Bound", "Reason"], rows, "plain cards", numeric=frozenset({2, 3}))


def _passed(passed: bool) -> Html:
    sign, word, style = ("\u2713", "pass", "pass") if passed else ("\u2715", "fail", "fail")
    return element("span", element("span", sign, aria_hidden="true"), f" {word}", class_=style)


def groups_table(evaluation: Evaluation) -> Html:
    """Return each group's rate and how it compares with the best; groups with few rows are shown but not compared."""
    lower = evaluation.task == "regression"
    rate = "Mean absolute error" if lower else "True positive rate"
    rows = [
        [
            f"{column}: {group}",
            f"{int(facts.get('rows', 0)):,}",
            number(facts.get("rate")),
            _bar(facts, groups),
            _against(facts, groups, lower),
        ]
        for column, groups in evaluation.groups.items()
        for group, facts in groups.items()
    ]
    return table(
        ["Group", "Judged rows", rate, "", "Against the best"], rows, "plain groups", numeric=frozenset({1, 2})
    )


def _judged(groups: dict[str, dict[str, float]]) -> list[float]:
    return [
        facts["rate"]
        for facts in groups.values()
        if facts.get("rows", 0) >= GROUP_ROWS and math.isfinite(facts.get("rate", math.nan))
    ]


def _bar(facts: dict[str, float], groups: dict[str, dict[str, float]]) -> Html:
    rates = [one.get("rate", math.nan) for one in groups.values()]
    most, rate = max([rate for rate in rates if math.isfinite(rate)], default=0.0), facts.get("rate", math.nan)
    share = rate / most if most > 0 and math.isfinite(rate) else 0.0
    return element("span", element("span", style=f"width:{share:.1%}"), class_="bar", aria_hidden="true")


def _against(facts: dict[str, float], groups: dict[str, dict[str, float]], lower: bool) -> str:
    rates, rate = _judged(groups), facts.get("rate", math.nan)
    if facts.get("rows", 0) < GROUP_ROWS:
        return _quiet(f"fewer than {GROUP_ROWS} rows, not compared")
    if not rates or not math.isfinite(rate):
        return "\u2013"
    best = min(rates) if lower else max(rates)
    top, bottom = (best, rate) if lower else (rate, best)
    return f"{top / bottom:.2f}" if bottom else "\u2013"


def columns_table(columns: Sequence[Column]) -> Html:
    """Return the largest PSI of each column with the test it was judged by, for those who want the numbers."""
    rows = [
        [
            breakable(column.name),
            number(column.worst.psi),
            clock.show(column.worst_at),
            number(column.cells[-1][1].psi),
            f"{sum(drift.significant for _, drift in column.cells)} of {len(column.cells)}",
            f"{column.worst.test}: {number(column.worst.statistic)}, p {number(column.worst.p_value)}",
        ]
        for column in columns
    ]
    heads = ["Column", "Largest PSI", "As of", "Last PSI", "Significant turns", "Test at the largest"]
    return table(heads, rows, "plain cards", numeric=frozenset({1, 2, 3, 4}))
