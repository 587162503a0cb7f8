"""What the ledger says becomes alerts: each of its steps is followed once, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from keepfit.errors import KeepfitError
from keepfit.evidence import CRITICAL, KEEP, WARNING, Decision, Message, Symptom, Turn, from_data
from keepfit.evidence.alerts import FAILED, SILENT, TRAINING
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.stages.alerting import Held, Outbox, follow, open_channels, rules_of
from keepfit.stages.registry.version import Version
from keepfit.steps.ledger import entries, turn_of

FILE = "alerts.db"
LONGEST = 300
"""Characters of an error that are told."""


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
    rules, channels = rules_of(model, project.settings.alerts), _channels(project)
    # what was before the first one is history
    fresh = every[-1:] if done is None else [one for one in every if one.step > done]
    for entry in fresh:
        turn: Turn = from_data(Turn, turn_of(project, entry))
        said, held = follow(turn, held, rules)
        outbox.commit(model.name, entry.step, held, said, channels)


@contextmanager
def telling(project: Project, models: Sequence[Model], as_of: int, about: str) -> Iterator[None]:
    """Have it told if the turns of some models end in an error, which is raised all the same.

    The next turn that ends otherwise resolves it: see `follow`.

    Parameters
    ----------
    about : str
        'ingest', or 'turn': what failed.
    """
    try:
        yield
    except Exception as error:
        for model in models:
            with suppress(Exception):  # what went wrong first is what is raised
                _tell(project, model, as_of, about, error)
        raise


def _tell(project: Project, model: Model, as_of: int, about: str, error: Exception) -> None:
    if project.is_replay:
        return
    with suppress(Exception):
        alert(project, model)
    what = f"{error.what} ({error.where})" if isinstance(error, KeepfitError) else f"{type(error).__name__}: {error}"
    sentence = f"the {about} of {model.name} failed: {what}"
    sentence = sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1]}\u2026"
    failed = Turn(
        model.name, as_of, KEEP, (sentence,), {}, symptoms=(Symptom(FAILED, about, CRITICAL, sentence),)
    )  # fmt: skip
    said: tuple[Message, ...] = ()
    try:
        outbox = open_alerts(project)
        step, before = outbox.held(model.name)
        said, held = follow(failed, before, rules_of(model, project.settings.alerts))
        outbox.commit(model.name, -1 if step is None else step, held, said, _channels(project))
    except Exception:  # nothing can be written down, a full disk for one: then now or never
        said = said or follow(failed, Held(), rules_of(model, project.settings.alerts))[0]
        channels = open_channels(project.settings.alerts.channels, project.environment)
        for channel in channels.values():
            for message in said:
                with suppress(Exception):
                    channel.send(message, as_of)


def _channels(project: Project) -> dict[str, str]:
    """Return the name of each channel -> the least severity that it is told."""
    settings = project.settings.alerts
    return {one.called: one.severity or settings.severity for one in settings.channels}
