"""The page of what is watched of a champion: the verdict, how good it is, what moved, and what its data lack."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from keepfit import clock
from keepfit.evidence import INFO, Estimate, Evaluation, Evidence, Sign, Symptom, Turn
from keepfit.evidence.watched import Distribution
from keepfit.spec.metric import Metric
from keepfit.stages.reports import charts, drift, page, sentences, summary, watching_charts
from keepfit.stages.reports import watching_words as words
from keepfit.stages.reports.canvas import Span
from keepfit.stages.reports.drifted import footer
from keepfit.stages.reports.figures import Figures
from keepfit.stages.reports.interactive import living, scripts
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.palette import HEAT, HEAT_BOUNDS, WORDS
from keepfit.stages.reports.summary import number, plural, version_name

MEANINGS = (
    ("Realised", "How predictions turned out once their labels had matured."),
    (
        "Estimated",
        "What is to be expected of predictions whose labels are not known yet, with its 90% interval. It follows inputs that "
        "drift; it does not see that the same inputs begin to mean something else.",
    ),
    ("Constant", "The same score for what one would say knowing only the training labels."),
    *drift.MEANINGS,
)


@dataclass(frozen=True)
class Watch:
    """What the page of a champion shows.

    Attributes
    ----------
    evaluation : Evaluation or None
        What the version showed on its test rows.
    shown : sequence of Distribution
        How its columns are distributed, then and now.
    turns : sequence of Turn
        The newest turns, ascending; the last one is of now.
    symptoms : sequence of Symptom
        What is not as expected of its data.
    metric : str
        The metric that it is judged by; a name in `keepfit.spec.metric.METRICS`.
    threshold : float or None
        How good that must stay.
    budget : str
        How many false alarms the model declares.
    """

    model: str
    evidence: Evidence
    evaluation: Evaluation | None
    shown: Sequence[Distribution]
    turns: Sequence[Turn]
    symptoms: Sequence[Symptom]
    metric: str
    threshold: float | None
    budget: str


def watching_page(found: Watch, *, interactive: bool = False) -> str:
    """Return the page as one self-contained HTML document; with `interactive`, with a script and still without a request."""
    show = Figures(living) if interactive else Figures()
    metric = summary.metric_named(found.metric)
    parts = [
        _headline(found, metric),
        _metrics(found, metric),
        _performance(show, found, metric),
        drift.drift_section(found.evidence.drift),
        drift.whole_sections(found.evidence.drift),
        drift.cards(drift.columns(found.evidence.drift), found.shown, "reference"),
        _moves(show, found),
        _data(found),
        footer(MEANINGS),
    ]
    title = f"{found.model}: watched as of {clock.show(found.evidence.as_of)}"
    return page.page(title, *parts, scripts=scripts() if interactive else ())


def _headline(found: Watch, metric: Metric) -> Html:
    evidence, champion = found.evidence, found.evidence.champion
    kind = f"Watch of {found.model}, as of {clock.show(evidence.as_of)}"
    kind = f"{kind}, {version_name(champion.version)}" if champion else kind
    lead = element("p", " ".join(words.lead(evidence, found.budget)), class_="lead")
    return element(
        "header",
        element("p", kind, class_="kind"),
        element("h1", words.verdict(evidence, found.symptoms, metric, found.threshold)),
        lead,
        element("dl", *_hero(found, metric), class_="hero"),
        element("dl", *_counts(found), class_="counts"),
    )


def _hero(found: Watch, metric: Metric) -> list[Html]:
    evidence, name = found.evidence, metric.name
    cells = []
    if (real := evidence.realised) is not None:
        cells.append(page.big(number(real.metrics.get(name)), f"{name} realised, {real.rows:,} rows", "blue"))
        cells.append(page.big(number(real.baseline.get(name)), "constant, same rows"))
    if (told := evidence.estimated) is not None and name in told.metrics:
        one = told.metrics[name]
        cells.append(page.big(number(one.value), f"{name} estimated, {number(one.low)} to {number(one.high)}"))
    if (seen := found.evaluation) is not None:
        low, high = number(seen.estimate.low), number(seen.estimate.high)
        cells.append(page.big(number(seen.metrics.get(name)), f"on test rows, {low} to {high}"))
    return cells


def _counts(found: Watch) -> list[Html]:
    evidence = found.evidence
    cells = drift.count_cells(drift.columns(evidence.drift)) if evidence.drift else []
    if found.threshold is not None:
        cells.append(page.big(number(found.threshold), f"{found.metric} declared"))
    if evidence.new_labels is not None:
        cells.append(page.big(f"{evidence.new_labels:,}", "labels that it has not seen"))
    return cells


def _metrics(found: Watch, metric: Metric) -> Html:
    real, told = found.evidence.realised, found.evidence.estimated
    names = dict.fromkeys([metric.name, *(told.metrics if told else ()), *(real.metrics if real else ())])
    names |= dict.fromkeys(found.evaluation.metrics if found.evaluation else ())
    if real is None and told is None:
        return page.absent("Performance", "No labels have matured yet, and the version carries nothing to estimate by.")
    heads = ["Metric", "On test rows", f"Estimated, {told.rows:,} rows" if told else "Estimated"]
    heads += [f"Expected, {real.rows:,} rows", "Realised", "Constant"] if real else []
    rows = []
    for name in names:
        cells = [element("strong", name) if name == metric.name else name, _tested(found.evaluation, name)]
        cells.append(_interval(told.metrics.get(name) if told else None))
        if real:
            cells += [_interval(real.estimated.get(name)), element("strong", number(real.metrics.get(name)))]
            cells.append(number(real.baseline.get(name)))
        rows.append(cells)
    table = page.table(heads, rows, "plain", numeric=frozenset(range(1, len(heads))))
    read = "Estimates are of the newest predictions, whose labels have not matured. Intervals are 90%."
    when = (
        f" Matured: rows of {_span(real.from_at, real.to_at)}, answered by {version_name(real.version)}."
        if real
        else ""
    )
    says = words.metrics_say(found.evidence, found.evaluation, metric)
    return page.section(
        "Performance", says, element("p", read + when, class_="read"), element("div", table, class_="scroll")
    )


def _tested(seen: Evaluation | None, name: str) -> str:
    if seen is None or name not in seen.metrics:
        return "\u2013"
    return _interval(seen.estimate) if name == seen.metric else number(seen.metrics[name])


def _interval(one: Estimate | None) -> str:
    if one is None or not math.isfinite(one.value):
        return "\u2013"
    return f"{number(one.value)} ({number(one.low)} to {number(one.high)})"


def _span(first: int, last: int) -> str:
    return clock.show(last) if first == last else f"{clock.show(first)} to {clock.show(last)}"


def _performance(show: Figures, found: Watch, metric: Metric) -> Html:
    windows = summary.matured(found.turns, metric.name)
    estimates = watching_charts.expected(found.turns, metric.name)
    if len(windows) + len(estimates) < 2:
        return Html()
    moves = summary.changes(found.turns)
    span = Span.over(
        [turn.as_of for turn in found.turns], [*(one.at for one in windows), *(one.at for one in estimates)]
    )
    which = "higher" if metric.greater_is_better else "lower"
    read = (
        f"{metric.name} by date of observation; {which} is better. Blue: once labels had matured. Ochre: what was expected of "
        "the same predictions before, with its 90% interval."
    )
    seen = [(page.mark(name), WORDS[name]) for name in WORDS if any(one.decision == name for one in moves)]
    return show(
        "performance",
        "Over time",
        words.over_time(windows, estimates, metric),
        read,
        lambda canvas: watching_charts.performance_chart(windows, estimates, moves, metric, found.threshold, canvas, span),
        page.key(*seen) if seen else None,
    )  # fmt: skip


def _moves(show: Figures, found: Watch) -> Html:
    turns = [turn for turn in found.turns if turn.drift]
    columns = summary.columns(turns)
    if len(turns) < 2:
        return Html()
    span = Span.over([turn.as_of for turn in turns])
    bounds = [f"{bound:g}" for bound in HEAT_BOUNDS]
    ranges = [f"PSI under {bounds[0]}", *(f"{low} to {high}" for low, high in itertools.pairwise(bounds))]
    steps = [
        (page.swatch(colour), words)
        for colour, words in zip(HEAT, [*ranges, f"{bounds[-1]} and over"], strict=True)
    ]  # fmt: skip
    dot = element("svg", element("circle", r="0.62", class_="dot"), class_="mark", viewBox="-1.2 -1.2 2.4 2.4")
    read = "PSI of each column against the reference of the champion of its time, turn by turn."
    return show(
        "moves", "Over time", sentences.drift_says(columns), read,
        lambda canvas: charts.drift_chart(columns, canvas, span),
        page.key(*steps, (dot, "significant")),
    )  # fmt: skip


def _data(found: Watch) -> Html:
    """Return what is not as declared of the data, and each sign of tables and requests beside what is usual."""
    kept = found.evidence.signs
    if not found.symptoms and not kept:
        return page.absent("Data", "Every table that the model reads is as its declaration expects.")
    odd = sum(one.severity != INFO for one in kept) or len(found.symptoms)
    says = f"{plural(odd, 'sign')} of something unusual" if odd else "Tables and requests are as usual"
    body = []
    if found.symptoms:
        rows = [[drift.severity(one.severity), one.kind, words.sentence(one.sentence)] for one in found.symptoms]
        body.append(page.table(["Severity", "Not as declared", "What"], rows, "plain"))
    if kept:
        numeric = frozenset({3, 4, 5})
        heads = ["Of", "Sign", "Severity", "Value", "Usually", "Chance"]
        table = page.table(heads, [_sign(one) for one in kept], "plain", numeric=numeric)
        body.append(element("div", table, class_="scroll"))
    return page.section("Data", says, *body)


def _sign(one: Sign) -> list[str]:
    ends = [number(end) if end is not None else "" for end in (one.low, one.high)]
    usual = f"{ends[0]} to {ends[1]}" if all(ends) else f"at least {ends[0]}" if ends[0] else f"at most {ends[1]}"
    chance = "\u2013" if one.chance is None else number(one.chance)
    severity = drift.severity(one.severity)
    return [one.about, one.kind, severity, number(one.value), usual if any(ends) else "\u2013", chance]
