"""The sentences of a replay of several policies: each picture's message, and its words for those who do not see it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from keepfit import clock
from keepfit.evidence import Advice, Contest, PolicyOutcome, Turn
from keepfit.measure.wording import number as short
from keepfit.spec.metric import Metric
from keepfit.stages.reports import summary
from keepfit.stages.reports.policies_charts import moves
from keepfit.stages.reports.policies_costs import split
from keepfit.stages.reports.summary import number, plural

Outcomes = Sequence[PolicyOutcome]
ALSO = frozenset({"Turn", "Threshold", "Champion, challenger", "PSI"})
MEANINGS = (
    (
        "Policy",
        "When to train again, as definitions.py declares it, or one of keepfit's own such as 'never' and 'monthly'.",
    ),
    ("Reference", "The policy that was named first: the others are compared with it."),
    (
        "Error",
        "A mistaken decision, weighted by what the model declares it to cost; of a predicted number, how far it lies off.",
    ),
    ("Cost", "Trainings and errors, at the prices that the replay was given, in one unit."),
    ("Frontier", "The policies that no other one beats on the metric with no more trainings."),
    (
        "90% interval",
        "Where the difference would lie in nine of ten draws of the same entities; both policies have the same rows in each draw.",
    ),
    (
        "Held back",
        "The newest turns, which had no say in the choice. What the chosen policy cost more there than the best one is its regret.",
    ),
)


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def sentence(text: str) -> str:
    """Return a text as a sentence."""
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith(".") else f"{begun}."


def headline(found: Contest) -> str:
    """Return the whole page in a few words."""
    if found.recommended == found.reference:
        return f"{found.recommended} would have cost least"
    best = next(one for one in found.outcomes if one.name == found.recommended)
    sure = "" if best.saved.low > 0 else ", by no more than chance"
    return f"{found.recommended} would have cost least{sure}"


def nothing(turns: Mapping[str, Sequence[Turn]]) -> str:
    """Return why policies cannot be compared."""
    silent = [name for name, own in turns.items() if not any(turn.rows.get("predicted") for turn in own)]
    if silent:
        return f"{listed(silent)} made no predictions, so there are none that every policy made, and nothing to compare them by."
    return (
        "No prediction of these turns has a label that is known by their end, so the policies cannot be compared yet."
    )


def _known(outcomes: Outcomes) -> list[PolicyOutcome]:
    return [one for one in outcomes if math.isfinite(one.value)]


def metric_says(outcomes: Outcomes, metric: Metric) -> str:
    """Return the message of the lines."""
    ranked = sorted(_known(outcomes), key=lambda one: one.value, reverse=metric.greater_is_better)
    if number(ranked[0].value) == number(ranked[-1].value):
        under = f"under {ranked[0].name}" if len(ranked) == 1 else "under every policy"
        return f"{metric.name} was {number(ranked[0].value)} {under}"
    best, worst = ranked[0], ranked[-1]
    return f"{metric.name} was best under {best.name}, {number(best.value)}, and worst under {worst.name}, {number(worst.value)}"


def metric_alt(outcomes: Outcomes, metric: Metric) -> str:
    """Return the lines in words."""
    told = []
    for one in outcomes:
        seen = [window for window in one.windows if math.isfinite(window.value)]
        if seen:
            first, last = seen[0], seen[-1]
            ends = f"{number(first.value)} on {_day(first.as_of)} to {number(last.value)} on {_day(last.as_of)}"
            told.append(f"{one.name} from {ends}")
    return f"Lines of {metric.name} over time, one for each policy: {'; '.join(told)}."


def _day(at: int) -> str:
    return clock.show(at - at % clock.DAY)


def moves_alt(outcomes: Outcomes) -> str:
    """Return in words what each policy did, and when."""
    told = [
        f"{one.name}: {', '.join(f'{_day(at)} {kind}' for at, kind in moves(one)) or 'nothing'}" for one in outcomes
    ]
    return f"What each policy did: {'; '.join(told)}."


def costs_says(outcomes: Outcomes, retrain: float) -> str:
    """Return the message of the costs."""
    best, most = outcomes[0], outcomes[-1]
    trainings = retrain * len(best.trainings_at)
    parts = f": {short(trainings)} for {plural(len(best.trainings_at), 'training')}, {short(best.cost - trainings)} for errors"
    against = f"; {most.name}, the dearest, {short(most.cost)}" if most.cost > best.cost else ""
    return f"{best.name} would have cost {short(best.cost)}{parts if trainings else ''}{against}"


def costs_alt(outcomes: Outcomes, retrain: float) -> str:
    """Return the costs in words."""
    return f"Bars of cost, trainings and errors: {'; '.join(f'{one.name} {split(one, retrain)}' for one in outcomes)}."


def saved_says(others: Outcomes, reference: str) -> str:
    """Return the message of the gains."""
    best = max(others, key=lambda one: one.saved.value)
    if best.saved.value <= 0:
        return f"No policy would have cost less than {reference}"
    chance = "" if best.saved.low > 0 else ", which may be chance"
    return f"{best.name} would have cost {short(best.saved.value)} less than {reference} ({_interval(best)}){chance}"


def _interval(one: PolicyOutcome) -> str:
    return f"90% interval {short(one.saved.low)} to {short(one.saved.high)}"


def saved_alt(others: Outcomes, reference: str) -> str:
    """Return the gains in words."""
    told = [f"{one.name} {short(one.saved.value)}, {_interval(one)}" for one in others]
    return f"Cost less than {reference}: {'; '.join(told)}."


def frontier_says(outcomes: Outcomes) -> str:
    """Return the message of the frontier."""
    best = sorted((one for one in outcomes if one.efficient), key=lambda one: len(one.trainings_at))
    names = listed([one.name for one in best])
    return f"{names} {'is' if len(best) == 1 else 'are'} on the frontier of trainings and metric"


def frontier_alt(outcomes: Outcomes, metric: Metric) -> str:
    """Return the frontier in words."""
    told = [
        f"{one.name} {plural(len(one.trainings_at), 'training')}, {number(one.value)}"
        f"{', on the frontier' if one.efficient else ''}"
        for one in outcomes
    ]
    return f"{metric.name} over trainings: {'; '.join(told)}."


def advice_says(advice: Advice) -> str:
    """Return the message of the turns that were held back."""
    until = clock.show(advice.chosen_until_at)
    chosen = f"The turns before {until} would have chosen {advice.policy}"
    if advice.policy == advice.best_later:
        return f"{chosen}, which was the best from then on too"
    return f"{chosen}; from then on {advice.best_later} cost least"


def advice_told(advice: Advice, recommended: str) -> list[str]:
    """Return what the choice would have cost where it was not made, and whether all turns choose the same."""
    regret, rows = advice.regret, f"{advice.regret.rows:,} predictions of the newest turns"
    if advice.policy == advice.best_later:
        told = [f"On the {rows} no other policy cost less than {advice.policy}: the choice cost nothing."]
    else:
        interval = f"90% interval {short(regret.low)} to {short(regret.high)}"
        chance = "" if regret.low > 0 else "; that may be chance"
        told = [
            f"On the {rows} {advice.policy} cost {short(regret.value)} more than {advice.best_later} ({interval}){chance}."
        ]
    if recommended != advice.policy:
        told.append(
            f"All turns together speak for {recommended}, the older ones alone did not: the choice is not settled."
        )
    return told


def table_says(found: Contest) -> str:
    """Return the message of the table of all numbers."""
    return f"{len(found.outcomes)} policies on the same {plural(found.rows, 'prediction')}"


def did(turns: Sequence[Turn]) -> str:
    """Return what happened under a policy."""
    found = summary.counts(turns)
    told = [plural(count, name) for name, count in found.items() if count and name != "turn"]
    return f"{plural(found['turn'], 'turn')}: {', '.join(told) or 'no training'}"
