"""Did a later file change the past? A correction that counts from when it happened was not known then."""

from __future__ import annotations

from typing import Any

from keepfit import clock, tables
from keepfit.evidence import NOTE, Finding, Tested
from keepfit.snapshot import Snapshot
from keepfit.spec.tables import Events, Table
from keepfit.stages.features.leakage.material import Material, alarm

ALLOWANCE = clock.DAY  # files may overlap by as much: of local midnights, of a delivery that took its time
LATE_SHARE = 0.01  # of the rows that came after the first ingest
MOST = 0.5  # of a file's rows: then it is a file of corrections, or of forgotten rows


def corrected_later(material: Material) -> Tested:
    """Look, in tables that say nothing of when a row was known, for rows that came after the time they tell of."""
    findings, said, numbers = [], [], {}
    for table in filter(_known_at_once, material.model.tables()):
        arrivals, exchanged = arrived(material.snapshot, table)
        findings += [_exchanged(table, path) for path in exchanged if isinstance(table, Events)]
        batches = 1 + max((batch for batch, _ in arrivals.values()), default=0)
        said.append(f"{len(arrivals)} files of {table.name} in {batches} ingest{'s' if batches > 1 else ''}")
        numbers[table.name] = {"files": len(arrivals), "ingests": batches}
        if len(arrivals) > 1:
            probe = material.snapshot.engine.probe(table, material.snapshot.files(table))
            findings += _restated(table, probe.restated(arrivals, material.snapshot.as_of))
            findings += _late(table, probe.late(arrivals, ALLOWANCE, material.snapshot.as_of))
    compared = f"what later files say of moments that earlier ones covered: {', '.join(said)}"
    return Tested(
        "corrections",
        compared if said else "all tables say when their rows were known",
        numbers,
        tuple(findings),
    )


def _known_at_once(table: Table) -> bool:
    """Return whether a row counts from its time on: events without `known`, and versions of records."""
    return table.time is not None and not (isinstance(table, Events) and (table.known or table.known_after))


def _where(table: Table, files: list[dict[str, Any]]) -> str:
    return f"definitions.py, {type(table).__name__} {table.name!r}; {', '.join(file['file'] for file in files[:3])}"


def _fix(table: Table, otherwise: str) -> str:
    if isinstance(table, Events):
        return f"declare known='<column that says when a row was written>', {otherwise}"
    return "let time= name the column that says when a version was written, not since when it is valid"


def arrived(snapshot: Snapshot, table: Table) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Return each file's (batch, place) in the order of arrival, and the files whose rows were exchanged for others.

    Files of one ingest are one batch, because nobody knows in which order they came into being.
    """
    listed = snapshot.engine.rows(snapshot.lake.parquet_files(tables.FILES.name))
    mine = [row for row in listed if row["table"] == table.name and row["version"] <= snapshot.versions[table.name]]
    first: dict[str, dict[str, Any]] = {}
    digests: dict[str, set[str]] = {}
    for row in sorted(mine, key=lambda row: (row["version"], row["path"])):
        first.setdefault(row["path"], row)
        digests.setdefault(row["path"], set()).add(row["digest"])
    batches = {moment: batch for batch, moment in enumerate(dict.fromkeys(row["as_of"] for row in first.values()))}
    arrivals = {path: (batches[row["as_of"]], place) for place, (path, row) in enumerate(first.items())}
    return arrivals, [path for path, found in digests.items() if len(found) > 1]


def _restated(table: Table, files: list[dict[str, Any]]) -> list[Finding]:
    # of files that came together, one that mostly repeats others corrects them; others share a moment by chance
    wrong = [file for file in files if file["altered"] and (file["later"] or file["repeated"] >= MOST * file["rows"])]
    if not wrong:
        return []
    altered, example = sum(file["altered"] for file in wrong), wrong[0]
    what = (
        f"{altered:,} moments of {table.name} are told otherwise by a later file, such as {example['entity']} at"
        f" {clock.show(example['t'])} by {example['file']}: the correction was not known then"
    )
    return [
        alarm(
            "corrections",
            what,
            _where(table, wrong),
            _fix(table, "and correct by a new row instead of a second one of the same time"),
            moments=altered,
            files=len(wrong),
            entity=example["entity"],
            t_at=example["t"],
        )
    ]


def _late(table: Table, files: list[dict[str, Any]]) -> list[Finding]:
    rows, late = (sum(file[name] for file in files) for name in ("rows", "late"))
    wrong = [file for file in files if file["late"] > MOST * file["rows"]]
    if not late or (late <= LATE_SHARE * rows and not wrong):
        return []
    wrong = wrong or [file for file in files if file["late"]]
    days = -(-max(file["delay"] for file in wrong) // clock.DAY)
    what = (
        f"{late:,} of {rows:,} rows of {table.name} that came after the first ingest ({late / rows:.1%}) are older than what their"
        f" entity already had, such as {wrong[0]['entity']} at {clock.show(wrong[0]['t'])} in {wrong[0]['file']}:"
        " they count from when they happened, and were not known then"
    )
    return [
        alarm(
            "corrections",
            what,
            _where(table, wrong),
            _fix(table, f"or known_after='{days}d'"),
            rows=rows,
            late=late,
            share=round(late / rows, 4),
            delay_days=days,
            entity=wrong[0]["entity"],
            t_at=wrong[0]["t"],
        )
    ]


def _exchanged(table: Events, path: str) -> Finding:
    return Finding(
        "corrections",
        NOTE,
        f"the rows of {path} were exchanged for others after it was ingested: features of before see the new ones",
        f"definitions.py, Events {table.name!r}",
        "send corrections as new rows, in a new file, with known='<column that says when a row was written>'",
        {"file": path},
    )
