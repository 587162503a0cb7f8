"""Read this first: one turn of the loop, stage by stage. Many turns over the past are in `replaying`.

A turn is a function of (definitions, table versions, as_of). Nothing below asks the clock, so the turn that a scheduler
runs tonight and the turn that a replay runs for a day two years ago are the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from keepfit import steps
from keepfit.errors import KeepfitError
from keepfit.evidence import KEEP, PROMOTE, RETRAIN, ROLL_BACK, Decision, Evidence, Turn
from keepfit.project import Project
from keepfit.snapshot import Snapshot, take
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.stages.ingest import Ingested, Waiting, first_error, ingest
from keepfit.stages.registry.version import Version
from keepfit.stages.retraining import decide
from keepfit.stopwatch import Listener, Stopwatch, silent


def turn(
    project: Project,
    model: Model,
    as_of: int,
    *,
    ingested: Sequence[Ingested] | None = None,
    waiting: Waiting | None = None,
    seconds: Mapping[str, float] | None = None,
    snapshot: Snapshot | None = None,
    online: bool = True,
    remarks: Sequence[str] = (),
    listen: Listener = silent,
) -> Turn:
    """Run one turn for a model at a moment, and return what was seen and decided.

    Parameters
    ----------
    as_of : int
        Microseconds UTC: nothing known at or after it is used.
    ingested : sequence of Ingested, optional
        What was ingested already for this moment, when several models share a turn; None ingests now.
    waiting : Waiting, optional
        What earlier turns of this process learnt of files that lie in the future.
    seconds : mapping, optional
        What the ingest took, by stage.
    snapshot : Snapshot, optional
        What the tables held after that ingest, when several policies share a turn: what is computed of it is computed once.
    online : bool
        Whether a server follows: then its store holds what a new champion needs before it becomes the champion.
    remarks : sequence of str
        What the ledger is to say of it beside its reasons.
    """
    watch = Stopwatch(as_of, model.name, project.stages, listen, dict(seconds or {}))
    if ingested is None:
        ingested = arrived(project, as_of, waiting=waiting, watch=watch)
    with watch.stage("registry"):
        loaded = _live(project, model, as_of)
        champion = loaded.version if loaded else None
    quality = steps.expected(model, ingested).remarked(remarks)
    if quality.blocked:
        return steps.stop(project, model, as_of, ingested, quality, champion, watch.seconds)
    snapshot = snapshot or take(project.engine, project.lake, model.tables(), as_of)
    with watch.stage("predict") as stage:
        requests = steps.collect_requests(project, model)
        scored = steps.answer(project, loaded, snapshot) if loaded else None
        stage.rows(requests, len(scored.observations) if scored else 0)
    with watch.stage("watch") as stage:
        inputs, evidence = steps.inputs_of(project, snapshot), steps.watch(project, model, snapshot, scored)
        decision = decide(evidence, model.policy)
        outcomes = steps.outcomes(project, model, snapshot)
        stage.rows(len(scored.observations) if scored else 0)
    challenge = None
    if decision.action == RETRAIN:
        decision, challenge = _retrain(project, model, snapshot, loaded, evidence, watch)
    with watch.stage("promote"):
        champion = _move(project, model, as_of, decision, challenge, champion, online=online)
    predicted, silence = _log(project, model, snapshot, scored, champion, watch)
    result = Turn(
        model=model.name,
        as_of=as_of,
        decision=decision.action,
        reasons=(*decision.reasons, *silence, *quality.warned),
        rows=steps.rows_of(model, snapshot, ingested, predicted),
        quarantine=steps.quarantined(ingested),
        champion=steps.facts(champion),
        challenger=steps.facts(challenge.version) if challenge else None,
        evaluation=challenge.evaluation if challenge else None,
        verdicts=challenge.verdicts if challenge else (),
        **evidence.measured,
        seconds=watch.seconds,
        symptoms=(*quality.symptoms, *steps.symptoms(decision, champion, silence)),
        outcomes=outcomes,
        inputs=inputs,
        definition=codec.fingerprint(codec.encode(model)),
    )
    steps.write_outcomes(project, outcomes)
    steps.write_ledger(project, result)
    steps.leave_watched(project, model, result, champion, evidence, scored)
    return result


def _live(project: Project, model: Model, as_of: int) -> steps.Loaded | None:
    """Return the champion, once the ledger knows of it, and no later one."""
    loaded = steps.champion_at(project, model, as_of)
    steps.require_no_later_move(project, model.name, as_of)
    steps.complete_ledger(project, model, loaded.version if loaded else None)
    return loaded


def _retrain(
    project: Project,
    model: Model,
    snapshot: Snapshot,
    champion: steps.Loaded | None,
    evidence: Evidence,
    watch: Stopwatch,
) -> tuple[Decision, steps.Challenge | None]:
    """Train a challenger if there is enough to train on; a training that fails is a reason to keep the champion."""
    decision = decide(evidence, model.policy)
    try:
        with watch.stage("features") as stage:
            found, reason = steps.build(project, model, snapshot)
            decision = decide(replace(evidence, trainable=reason), model.policy)
            stage.rows(steps.known(model, snapshot), len(found))
        if decision.action != RETRAIN:
            return decision, None
        with watch.stage("train") as stage:
            challenge = steps.challenge(project, model, snapshot, found, champion)
            stage.rows(len(found), challenge.evaluation.rows["test"])
    except Exception as error:  # whatever a training raises: the champion stays and goes on answering
        what = error.what if isinstance(error, KeepfitError) else f"{type(error).__name__}: {error}"
        notes = getattr(error, "__notes__", ())
        failed = f"the training failed: {what}"
        return Decision(KEEP, (*decision.reasons, failed, *notes), failed), None
    conclusion = challenge.conclusion
    return Decision(conclusion.action, (*decision.reasons, *conclusion.reasons)), challenge


def _move(
    project: Project,
    model: Model,
    as_of: int,
    decision: Decision,
    challenge: steps.Challenge | None,
    champion: Version | None,
    *,
    online: bool,
) -> Version | None:
    """Move the champion as decided, and return who it is now."""
    if decision.action == ROLL_BACK:
        # the store holds what the predecessor needs: it is filled for both
        return project.registry.roll_back(model.name, as_of)
    if decision.action == PROMOTE and challenge is not None:
        if online:
            steps.publish_online(project, model.name, (challenge.version, champion), as_of)
        return project.registry.promote(model.name, challenge.version.number, as_of)
    return champion


def _log(
    project: Project,
    model: Model,
    snapshot: Snapshot,
    scored: steps.Scored | None,
    champion: Version | None,
    watch: Stopwatch,
) -> tuple[int, tuple[str, ...]]:
    """Log the answers of a turn; return how many there are, and why if there are none."""
    with watch.stage("predict") as stage:
        predicted = steps.log_answers(project, model, snapshot, scored, champion)
        stage.rows(made=predicted)
    return predicted, () if predicted or champion is None else steps.nothing_predicted(model, snapshot)


def arrived(
    project: Project, as_of: int, *, waiting: Waiting | None = None, watch: Stopwatch | None = None
) -> list[Ingested]:
    """Append every new file of every declared table; one that is refused blocks the turns of the models that read its table."""
    with (watch or Stopwatch(as_of, log=project.stages)).stage("ingest") as stage:
        done = ingest(project.engine, project.lake, project.sources, project.definitions.tables, as_of, waiting=waiting)
        stage.rows(sum(one.rows_read for one in done), sum(one.appended for one in done))
    return done


def ingest_all(project: Project, as_of: int, *, watch: Stopwatch | None = None) -> list[Ingested]:
    """Append every new file of every declared table.

    Raises
    ------
    SourceError
        For the first file that was refused, after every other one was ingested.
    """
    done = arrived(project, as_of, watch=watch)
    if (error := first_error(done)) is not None:
        raise error
    return done


def run(
    project: Project,
    name: str | None,
    as_of: int,
    *,
    catch_up: int = steps.MOST,
    listen: Listener = silent,
    ended: Callable[[Turn], None] = lambda turn: None,
) -> list[Turn]:
    """Run a turn for a model, or for every model if there are several and none is named; before it those that were missed.

    Each turn knows what was known at its own moment, and files arrive as in a replay. A run that is cut off is taken up by
    the next one where it was.

    Parameters
    ----------
    catch_up : int
        The most missed turns of a model that are taken, the newest ones.
    ended : callable
        Told after each turn.

    Returns
    -------
    list of Turn
        By moment, then by model; those of as_of are the last.
    """
    models = project.definitions.models if not name and len(project.definitions.models) > 1 else [project.model(name)]
    with steps.telling(project, models, as_of, "turn"):
        due = {model.name: steps.due(project, model, as_of, catch_up) for model in models}
    waiting, turns = Waiting(), []
    for moment in sorted({moment for one in due.values() for moment in one.moments}):
        now = [model for model in models if moment in due[model.name].moments]
        watch = Stopwatch(moment, log=project.stages, listen=listen)
        with steps.telling(project, now, moment, "ingest"):
            ingested = arrived(project, moment, waiting=waiting, watch=watch)
        for model in now:
            remarks = due[model.name].remarks(moment)
            with steps.telling(project, [model], moment, "turn"):
                done = turn(
                    project, model, moment, ingested=ingested, seconds=watch.seconds, remarks=remarks, listen=listen
                )
                filled = done.decision == PROMOTE  # a promotion has filled the store
                if moment == as_of and not (filled or done.blocked):
                    publish(project, model, as_of)
                steps.alert(project, model)
            ended(done)
            turns.append(done)
    return turns


def publish(project: Project, model: Model, as_of: int) -> dict[str, int]:
    """Bring the model's online store to what the lake holds, and return table -> rows; nothing without a champion."""
    loaded = steps.champion_at(project, model, as_of)
    champion = loaded.version if loaded else None
    if champion is None:
        return {}
    challenger, before = project.registry.challenger(model.name), steps.before(project, model.name, champion)
    return steps.publish_online(project, model.name, (champion, challenger, before), as_of)
