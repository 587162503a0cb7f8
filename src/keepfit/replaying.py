"""Replay: the loop over the past, for the declared policy or for several, and what each would have come to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keepfit import clock, loop, steps
from keepfit.errors import ProjectError, did_you_mean
from keepfit.evidence import Contest, Costs, Turn, as_data, from_data
from keepfit.project import Project
from keepfit.snapshot import take
from keepfit.spec import codec
from keepfit.spec.check import InvalidDefinitions, check
from keepfit.spec.model import Model
from keepfit.spec.policy import MetricBelow, Policy, when
from keepfit.stages.reports import write_policies, write_replay

DECLARED = "declared"
SCHEDULES = {
    "daily": "0 0 * * *",
    "weekly": "0 0 * * mon",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 */3 *",
    "yearly": "0 0 1 1 *",
}
UNFINISHED = "unfinished.json"

Listen = Callable[[str, Turn], None]


def replay(
    project: Project,
    model: Model,
    start: int | None,
    end: int,
    every: str,
    *,
    policies: Sequence[str] = (DECLARED,),
    costs: Costs = Costs(),  # noqa: B008 - frozen
    listen: Listen = lambda name, turn: None,
) -> dict[str, Any]:
    """Run the loop over the past beside production, once for each policy, and return the turns, and how the policies compare.

    A replay that was cut off goes on where it was, unless the definitions have changed since.

    Parameters
    ----------
    policies : sequence of str
        'declared', 'never', 'daily' to 'yearly', 'on-drift', 'on-metric', or names of policies in definitions.py.

    Returns
    -------
    dict
        turns: of the first policy; policies: name -> turns; contest: Contest, None for a single policy;
        report: path of a page, with a JSON file beside it if there are several policies.
    """
    moments = loop.moments_of(project, start, end, every)
    if not moments:
        raise ProjectError(
            "there is no turn between the first event and the end", fix="give an earlier --from or a later --to"
        )
    chosen = {name: policy_named(project, model, name) for name in dict.fromkeys(policies)}
    name = _name(model, moments, chosen)
    contenders = [
        steps.Contender(
            one, project.replaying(f"{name}/{one}" if len(chosen) > 1 else name), replace(model, policy=policy)
        )
        for one, policy in chosen.items()
    ]
    folder = project.replaying(name).outcomes
    done = _taken_up(folder, contenders, moments)

    def ended(one: steps.Contender, turn: Turn) -> None:
        _begun(one).unlink()
        listen(one.name, turn)

    turns = loop.replay(contenders, moments, done=done, begin=lambda one: _begun(one).touch(), listen=ended)
    compared = _compared(contenders, moments) if len(contenders) > 1 else None
    found = compared(costs) if compared else None
    report = _report(project, model, name, moments, turns, found)
    (folder / UNFINISHED).unlink()
    return {
        "model": model.name,
        "metric": model.metric,
        "turns": next(iter(turns.values())),
        "policies": turns,
        "contest": found,
        "report": str(report),
    }


def policy_named(project: Project, model: Model, name: str) -> Policy:
    """Return a policy by its name.

    Raises
    ------
    ProjectError
        If there is none, or the model says nothing that it could be made of.
    InvalidDefinitions
        If it is declared and does not fit the model.
    """
    own = model.policy
    if name in project.definitions.policies:
        policy = project.definitions.policies[name]
        if problems := check(project.definitions.tables, [replace(model, policy=policy)]):
            raise InvalidDefinitions(problems)
        return policy
    if name in SCHEDULES:
        return replace(own, retrain=when.schedule(SCHEDULES[name]), cooldown="1h", budget=None, quiet=None)
    made: dict[str, Callable[[], Policy]] = {
        DECLARED: lambda: own,
        "never": lambda: replace(own, retrain=when.never()),
        "on-drift": lambda: replace(own, retrain=when.drift()),
        "on-metric": lambda: replace(own, retrain=_on_metric(model)),
    }
    if name not in made:
        known = [*made, *SCHEDULES, *project.definitions.policies]
        raise ProjectError(f"unknown policy {name!r}", where="--policies", fix=did_you_mean(name, known))
    return made[name]()


def _on_metric(model: Model) -> MetricBelow:
    """Return the bound of the declared policy, else of the gate on the model's metric."""
    leaves = [leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow)]
    bounds = [leaf.threshold for leaf in leaves if leaf.metric == model.metric]
    bounds += [gate.threshold for gate in model.gates if gate.kind == "threshold" and gate.metric == model.metric]
    if not bounds:
        raise ProjectError(
            f"on-metric: neither the policy nor a gate says how good {model.metric} must be",
            where="--policies",
            fix=f"declare Gate({model.metric!r}, threshold=...), or leave on-metric out",
        )
    return MetricBelow(model.metric, bounds[0])


def _name(model: Model, moments: Sequence[int], chosen: dict[str, Policy]) -> str:
    """Return a name: replays of two definitions, or of other policies, stand side by side."""
    definition = codec.fingerprint([[one, codec.encode(replace(model, policy=p))] for one, p in chosen.items()])[:8]
    return f"{model.name}_{clock.show(moments[0])}_{clock.show(moments[-1])}_{definition}".replace(":", "")


def _taken_up(
    folder: Path, contenders: Sequence[steps.Contender], moments: Sequence[int]
) -> Callable[[steps.Contender, int], Turn | None]:
    """Return what an earlier replay finished before it was cut off; one that ended, or that another version ran, begins anew."""
    settings = contenders[0].project.settings.training.model_dump()
    mark = folder / UNFINISHED
    said = json.dumps({"keepfit": version("keepfit"), "moments": list(moments), "training": settings})
    if not mark.is_file() or mark.read_text() != said:
        _empty(folder)
        mark.write_text(said)
        return lambda contender, moment: None
    for one in contenders:
        # a turn that was cut off has left what the same turn would find: its policy begins anew
        if _begun(one).exists():
            _empty(one.project.outcomes)
            mark.write_text(said)
    known = {one.name: _finished(one) for one in contenders}
    return lambda contender, moment: known[contender.name].get(moment)


def _begun(one: steps.Contender) -> Path:
    """Return the file that is there while a turn of a policy is under way."""
    one.project.outcomes.mkdir(parents=True, exist_ok=True)
    return one.project.outcomes / "turn"


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _finished(one: steps.Contender) -> dict[int, Turn]:
    """Return moment -> turn of the ledger."""
    told = [steps.turn_of(one.project, entry) for entry in steps.entries(one.project, one.model.name)]
    return {turn.as_of: turn for turn in (from_data(Turn, data) for data in told)}


def _compared(contenders: Sequence[steps.Contender], moments: Sequence[int]) -> Callable[[Costs], Contest | None]:
    first = contenders[0]
    snapshot = take(first.project.engine, first.project.lake, first.model.tables(), moments[-1])
    return partial(steps.contest, contenders, snapshot, moments)


def _report(
    project: Project,
    model: Model,
    name: str,
    moments: Sequence[int],
    turns: Mapping[str, Sequence[Turn]],
    found: Contest | None,
) -> Path:
    """Write the page of a replay, of several policies with what it shows as JSON beside it, and return its path."""
    leaves = [leaf for leaf in model.policy.retrain.leaves() if isinstance(leaf, MetricBelow)]
    bounds = [leaf.threshold for leaf in leaves if leaf.metric == model.metric]
    threshold = bounds[0] if bounds else None
    path = project.reports / f"replay_{name}.html"
    title = f"{model.name}: {clock.show(moments[0])} to {clock.show(moments[-1])}"
    if len(turns) == 1:
        (own,) = turns.values()
        return write_replay(own, path, title=title, metric=model.metric, threshold=threshold)
    write_policies(found, turns, path, title=title, metric=model.metric, threshold=threshold)
    told = {"contest": found, "decisions": {one: [_decided(turn) for turn in own] for one, own in turns.items()}}
    path.with_suffix(".json").write_text(json.dumps(as_data(told), indent=1), encoding="utf-8")
    return path


def _decided(turn: Turn) -> dict[str, Any]:
    champion, challenger = (facts and facts.version for facts in (turn.champion, turn.challenger))
    return {
        "as_of": turn.as_of,
        "decision": turn.decision,
        "reasons": turn.reasons,
        "champion": champion,
        "challenger": challenger,
        "realised": turn.realised,
    }
