"""Commands about rows that broke their contract: quarantine list, quarantine show, quarantine release."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit.cli.options import as_of, common, micros, opened
from keepfit.cli.tables import Words

if TYPE_CHECKING:
    from keepfit.stages.ingest import Released

STAYED = 20  # rows that are told one by one


def chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --reason and --file."""
    command = click.option("--file", "raw", metavar="FILE", help="Only rows of this raw file.")(command)
    return click.option("--reason", metavar="TEXT", help="Only rows whose reason holds this text.")(command)


@click.group(cls=Words, invoke_without_command=True)
@common
@as_of
@click.pass_context
def quarantine(
    context: click.Context, folder: Path, profile: str | None, as_json: bool, moment: datetime | None
) -> None:
    """Look at the rows that broke their contract, and release them when they can be right; without a command: list.

    \b
    Example:
      keepfit quarantine
      keepfit quarantine show sales --to bad.jsonl
      keepfit quarantine release sales --from bad.jsonl
    """
    if not Words.hand_down(context):
        _listed(None, folder, profile, as_json, moment)


@quarantine.command("list")
@click.argument("table", required=False)
@common
@as_of
def list_(table: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Count the rows in quarantine by TABLE and reason; with --as-of those that had come by then.

    \b
    Example:
      keepfit quarantine list sales
    """
    _listed(table, folder, profile, as_json, moment)


def _listed(table: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    from keepfit import releasing
    from keepfit.cli import console

    found = releasing.overview(opened(folder, profile), table, micros(moment))
    console.show({"quarantine": found}, as_json=as_json, render=lambda _: _overview(found))


def _overview(found: list[dict[str, Any]]) -> None:
    from keepfit.cli import console

    if not found:
        console.say("nothing is in quarantine")
        return
    names = ["table", "rows", "files", "first_file", "first_line", "reason"]
    heads = ["table", "rows", "files", "first file", "line", "reason"]
    console.table(heads, [[one[name] for name in names] for one in found])


@quarantine.command()
@click.argument("table")
@common
@as_of
@chosen
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Rows to print.")
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write all of them, to this .jsonl."
)
def show(
    table: str,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    reason: str | None,
    raw: str | None,
    limit: int,
    target: Path | None,
) -> None:
    """Show rows of TABLE in quarantine: file, line, reason and the row as it was read.

    The file that --to writes can be edited and released: `keepfit quarantine release TABLE --from FILE`.

    \b
    Example:
      keepfit quarantine show sales --reason 'is below'
      keepfit quarantine show sales --to bad.jsonl
    """
    from keepfit import releasing
    from keepfit.cli import console

    which = releasing.Chosen(reason, raw)
    found = releasing.show(opened(folder, profile), table, which, limit, target, micros(moment))
    console.show(found, as_json=as_json, render=_shown)


def _shown(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    rows = [
        (row["file"], row["line"], row["reason"], row["raw"] if isinstance(row["raw"], str) else json.dumps(row["raw"]))
        for row in found["rows"]
    ]
    console.table(["file", "line", "reason", "row"], rows)
    console.say(f"{len(rows):,} of {found['count']:,} rows" + (f", all in {found['path']}" if found["path"] else ""))


@quarantine.command()
@click.argument("table")
@common
@as_of
@chosen
@click.option("--line", type=click.IntRange(1), help="Only the row on this line; with --file.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows as `show --to` wrote them, edited by hand; only these are released.",
)
def release(
    table: str,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    reason: str | None,
    raw: str | None,
    line: int | None,
    source: Path | None,
) -> None:
    """Send rows of TABLE in quarantine through the contract again; what meets it is appended, the rest stays.

    \b
    Example:
      keepfit quarantine release orders --reason 'is not in customers'
      keepfit quarantine release sales --from bad.jsonl
    """
    from keepfit import releasing
    from keepfit.cli import console

    if line is not None and raw is None:
        raise click.UsageError("--line needs --file")
    project = opened(folder, profile)
    with project.locked():
        done = releasing.release(project, table, releasing.Chosen(reason, raw, line), source, micros(moment))
    console.show(done, as_json=as_json, render=_released)


def _released(done: Released) -> None:
    from keepfit.cli import console

    console.say(
        f"{done.table}: {done.released:,} of {done.rows:,} rows released, {len(done.stayed):,} stay in quarantine"
    )
    for row in done.stayed[:STAYED]:
        place = f"line {row.line}" if row.line is not None else f"record {row.record}"
        console.say(f"  {row.file}, {place}: {row.reason}")
    if len(done.stayed) > STAYED:
        console.say(f"  and {len(done.stayed) - STAYED:,} more (--json lists them)")
