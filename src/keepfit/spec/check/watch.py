"""The rules of `Watch`."""

from __future__ import annotations

from collections.abc import Iterator

from keepfit.spec.check.problem import Problem
from keepfit.spec.check.reading import of
from keepfit.spec.model import Model
from keepfit.spec.observe import Every
from keepfit.spec.timetable import Rate
from keepfit.spec.watch import Watch

BUDGET = "write how many false alarms there may be: watch=Watch(alarms='1 per quarter')"


def malformed_watch(model: Model) -> Iterator[Problem]:
    """What is said of watching must be a Watch of texts."""
    if not isinstance(model.watch, Watch):
        yield Problem(f"watch={model.watch!r} is no Watch", of(model), BUDGET)


def alarms_are_a_budget(model: Model) -> Iterator[Problem]:
    """The alarms must be a number in a time, and fewer than there are windows."""
    try:
        Rate.parse(str(model.watch.alarms))
    except ValueError as error:
        yield Problem(
            f"watch: alarms: {str(error).partition('; ')[0]}",
            of(model),
            "write '1 per quarter': per day, week, month, quarter or year",
        )
        return
    try:
        alpha = model.watch.alpha(model.observe)
    except (ValueError, TypeError, AttributeError) as error:
        if not isinstance(model.observe, Every):  # a grid of observations is another rule's
            yield Problem(f"watch: every: {error}", of(model), "Watch(every='1 day')")
        return
    if alpha >= 1:
        what = f"watch: alarms={model.watch.alarms!r} is an alarm in every window; there would be no silence"
        yield Problem(what, of(model), "allow fewer: Watch(alarms='1 per year')")


WATCH_RULES = (alarms_are_a_budget,)
