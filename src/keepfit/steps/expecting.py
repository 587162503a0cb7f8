"""What a turn does about tables that are not as expected: it warns, or it stops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from keepfit.errors import BlockedError, SourceError
from keepfit.evidence import CRITICAL, KEEP, WARNING, Decision, Symptom, Turn
from keepfit.evidence.alerts import QUALITY, STALE
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.spec.tables import Table
from keepfit.stages.ingest import Broken, Ingested
from keepfit.stages.registry.version import Version
from keepfit.steps.ledger import facts, write_ledger
from keepfit.steps.outputs import leave_blocked

BLOCK, TIMELINESS = "block", "timeliness"


@dataclass(frozen=True)
class Judged:
    """What is not as expected of the tables that a model reads, in sentences."""

    blocked: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    symptoms: tuple[Symptom, ...] = ()

    def remarked(self, more: Sequence[str]) -> Judged:
        """Return this with more to be said of the turn."""
        return replace(self, warned=(*self.warned, *more))


def tables_of(model: Model) -> list[Table]:
    """Return the tables that a model reads, and those that they look in."""
    found = list(model.tables())
    for table in found:
        if table.lookup is not None and table.lookup.of not in found:
            found.append(table.lookup.of)
    return found


def judged(model: Model, broken: Iterable[Broken]) -> Judged:
    """Return what is broken of the tables that a model reads."""
    names = {table.name for table in tables_of(model)}
    own = [one for one in broken if one.table in names]
    blocked = tuple(f"blocked: {one.what}" for one in own if one.otherwise == BLOCK)
    warned = tuple(f"warning: {one.what}" for one in own if one.otherwise != BLOCK)
    return Judged(blocked, warned, tuple(_symptom(one) for one in own))


def _symptom(one: Broken) -> Symptom:
    kind = STALE if one.expectation.startswith(TIMELINESS) else QUALITY
    return Symptom(kind, f"{one.table}: {one.expectation}", CRITICAL if one.otherwise == BLOCK else WARNING, one.what)


def expected(model: Model, ingested: Sequence[Ingested]) -> Judged:
    """Return what is broken of the tables that a model reads, as their ingest says; a refused file is, of any table."""
    found = judged(model, (one for done in ingested for one in done.broken))
    names = {table.name for table in tables_of(model)}
    refused = [(done.table, error) for done in ingested for error in done.errors]
    blocked = tuple(f"blocked: {_refused(error)}" for table, error in refused if table in names)
    warned = tuple(f"warning: {_refused(error)}" for table, error in refused if table not in names)
    symptoms = tuple(
        Symptom(QUALITY, f"{table}: {error.where or 'files'}", CRITICAL if table in names else WARNING, _refused(error))
        for table, error in refused
    )
    return Judged((*blocked, *found.blocked), (*found.warned, *warned), (*symptoms, *found.symptoms))


def _refused(error: SourceError) -> str:
    return f"{error.what} ({error.fix})" if error.fix else error.what


def require_expected(model: Model, ingested: Sequence[Ingested]) -> None:
    """Refuse to use tables that are not as expected.

    Raises
    ------
    BlockedError
        If an expectation that blocks is broken for a table that the model reads.
    """
    if found := expected(model, ingested).blocked:
        raise BlockedError(
            f"{model.name} is {found[0]}" + (f" (and {len(found) - 1} more)" if found[1:] else ""),
            where=f"model {model.name}",
            fix="mend the source and ingest again, or take a table as it is now: keepfit ingest --accept TABLE",
        )


def stop(
    project: Project,
    model: Model,
    as_of: int,
    ingested: Sequence[Ingested],
    found: Judged,
    champion: Version | None,
    seconds: Mapping[str, float],
) -> Turn:
    """Record and return a turn that a broken expectation blocks: the champion stays as it is."""
    decision = Decision(KEEP, (*found.blocked, *found.warned))
    rows = {"appended": sum(one.appended for one in ingested), "quarantined": sum(one.quarantined for one in ingested)}
    result = Turn(
        model.name,
        as_of,
        decision.action,
        decision.reasons,
        rows={"known": 0, **rows, "predicted": 0},
        quarantine=quarantined(ingested),
        champion=facts(champion),
        seconds=dict(seconds),
        blocked=True,
        symptoms=found.symptoms,
    )
    write_ledger(project, result)
    leave_blocked(project, result)
    return result


def quarantined(ingested: Sequence[Ingested]) -> dict[str, int]:
    """Return why rows went to quarantine: table and broken rule -> rows."""
    return {f"{one.table}: {rule}": rows for one in ingested for rule, rows in one.reasons.items()}
