"""From a question to its report: which turns, which policies, what each came to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keepfit import clock, steps
from keepfit.artifact import swap
from keepfit.errors import ProjectError
from keepfit.evidence import Contest, Costs, Turn, as_data
from keepfit.project import Project
from keepfit.replaying import kept
from keepfit.replaying.past import Past
from keepfit.replaying.policies import DECLARED, bounds, policy_named
from keepfit.replaying.running import side_by_side
from keepfit.spec.model import Model
from keepfit.stages.ingest import Waiting, begins, ends
from keepfit.stages.reports import write_policies, write_replay

Listen = Callable[[str, Turn], None]


def replay(
    project: Project,
    model: Model,
    start: int | None,
    end: int,
    every: str,
    *,
    to_newest: bool = False,
    policies: Sequence[str] = (DECLARED,),
    costs: Costs = Costs(),  # noqa: B008 - frozen
    anew: bool = False,
    listen: Listen = lambda name, turn: None,
) -> dict[str, Any]:
    """Run the loop over the past beside production, once for each policy, and return the turns, and how the policies compare.

    A replay that was cut off goes on where it was. A policy that has ended is not run again while its definition, the turns, the
    `training:` settings, keepfit and the data are the same: then only prices are counted anew.

    Parameters
    ----------
    start : int or None
        Microseconds UTC; None begins at the first event.
    end : int
        No turn lies after it.
    to_newest : bool
        Whether to end at the newest event, if that lies before `end`.
    policies : sequence of str
        'declared', 'never', 'daily' to 'yearly', 'on-drift', 'on-metric', or names of policies in definitions.py.
    anew : bool
        Run every turn again.

    Returns
    -------
    dict
        turns: of the first policy; policies: name -> turns; contest: Contest, None for a single policy; newest_at: the newest
        event, if the replay ends there; ran: how many turns were run, others were kept; report: path of a page, with a JSON file
        beside it.
    """
    waiting = Waiting()
    newest = ends(project.engine, project.lake, project.sources, model.events(), end, waiting) if to_newest else None
    moments = _moments(project, start, end if newest is None else newest, every)
    chosen = {name: policy_named(project, model, name) for name in dict.fromkeys(policies)}
    name = kept.folder_of(model, moments)
    contenders = [
        steps.Contender(one, project.replaying(f"{name}/{one}"), replace(model, policy=policy))
        for one, policy in chosen.items()
    ]
    shared = project.replaying(name)
    past = Past(shared, model, moments, waiting)
    if anew or not past.stands():
        kept.empty(shared.outcomes)
        past.begin()
    done = {one.name: kept.taken_up(one) for one in contenders}
    workers = project.settings.engine.threads or os.cpu_count() or 1
    turns = side_by_side(contenders, moments, past, done, workers, listen)
    found = steps.contest(contenders, past.at(moments[-1])[1], moments, costs) if len(contenders) > 1 else None
    told = {"model": model.name, "metric": model.metric, "every": every, "newest_at": newest, "turns_at": moments}
    title = kept.title_of(name, model, chosen)
    report = _report(project, model, title, told, turns, found)
    ran = sum(map(len, turns.values())) - sum(map(len, done.values()))
    return {
        "model": model.name,
        "metric": model.metric,
        "turns": next(iter(turns.values())),
        "policies": turns,
        "contest": found,
        "newest_at": newest,
        "ran": ran,
        "report": str(report),
    }


def _moments(project: Project, start: int | None, end: int, every: str) -> list[int]:
    """Return the moments of a replay: the grid from `start`, or from the first event, to `end`."""
    if start is None:
        start = begins(project.engine, project.lake, project.sources, project.definitions.tables)
    moments = clock.Grid(every).moments(end if start is None else start, end)
    if not moments:
        raise ProjectError(
            "there is no turn between the first event and the end", fix="give an earlier --from or a later --to"
        )
    return moments


def _report(
    project: Project,
    model: Model,
    name: str,
    told: dict[str, Any],
    turns: Mapping[str, Sequence[Turn]],
    found: Contest | None,
) -> Path:
    """Write the page of a replay, with what it shows as JSON beside it, and return its path."""
    moments, threshold = told["turns_at"], next(iter(bounds(model)), None)
    path = project.reports / f"replay_{name}.html"
    title = f"{model.name}: {clock.show(moments[0])} to {clock.show(moments[-1])}"
    if len(turns) == 1:
        (own,) = turns.values()
        write_replay(own, path, title=title, metric=model.metric, threshold=threshold)
    else:
        write_policies(found, turns, path, title=title, metric=model.metric, threshold=threshold)
    decisions = {one: [_decided(turn) for turn in own] for one, own in turns.items()}
    data = {"keepfit": version("keepfit"), **told, "contest": found, "decisions": decisions}
    swap(path.with_suffix(".json"), json.dumps(as_data(data), indent=1).encode())
    return path


def _decided(turn: Turn) -> dict[str, Any]:
    champion, challenger = (facts and facts.version for facts in (turn.champion, turn.challenger))
    return {
        "as_of": turn.as_of,
        "decision": turn.decision,
        "reasons": turn.reasons,
        "champion": champion,
        "challenger": challenger,
        "rows": turn.rows,
        "realised": turn.realised,
        "estimated": turn.estimated,
    }
