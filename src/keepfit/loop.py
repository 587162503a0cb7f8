"""Read this first: one turn of the loop, stage by stage, and replay, which is many turns over the past.

A turn is a function of (definitions, table versions, as_of). Nothing below asks the clock, so the turn that a scheduler
runs tonight and the turn that a replay runs for a day two years ago are the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from keepfit import clock, steps
from keepfit.errors import KeepfitError
from keepfit.evidence import KEEP, PROMOTE, RETRAIN, ROLL_BACK, Decision, Turn
from keepfit.project import Project
from keepfit.snapshot import take
from keepfit.spec.model import Model
from keepfit.stages.ingest import Ingested, Waiting, begins, first_error, ingest
from keepfit.stages.retraining import decide

Listener = Callable[[str], None]


@dataclass
class Stopwatch:
    """Seconds spent in each stage of a turn; measures, and decides nothing."""

    listen: Listener
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage and tell the listener that it began."""
        self.listen(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)


def turn(
    project: Project,
    model: Model,
    as_of: int,
    *,
    ingested: Sequence[Ingested] | None = None,
    waiting: Waiting | None = None,
    seconds: Mapping[str, float] | None = None,
    online: bool = True,
    listen: Listener = lambda stage: None,
) -> Turn:
    """Run one turn for a model at a moment, and return what was seen and decided.

    Parameters
    ----------
    as_of : int
        Microseconds UTC: nothing known at or after it is used.
    ingested : sequence of Ingested, optional
        What was ingested already for this moment, when several models share a turn; None ingests now.
    seconds : mapping, optional
        What that took, by stage.
    online : bool
        Whether a server follows: then its store holds what a new champion needs before it becomes the champion.
    waiting : Waiting, optional
        What earlier turns of this process learnt of files that lie in the future.
    """
    watch = Stopwatch(listen, dict(seconds or {}))
    if ingested is None:
        with watch.stage("ingest"):
            ingested = ingest_all(project, as_of, waiting=waiting)
    snapshot = take(project.engine, project.lake, model.tables(), as_of)
    with watch.stage("registry"):
        loaded = steps.champion_at(project, model, as_of)
        champion = loaded.version if loaded else None
        steps.complete_ledger(project, model, champion)
    quality = steps.expected(model, ingested)
    if quality.blocked:
        return steps.stop(project, model, as_of, ingested, quality, champion, watch.seconds)
    with watch.stage("predict"):
        steps.collect_requests(project, model)
        scored = steps.answer(project, loaded, snapshot) if loaded else None
    with watch.stage("watch"):
        evidence = steps.watch(project, model, snapshot, scored)
        decision = decide(evidence, model.policy)
    challenge = None
    if decision.action == RETRAIN:
        with watch.stage("features"):
            found, reason = steps.build(project, model, snapshot)
            evidence = replace(evidence, trainable=reason)
            decision = decide(evidence, model.policy)
    if decision.action == RETRAIN:
        with watch.stage("train"):
            try:
                challenge = steps.challenge(project, model, snapshot, found, loaded)
                conclusion = challenge.conclusion
                decision = Decision(conclusion.action, (*decision.reasons, *conclusion.reasons))
            except KeepfitError as error:
                decision = Decision(KEEP, (*decision.reasons, f"the training failed: {error.what}"))
    with watch.stage("promote"):
        if decision.action == ROLL_BACK:
            # the store holds what the predecessor needs: it is filled for both
            champion = project.registry.roll_back(model.name, as_of)
        elif decision.action == PROMOTE and challenge is not None:
            if online:
                steps.publish_online(project, model.name, (challenge.version, champion), as_of)
            champion = project.registry.promote(model.name, challenge.version.number, as_of)
    with watch.stage("predict"):
        predicted = steps.log_answers(project, model, snapshot, scored, champion)
    reasons = decision.reasons + (() if predicted or champion is None else steps.nothing_predicted(model, snapshot))
    reasons += quality.warned
    result = Turn(
        model=model.name,
        as_of=as_of,
        decision=decision.action,
        reasons=reasons,
        rows={
            "known": sum(snapshot.span(table)[0] for table in model.events()),
            "appended": sum(one.appended for one in ingested),
            "quarantined": sum(one.quarantined for one in ingested),
            "predicted": predicted,
        },
        quarantine=steps.quarantined(ingested),
        champion=steps.facts(champion),
        challenger=steps.facts(challenge.version) if challenge else None,
        evaluation=challenge.evaluation if challenge else None,
        verdicts=challenge.verdicts if challenge else (),
        realised=evidence.realised,
        drift=evidence.drift,
        seconds=watch.seconds,
    )
    steps.write_ledger(project, result)
    return result


def ingest_all(project: Project, as_of: int, *, waiting: Waiting | None = None) -> list[Ingested]:
    """Append every new file of every declared table.

    Raises
    ------
    SourceError
        For the first file that was refused, after every other one was ingested.
    """
    done = ingest(project.engine, project.lake, project.sources, project.definitions.tables, as_of, waiting=waiting)
    if (error := first_error(done)) is not None:
        raise error
    return done


def run(project: Project, name: str | None, as_of: int, *, listen: Listener = lambda stage: None) -> list[Turn]:
    """Run one turn for a model, or for every model if there are several and none is named."""
    models = project.definitions.models if not name and len(project.definitions.models) > 1 else [project.model(name)]
    watch = Stopwatch(listen)
    with watch.stage("ingest"):
        ingested = ingest_all(project, as_of)
    turns = [turn(project, model, as_of, ingested=ingested, seconds=watch.seconds, listen=listen) for model in models]
    for model, done in zip(models, turns, strict=True):
        if done.decision != PROMOTE and not done.blocked:  # a promotion has filled the store
            publish(project, model, as_of)
    return turns


def publish(project: Project, model: Model, as_of: int) -> dict[str, int]:
    """Bring the model's online store to what the lake holds, and return table -> rows; nothing without a champion."""
    loaded = steps.champion_at(project, model, as_of)
    champion = loaded.version if loaded else None
    return steps.publish_online(project, model.name, (champion, steps.before(project, model.name, champion)), as_of)


def replay(
    project: Project, model: Model, moments: Sequence[int], *, listen: Callable[[Turn], None] = lambda turn: None
) -> list[Turn]:
    """Run a turn at each moment, ascending, in a project whose outcomes are its own (`Project.replaying`).

    Files arrive as they did: one whose every row lies at or after a turn's moment waits for a later turn.
    """
    waiting, turns = Waiting(), []
    for moment in moments:
        done = turn(project, model, moment, waiting=waiting, online=False)
        listen(done)
        turns.append(done)
    return turns


def moments_of(project: Project, start: int | None, end: int, every: str) -> list[int]:
    """Return the moments of a replay: the grid from `start`, or from the first event, to `end`."""
    if start is None:
        start = begins(project.engine, project.lake, project.sources, project.definitions.tables)
    return clock.Grid(every).moments(end if start is None else start, end)
