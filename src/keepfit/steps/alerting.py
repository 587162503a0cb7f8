"""What the ledger says becomes alerts: each of its steps is followed once, in order."""

from __future__ import annotations

from collections.abc import Sequence

from keepfit.evidence import CRITICAL, WARNING, Decision, Symptom, Turn, from_data
from keepfit.evidence.alerts import SILENT, TRAINING
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.alerting import Outbox, follow, rules_of
from keepfit.stages.registry.version import Version
from keepfit.steps.ledger import entries, turn_of

FILE = "alerts.db"


def open_alerts(project: Project) -> Outbox:
    """Return what is held of alerts and what is still to be said."""
    return Outbox(project.outcomes / FILE)


def symptoms(decision: Decision, champion: Version | None, silence: Sequence[str]) -> tuple[Symptom, ...]:
    """Return what a turn itself knows to have gone wrong: a training that failed, nothing to predict."""
    found = [Symptom(SILENT, "predictions", WARNING, sentence) for sentence in silence]
    if decision.failed:
        # without a champion nothing answers
        found.append(Symptom(TRAINING, "training", WARNING if champion else CRITICAL, decision.failed))
    return tuple(found)


def alert(project: Project, model: Model) -> None:
    """Follow the steps of the ledger that no alert has followed yet, and keep what is to be said of them.

    A loop that was killed after it wrote its step is caught up here by the next one. A replay tells nobody.
    """
    if project.is_replay:
        return
    outbox, every = open_alerts(project), entries(project, model.name)
    done, held = outbox.held(model.name)
    settings = project.settings.alerts
    rules = rules_of(model, settings)
    channels = {one.called: one.severity or settings.severity for one in settings.channels}
    # what was before the first one is history
    fresh = every[-1:] if done is None else [one for one in every if one.step > done]
    for entry in fresh:
        turn: Turn = from_data(Turn, turn_of(project, entry))
        said, held = follow(turn, held, rules)
        outbox.commit(model.name, entry.step, held, said, channels)
