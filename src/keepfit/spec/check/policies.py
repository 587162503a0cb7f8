"""The rules of a policy: its times and rates must be ones, its numbers numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from keepfit.errors import did_you_mean
from keepfit.spec.check.problem import Problem, not_a_duration
from keepfit.spec.check.reading import of
from keepfit.spec.model import Model
from keepfit.spec.policy import Drift, NewLabels, OlderThan, Schedule
from keepfit.spec.timetable import Quiet, Rate, last_scheduled

ALARMS = ("warning", "critical")


def delays_are_durations(model: Model) -> Iterator[Problem]:
    """Delays must be durations."""
    delays = [("cooldown", model.policy.cooldown), ("probation", model.policy.probation)]
    delays += [("older_than", leaf.age) for leaf in model.policy.retrain.leaves() if isinstance(leaf, OlderThan)]
    for what, text in delays:
        yield from not_a_duration(text, f"policy {what}", of(model))


def times_can_be_read(model: Model) -> Iterator[Problem]:
    """A budget must be a rate, quiet hours hours, and a timetable one that comes."""
    asked: list[tuple[str, object, Callable[[str], object]]] = [
        ("budget", model.policy.budget, Rate.parse),
        ("quiet", model.policy.quiet, Quiet.parse),
    ]
    timetables = [leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, Schedule)]
    asked += [("schedule", leaf.cron, partial(last_scheduled, zone=leaf.zone, moment=0)) for leaf in timetables]
    for what, text, read in asked:
        try:
            if text is not None:
                read(text) if isinstance(text, str) else _no_text(text)
        except ValueError as error:
            said, _, fix = str(error).partition("; ")
            yield Problem(f"policy {what}: {said}", of(model), fix)


def severities_exist(model: Model) -> Iterator[Problem]:
    """Drift is asked for with a severity that an alarm can have."""
    for leaf in (leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, Drift)):
        if leaf.severity not in (None, *ALARMS):
            what = f"policy drift: there is no severity {leaf.severity!r}"
            yield Problem(what, of(model), did_you_mean(str(leaf.severity), ALARMS))


def labels_are_counted(model: Model) -> Iterator[Problem]:
    """New labels must be a whole number above zero."""
    for leaf in (leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, NewLabels)):
        if not isinstance(leaf.rows, int) or isinstance(leaf.rows, bool) or leaf.rows < 1:
            yield Problem(
                f"policy new_labels: {leaf.rows!r} is no number of labels", of(model), "when.new_labels(1000)"
            )


def _no_text(value: object) -> None:
    raise ValueError(f"{value!r} is no text; write it as a text")


POLICY_RULES: tuple[Callable[[Model], Iterator[Problem]], ...] = (
    delays_are_durations,
    times_can_be_read,
    severities_exist,
    labels_are_counted,
)
