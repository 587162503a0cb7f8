"""The sentences of the page of a watched champion. Each holds only numbers that the evidence holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keepfit import clock
from keepfit.evidence import CRITICAL, INFO, PREDICTION, Evaluation, Evidence, Symptom
from keepfit.measure.wording import number as apart
from keepfit.spec.metric import Metric
from keepfit.stages.reports import drift
from keepfit.stages.reports.summary import Window, number, plural
from keepfit.stages.reports.watching_charts import Expected


def verdict(evidence: Evidence, symptoms: Sequence[Symptom], metric: Metric, bound: float | None) -> str:
    """Return in one sentence what is worth knowing first."""
    real = evidence.realised
    value = real.metrics.get(metric.name, math.nan) if real else math.nan
    odd = [one.sentence for one in evidence.signs if one.severity != INFO]
    parts = ([one.sentence for one in symptoms if one.severity == CRITICAL] or odd)[:1]
    if bound is not None and math.isfinite(value) and not metric.reaches(value, bound):
        side = "below" if metric.greater_is_better else "above"
        verb = "fell" if metric.greater_is_better else "rose"
        parts.append(f"{metric.name} {verb} to {apart(value, bound)}, {side} {apart(bound, value)}")
    elif bound is not None and (surely := _surely_worse(evidence, metric, bound)):
        parts.append(surely)
    moved = drift.columns(evidence.drift)
    parts += [drift.whole_says(one) for one in drift.alarms(evidence.drift) if not one.binned]
    if drift.alarms(moved):
        parts.append(drift.says(moved, brief=bool(parts)))
    if parts:
        return "; ".join(parts)
    told = evidence.estimated.metrics.get(metric.name) if evidence.estimated else None
    how = f"{metric.name} is estimated at {number(told.value)}" if told else "no labels have matured yet"
    how = f"{metric.name} is {number(value)} on matured rows" if math.isfinite(value) else how
    columns = f"none of {plural(len(moved), 'column')} drifted" if moved else "no drift was measured"
    return f"Nothing is out of the ordinary: {columns}, and {how}"


def _surely_worse(evidence: Evidence, metric: Metric, bound: float) -> str:
    told = evidence.estimated
    one = told.metrics.get(metric.name) if told else None
    if one is None:
        return ""
    best = one.high if metric.greater_is_better else one.low
    if not math.isfinite(best) or metric.reaches(best, bound):
        return ""
    side = "below" if metric.greater_is_better else "above"
    return f"{metric.name} is expected to be {number(one.value)}, surely {side} {number(bound)}"


def lead(evidence: Evidence, budget: str) -> list[str]:
    """Return what was watched of which version, in a few sentences."""
    champion, said = evidence.champion, []
    if champion is not None:
        days = (evidence.as_of - champion.trained_at) // clock.DAY
        ago = f", {plural(days, 'day')} ago" if days else ""
        said.append(f"Version {champion.version} was trained as of {clock.show(champion.trained_at)}{ago}.")
    if moved := [one for one in evidence.drift if one.kind == PREDICTION]:
        rows = f"{moved[0].rows:,}"
        said.append(f"Its newest {rows} predictions and their inputs are held against the rows that it was made with.")
        said.append(f"The budget of false alarms is {budget}.")
    if evidence.estimated is not None:
        said.append(sentence(f"estimated before labels mature: {evidence.estimated.sentence}"))
    return said


def sentence(text: str) -> str:
    """Return a text as a sentence."""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?' else '.'}"


def metrics_say(evidence: Evidence, tested: Evaluation | None, metric: Metric) -> str:
    """Return the message of the metrics."""
    real, name = evidence.realised, metric.name
    if real is None or not math.isfinite(real.metrics.get(name, math.nan)):
        return f"No labels have matured yet; {name} is estimated"
    value, before = real.metrics[name], real.estimated.get(name)
    seen = tested.metrics.get(name) if tested else None
    on_test = f"; on test rows it was {apart(seen, value)}" if seen is not None else ""
    if before is None or not math.isfinite(before.low):
        return f"{name} {apart(value, seen)} on matured rows{on_test}"
    held = "within" if before.low <= value <= before.high else "outside"
    ends = f"{number(before.low)} to {number(before.high)}"
    return f"{name} {apart(value, seen)} on matured rows, {held} what was expected of them ({ends}){on_test}"


def over_time(windows: Sequence[Window], estimates: Sequence[Expected], metric: Metric) -> str:
    """Return the message of the metric over time."""
    known = {(one.at, one.version): one.value for one in windows if math.isfinite(one.value)}
    both = [(one.estimate, known[one.at, one.version]) for one in estimates if (one.at, one.version) in known]
    told = f"{metric.name} over {plural(len(known), 'matured window')}"
    if not both:
        return told
    held = sum(one.low <= value <= one.high for one, value in both)
    return f"{told}; {held} of {len(both)} were within what had been expected"
