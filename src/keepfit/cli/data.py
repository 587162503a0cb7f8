"""Commands about tables: ingest, dataset."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import as_of, common, micros, opened
from keepfit.errors import LISTED, SourceError


@click.command()
@common
@as_of
@click.option(
    "--replace",
    multiple=True,
    metavar="FILE",
    help="Exchange the rows of this file, which changed after it was ingested.",
)
@click.option("--accept", multiple=True, metavar="TABLE", help="Take this table as it is, whatever was expected of it.")
def ingest(
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    replace: tuple[str, ...],
    accept: tuple[str, ...],
) -> None:
    """Read new files into the lake; rows that break their contract go to quarantine with the reason.

    \b
    Example:
      keepfit ingest
      keepfit ingest --replace sales_2025_03.csv
      keepfit ingest --accept sales
    """
    from keepfit.cli import console
    from keepfit.stages import ingest as stage  # not by way of the loop, which loads what computes and trains
    from keepfit.stopwatch import Stopwatch

    project = opened(folder, profile)
    into, declared = (project.engine, project.lake, project.sources), project.definitions.tables
    at = micros(moment)
    watch = Stopwatch(at, log=project.stages)
    with project.locked(), console.progress(quiet=as_json) as listen, watch.stage("ingest") as measured:
        done = stage.ingest(*into, declared, at, exchange=replace, accept=accept, listen=listen)
        measured.rows(sum(one.rows_read for one in done), sum(one.appended for one in done))
    console.show({"tables": done}, as_json=as_json, render=lambda result: ingested(result["tables"]))
    if any(one.errors for one in done):
        raise click.exceptions.Exit(SourceError.exit_code)


def ingested(done: list[Any]) -> None:
    """Print what an ingest did, and why files were refused."""
    from keepfit.cli import console

    columns = ["table", "files", "waiting", "rows in", "appended", "repeated", "quarantined", "reasons"]
    rows = [
        (
            one.table,
            len(one.files),
            len(one.waiting),
            one.rows_read,
            one.appended,
            one.repeated,
            one.quarantined,
            _reasons(one.reasons),
        )
        for one in done
    ]
    console.table(columns, rows)
    for one in done:
        for sentence in _noteworthy(one):
            console.say(sentence)
        for error in one.errors:
            console.note(str(error))


def _noteworthy(one: Any) -> list[str]:
    """Return what a reader should know of a load: null rates that moved, columns that changed, what is not as expected."""
    said = [
        f"{one.table}.{move.column}: {move.before:.1%} without a value before, {move.now:.1%} now" for move in one.moved
    ]
    if one.copies:
        more = f" and {len(one.copies) - LISTED:,} more" if len(one.copies) > LISTED else ""
        names = ", ".join(one.copies[:LISTED]) + more
        said.append(f"{one.table}: of {names} nothing was appended: the content is that of a file before")
    said += [f"{one.table}: {change}" for change in one.changes[:LISTED]]
    if len(one.changes) > LISTED:
        said.append(f"{one.table}: {len(one.changes) - LISTED:,} more changes of columns (--json lists them)")
    return said + [f"{'blocks' if broken.otherwise == 'block' else 'warning'}: {broken.what}" for broken in one.broken]


def _reasons(reasons: dict[str, int]) -> str:
    return "; ".join(f"{reason} ({rows:,})" for reason, rows in reasons.items()) or "-"


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .parquet or .csv file."
)
def dataset(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, target: Path
) -> None:
    """Write the training set of MODEL as of a moment: entity, t, features and target of every mature observation.

    New files are ingested first; while another command is at work in the project, it reads what that one has ingested so far.

    \b
    Example:
      keepfit dataset churn --as-of 2025-06-01 --to churn.parquet
    """
    from keepfit import actions
    from keepfit.cli import console

    project = opened(folder, profile)
    written = actions.dataset(project, project.model(model), micros(moment), target)
    if not written["ingested"]:
        console.note("another keepfit command is at work in this project: read is what it has ingested so far")
    console.show(
        written,
        as_json=as_json,
        render=lambda result: console.say(
            f"{result['rows']:,} rows, {result['features']} features, {result['from']} to {result['to']}: {result['path']}"
        ),
    )
