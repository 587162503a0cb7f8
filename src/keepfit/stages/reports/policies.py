"""The page of a replay of several policies: which one to take, what each came to, and why each did what it did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keepfit.evidence import Advice, Contest, PolicyOutcome, Turn
from keepfit.measure.wording import number as short
from keepfit.spec.metric import Metric
from keepfit.stages.reports import page, policies_charts, policies_costs, policies_words, sentences, summary, tables
from keepfit.stages.reports.canvas import Span, pictures_of
from keepfit.stages.reports.page import Html, element
from keepfit.stages.reports.palette import MUTED
from keepfit.stages.reports.policies_charts import SIGNS, Look
from keepfit.stages.reports.policies_tables import by_cost, outcomes_table, windows_table

Turns = Mapping[str, Sequence[Turn]]


def write_policies(
    found: Contest | None, turns: Turns, path: Path, *, title: str, metric: str, threshold: float | None
) -> Path:
    """Write a replay of several policies as one self-contained HTML file, and return its path.

    The file has no script and makes no request; it reads on a desk, a phone and paper, in light and dark.

    Parameters
    ----------
    found : Contest or None
        None if there is no prediction that every policy made and whose label is known: then the page says so, and shows the turns.
    turns : mapping of str to sequence of Turn
        Name of a policy -> its turns, in any order.
    path : Path
        The file to write; its folder is made if it is missing, an old file is replaced.
    title : str
        What was replayed.
    metric : str
        The metric the model is judged by; a name in `keepfit.spec.metric.METRICS`.
    threshold : float or None
        How good the metric must stay, drawn as a line; None if nothing was declared.

    Raises
    ------
    DefinitionError
        If there is no metric of that name.
    """
    judged = summary.metric_named(metric)
    ordered = {name: sorted(own, key=lambda turn: turn.as_of) for name, own in turns.items()}
    anchors = {name: f"policy-{place}" for place, name in enumerate(ordered, start=1)}
    says = {one.name: one.says for one in found.outcomes} if found else {}
    parts = _compared(found, ordered, anchors, title, judged, threshold) if found else [_blank(ordered, title)]
    own = [_policy(name, says.get(name, ""), ordered[name], anchors[name], judged, threshold) for name in ordered]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        page.page(title, *parts, page.section("Reasons", "What each policy did, and why", *own), _footer()),
        encoding="utf-8",
    )
    return path


@dataclass(frozen=True)
class _Shown:
    """What the pictures are drawn of: the policies that fit, cheapest first, and their looks."""

    found: Contest
    outcomes: tuple[PolicyOutcome, ...]
    looks: Mapping[str, Look]
    metric: Metric

    @property
    def answered(self) -> tuple[PolicyOutcome, ...]:
        return tuple(one for one in self.outcomes if one.windows)

    @property
    def left_out(self) -> str:
        more = [one.name for one in self.found.outcomes if one.name not in self.looks]
        return f" Not drawn: {policies_words.listed(more)}." if more else ""


def _compared(
    found: Contest, turns: Turns, anchors: Mapping[str, str], title: str, metric: Metric, threshold: float | None
) -> list[Html]:
    looks = policies_charts.looks(found)
    shown = _Shown(found, tuple(one for one in by_cost(found) if one.name in looks), looks, metric)
    span = Span.over(
        [turn.as_of for own in turns.values() for turn in own],
        [window.as_of for one in found.outcomes for window in one.windows],
    )
    return [
        _headline(found, title),
        _performance(shown, threshold, span),
        _costs(shown),
        _saved(shown),
        _frontier(shown),
        _held_back(found, found.advice),
        page.section("All numbers", policies_words.table_says(found), outcomes_table(found, anchors)),
    ]


def _blank(turns: Turns, title: str) -> Html:
    kind = element("p", f"Replay of {len(turns)} policies", class_="kind")
    return element("header", kind, element("h1", title), element("p", policies_words.nothing(turns), class_="lead"))


def _headline(found: Contest, title: str) -> Html:
    kind = element("p", f"Replay of {len(found.outcomes)} policies, {title}", class_="kind")
    best = next(one for one in found.outcomes if one.name == found.recommended)
    told = " ".join(policies_words.sentence(text) for text in found.sentences)
    cells = [
        page.big(short(best.cost), f"cost of {best.name}", "blue"),
        page.big(summary.number(best.value), f"{found.metric}, its mean over the turns"),
        page.big(f"{len(best.trainings_at):,}", "training" if len(best.trainings_at) == 1 else "trainings"),
    ]
    if best.name != found.reference:
        cells.append(page.big(short(best.saved.value), f"cheaper than {found.reference}"))
    lead = element("p", told, class_="lead")
    return element(
        "header", kind, element("h1", policies_words.headline(found)), lead, element("dl", *cells, class_="hero")
    )


def _performance(shown: _Shown, threshold: float | None, span: Span) -> Html:
    metric = shown.metric
    if not any(math.isfinite(window.value) for one in shown.outcomes for window in one.windows):
        return page.absent("Performance", f"{metric.name} is undefined on every turn, so there are no lines to show.")
    which = "higher" if metric.greater_is_better else "lower"
    read = (
        f"{metric.name} of each turn's predictions, once their labels were known; {which} is better. All policies are "
        f"measured on the same {shown.found.rows:,} predictions. Below the lines: what each policy did, and when.{shown.left_out}"
    )
    drawn = pictures_of(
        "metric",
        policies_words.metric_alt(shown.answered, metric),
        lambda canvas: policies_charts.metric_chart(shown.answered, shown.looks, threshold, canvas, span),
    )
    drawn += pictures_of(
        "moves",
        policies_words.moves_alt(shown.outcomes),
        lambda canvas: policies_charts.moves_chart(shown.outcomes, shown.looks, canvas, span),
    )
    seen = {kind for one in shown.outcomes for _, kind in policies_charts.moves(one)}
    signs = page.key(*((page.sign(MUTED, SIGNS[kind]), kind) for kind in SIGNS if kind in seen))
    figure = page.figure("Performance", policies_words.metric_says(shown.answered, metric), read, drawn, signs)
    numbers = element("details", element("summary", "The numbers"), windows_table(shown.found))
    return element("div", figure, numbers)


def _costs(shown: _Shown) -> Html:
    if not shown.answered:
        return Html()
    costs = shown.found.costs
    read = f"Trainings at {short(costs.retrain)} each in full colour, errors at {short(costs.error)} each pale beside them."
    if not costs.retrain:
        read = f"Errors at {short(costs.error)} each; trainings were said to cost nothing."
    drawn = pictures_of(
        "costs",
        policies_words.costs_alt(shown.answered, costs.retrain),
        lambda canvas: policies_costs.cost_chart(shown.answered, costs.retrain, shown.looks, canvas),
    )
    return page.figure("Cost", policies_words.costs_says(shown.answered, costs.retrain), read + shown.left_out, drawn)


def _saved(shown: _Shown) -> Html:
    others = tuple(one for one in shown.answered if one.name != shown.found.reference)
    if not others:
        return Html()
    reference = shown.found.reference
    read = (
        f"What each policy costs less than {reference}, counted on the same predictions, with its 90% interval over entities. "
        f"Left of the line it costs more; an interval that holds 0 may be chance."
    )
    drawn = pictures_of(
        "saved",
        policies_words.saved_alt(others, reference),
        lambda canvas: policies_costs.saved_chart(others, shown.looks, canvas),
    )
    return page.figure("Gain", policies_words.saved_says(others, reference), read, drawn)


def _frontier(shown: _Shown) -> Html:
    known = [one for one in shown.answered if math.isfinite(one.value)]
    if not known:
        return Html()
    metric = shown.metric
    which = "higher" if metric.greater_is_better else "lower"
    read = (
        f"Across: trainings in the whole replay. Up: {metric.name}; {which} is better. A policy is on the frontier if no other is "
        "as good with fewer trainings, or better with as many: those are joined, a hollow one is beaten."
    )
    drawn = pictures_of(
        "frontier",
        policies_words.frontier_alt(known, metric),
        lambda canvas: policies_charts.frontier_chart(known, shown.looks, canvas),
    )
    return page.figure("Frontier", policies_words.frontier_says(known), read, drawn)


def _held_back(found: Contest, advice: Advice | None) -> Html:
    if advice is None:
        return page.absent(
            "Held back",
            "Too few turns have known labels to hold some back: the same turns chose the policy and judged it, which flatters it.",
        )
    why = (
        "A policy that is judged by the turns that chose it looks better than it is. So one was chosen by the older turns alone, "
        "and judged by the newest."
    )
    told = [element("p", text, class_="told") for text in policies_words.advice_told(advice, found.recommended)]
    says = policies_words.advice_says(advice)
    return page.section("Held back", says, element("p", why, class_="read"), *told)


def _policy(name: str, says: str, turns: Sequence[Turn], anchor: str, metric: Metric, threshold: float | None) -> Html:
    declared = [element("p", element("code", says), class_="read")] if says else []
    table = tables.turns_table(turns, metric, threshold)
    every = element(
        "details",
        element("summary", f"{summary.plural(len(turns), 'turn')} with their reasons"),
        table,
        class_="printed",
    )
    did = element("p", policies_words.did(turns))
    return element("div", element("h3", name), did, *declared, every, id_=anchor)


def _footer() -> Html:
    listed = [*policies_words.MEANINGS, *(one for one in sentences.MEANINGS if one[0] in policies_words.ALSO)]
    words = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in listed]
    return element("footer", element("h2", "What the words mean"), element("dl", *words))
