"""Who decides on versions, and what was decided: models, gates, ledger; promote, challenge, roll back, approve, reject, archive.

Every step is a row of the ledger: who took it, why, on which evidence, as of when.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepfit import artifact as artifacts
from keepfit import clock, steps
from keepfit.errors import RegistryError
from keepfit.evidence import (
    APPROVE,
    ARCHIVE,
    ARCHIVED,
    CHALLENGE,
    KEEP,
    PROMOTE,
    REJECT,
    REJECTED,
    ROLL_BACK,
    Entry,
    Turn,
    Verdict,
    as_data,
)
from keepfit.project import Project
from keepfit.spec.gates import APPROVAL
from keepfit.spec.model import Model
from keepfit.stages.registry.aliases import CHALLENGER, CHAMPION
from keepfit.stages.registry.evidence import evidence_of
from keepfit.stages.registry.version import Version


def versions(project: Project, models: Sequence[Model], as_of: int) -> dict[str, Any]:
    """Return every version that was trained by as_of: what it showed, what its gates say, what it is, what it is made of."""
    return {"as_of": as_of, "versions": [one for model in models for one in _versions(project, model, as_of)]}


def _versions(project: Project, model: Model, as_of: int) -> list[dict[str, Any]]:
    aliases = {number: alias for alias, number in steps.aliases_at(project, model.name, as_of).items()}
    standing = steps.stood(project, model.name, as_of)
    became = steps.became(project, model, as_of)
    return [
        {
            "model": model.name,
            "version": one.number,
            "alias": aliases.get(one.number),
            "retired": standing.retired.get(one.number),
            **_shown(project, model, one, as_of),
            "trained_at": one.trained_at,
            "age_days": (as_of - one.trained_at) / clock.DAY,
            "approved_by": [given.by for given in standing.approvals.get(one.number, ())],
            "outcome": became.get(one.number, ""),
            "lineage": artifacts.lineage(one.folder),
            "evidence": one.evidence,
        }
        for one in project.registry.versions(model.name)
        if one.trained_at <= as_of
    ]


def _shown(project: Project, model: Model, version: Version, as_of: int) -> dict[str, Any]:
    """Return a version's own metric with its interval, and the names of the gates that it passes and does not.

    Of one whose files are not what was written, only that.
    """
    try:
        evidence = evidence_of(version)
        found = evidence.get("estimate") or {}
        told, refused = steps.verdicts(project, model, version, as_of) if found else (), ""
    except RegistryError as error:  # the other versions are shown all the same
        evidence, found, told, refused = {}, {}, (), error.what
    return {
        "refused": refused,
        "metric": evidence.get("metric"),
        **{name: found.get(name) for name in ("value", "low", "high", "rows")},
        "gates_passed": [one.gate for one in told if one.passed],
        "gates_failed": [one.gate for one in told if not one.passed],
    }


def gates(project: Project, model: Model, number: str, as_of: int) -> dict[str, Any]:
    """Return what each gate, as it is declared now, finds of a version."""
    version = steps.version_at(project, model, number, as_of)
    told = steps.verdicts(project, model, version, as_of)
    return {
        "model": model.name,
        "version": number,
        "as_of": as_of,
        "evidence": version.evidence,
        "passed": all(one.passed for one in told),
        "gates": [{**as_data(one), "evidence": _cited(version, one)} for one in told],
    }


def _cited(version: Version, verdict: Verdict) -> str:
    """Return where a verdict's number is found: in the version's report, or, of approvals, in the ledger."""
    if not verdict.evidence or verdict.gate == APPROVAL:
        return verdict.evidence
    return f"{version.model}/{version.number}/{verdict.evidence}"


def ledger(project: Project, models: Sequence[Model], as_of: int, *, every: bool) -> dict[str, Any]:
    """Return the steps until as_of, and what was live then: since when, on which evidence, approved by whom.

    With `every`, turns that kept the champion are steps, too.
    """
    told = {model.name: steps.entries_judged(project, model, as_of) for model in models}
    taken = sorted((one for found in told.values() for one in found), key=lambda one: (one.as_of, one.step))
    return {
        "as_of": as_of,
        "live": [_live(project, model, as_of, told[model.name]) for model in models],
        "steps": [one for one in taken if every or one.action != KEEP or one.by],
    }


def _live(project: Project, model: Model, as_of: int, told: Sequence[Entry]) -> dict[str, Any]:
    standing = steps.stood(project, model.name, as_of)
    one = standing.live
    if one is None:
        return {"model": model.name, "version": None}
    given = standing.approvals.get(one.version or "", ())
    return {
        "model": model.name,
        "version": one.version,
        "since_at": one.as_of,
        "step": one.id,
        "action": one.action,
        "by": one.by,
        "reasons": one.reasons,
        "evidence": one.evidence,
        "outcome": {step.id: step.outcome for step in told}[one.id],
        "overridden": one.overridden,
        "gates": steps.turn_of(project, one).get("verdicts", []),
        "approvals": [
            {"by": step.by, "at": clock.show(step.as_of), "why": step.reasons[0], "step": step.id} for step in given
        ],
    }


def promote(
    project: Project, model: Model, number: str, as_of: int, by: str, override: str | None, why: str = "by hand"
) -> dict[str, Any]:
    """Make a version the champion; one that fails a gate only with a reason, which the ledger keeps.

    Raises
    ------
    RegistryError
        If it is archived, rejected or the champion, or fails a gate and nobody says why it may go out all the same.
    """
    steps.require_newest(project, model.name, as_of)
    steps.version_at(project, model, number, as_of)
    version = project.registry.promotable(model.name, number)
    told = steps.verdicts(project, model, version, as_of)
    failed = [one for one in told if not one.passed]
    if failed and not override:
        raise _failed(project, model, number, failed)
    spite = f", in spite of: {'; '.join(one.reason for one in failed)}" if failed else ""
    reason = f"promoted {why}{spite}" + (f": {override}" if override else "")
    return _promoted(project, model, version, as_of, by, reason, told)


def _failed(project: Project, model: Model, number: str, failed: Sequence[Verdict]) -> RegistryError:
    fix = "train a better one, or give --override 'why it may go out all the same'"
    if [one.gate for one in failed] == [APPROVAL]:
        fix = f"keepfit approve {model.name} {number} --reason WHY"
    reasons = "; ".join(one.reason for one in failed)
    what = f"version {number} of {model.name} failed its gates: {reasons}"
    return RegistryError(what, where=project.registry.uri, fix=fix)


def _promoted(
    project: Project, model: Model, version: Version, as_of: int, by: str, reason: str, told: tuple[Verdict, ...]
) -> dict[str, Any]:
    before = project.registry.champion(model.name)
    # the server answers from its store as soon as the pointer moves: it must hold what the version needs before
    steps.publish_online(project, model.name, (version, before), as_of)
    champion = project.registry.promote(model.name, version.number, as_of)
    spite = tuple(one.gate for one in told if not one.passed)
    _enter(project, model, as_of, PROMOTE, by, reason, champion, None, verdicts=told, overridden=spite)
    return _moved(model, as_of, PROMOTE, by, reason, champion, before)


def roll_back(project: Project, model: Model, as_of: int, by: str, reason: str) -> dict[str, Any]:
    """Give the champion's place back to its predecessor; the ledger keeps the reason."""
    steps.require_newest(project, model.name, as_of)
    before = project.registry.champion(model.name)
    steps.publish_online(project, model.name, (before, steps.before(project, model.name, before)), as_of)
    champion = project.registry.roll_back(model.name, as_of)
    _enter(project, model, as_of, ROLL_BACK, by, reason, champion, None)
    return _moved(model, as_of, ROLL_BACK, by, reason, champion, before)


def approve(project: Project, model: Model, number: str, as_of: int, by: str, reason: str) -> dict[str, Any]:
    """Record that somebody approves a version; the challenger is promoted at once if it then passes every gate.

    An approval takes a rejection back. A version that is not the challenger stays where it is.
    """
    steps.require_newest(project, model.name, as_of)
    version = steps.version_at(project, model, number, as_of)
    if version.retired == ARCHIVED:
        raise RegistryError(
            f"version {number} of {model.name} is archived", where=project.registry.uri, fix="approve another version"
        )
    _enter(project, model, as_of, APPROVE, by, reason, project.registry.champion(model.name), version)
    if version.retired == REJECTED:
        project.registry.aliases.restore(model.name, number)
    told = steps.verdicts(project, model, version, as_of)
    promoted = project.registry.aliases.of(model.name).get(CHALLENGER) == number and all(one.passed for one in told)
    if promoted:
        _promoted(project, model, version, as_of, by, f"approved by {by}: {reason}", told)
    lacking = [one.reason for one in told if not one.passed]
    return _decided(project, model, as_of, APPROVE, by, reason, number) | {"promoted": promoted, "lacking": lacking}


def challenge(project: Project, model: Model, number: str, as_of: int, by: str, reason: str) -> dict[str, Any]:
    """Make a version the challenger: servers have it answer in shadow or as canary, as their settings say.

    Raises
    ------
    RegistryError
        If it is archived, rejected or the champion.
    """
    steps.require_newest(project, model.name, as_of)
    steps.version_at(project, model, number, as_of)
    version, champion = project.registry.promotable(model.name, number), project.registry.champion(model.name)
    # as before a promotion, the server's store must hold what the version needs
    steps.publish_online(project, model.name, (version, champion, steps.before(project, model.name, champion)), as_of)
    _enter(project, model, as_of, CHALLENGE, by, reason, champion, version)
    project.registry.aliases.challenge(model.name, number)
    project.registry.challenger(model.name)
    return _decided(project, model, as_of, CHALLENGE, by, reason, number)


def reject(project: Project, model: Model, number: str, as_of: int, by: str, reason: str) -> dict[str, Any]:
    """Record that a version may not be promoted; an approval takes it back."""
    return _retire(project, model, number, as_of, REJECT, REJECTED, by, reason)


def archive(project: Project, model: Model, number: str, as_of: int, by: str, reason: str) -> dict[str, Any]:
    """Put a version away for good: it stays on record, and cannot be promoted any more."""
    return _retire(project, model, number, as_of, ARCHIVE, ARCHIVED, by, reason)


def _retire(
    project: Project, model: Model, number: str, as_of: int, action: str, why: str, by: str, reason: str
) -> dict[str, Any]:
    steps.require_newest(project, model.name, as_of)
    version, aliases = steps.version_at(project, model, number, as_of), project.registry.aliases
    if aliases.of(model.name).get(CHAMPION) == number:
        raise RegistryError(
            f"version {number} is the champion of {model.name}, and cannot be {why}",
            where=project.registry.uri,
            fix=f"promote another version first, or roll back: keepfit rollback {model.name}",
        )
    if version.retired in (why, ARCHIVED):
        raise RegistryError(
            f"version {number} of {model.name} is {version.retired} already",
            where=project.registry.uri,
            fix="nothing to do",
        )
    # the ledger first: cut off in between, the same command can be given again
    _enter(project, model, as_of, action, by, reason, project.registry.champion(model.name), version)
    aliases.retire(model.name, number, why)
    project.registry.challenger(model.name)
    return _decided(project, model, as_of, action, by, reason, number)


def _enter(
    project: Project,
    model: Model,
    as_of: int,
    action: str,
    by: str,
    reason: str,
    champion: Version | None,
    about: Version | None,
    **told: Any,
) -> None:
    live, decided = steps.facts(champion), steps.facts(about)
    entry = Turn(model.name, as_of, action, (reason,), rows={}, by=by, champion=live, challenger=decided, **told)
    steps.write_ledger(project, entry)


def _moved(
    model: Model, as_of: int, action: str, by: str, reason: str, champion: Version, before: Version | None
) -> dict[str, Any]:
    told = {"model": model.name, "as_of": as_of, "decision": action, "by": by, "reasons": [reason]}
    return told | {"champion": champion.number, "before": before.number if before else None}


def _decided(
    project: Project, model: Model, as_of: int, action: str, by: str, reason: str, number: str
) -> dict[str, Any]:
    told = {"model": model.name, "as_of": as_of, "decision": action, "by": by, "reasons": [reason], "version": number}
    return told | {"champion": project.registry.aliases.of(model.name).get(CHAMPION)}
