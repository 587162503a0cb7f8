"""Commands that look at the lake, and keep it small: tables, tables history, tables show, tables vacuum."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from keepfit.cli.options import Duration, as_of, common, micros, opened


class Words(click.Group):
    """A group that says what to do with a table's name where a command is expected, and hands its options down."""

    @staticmethod
    def hand_down(context: click.Context) -> bool:
        """Give what was said before the command to the command; return whether there is one."""
        if context.invoked_subcommand is None:
            return False
        given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
        context.default_map = {context.invoked_subcommand: {name: context.params[name] for name in given}}
        return True

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(
                f"unknown command {args[0]!r}; to see a table: keepfit {self.name} show {args[0]}", ctx
            )
        return super().resolve_command(ctx, args)


def numbered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --version."""
    return click.option("--version", type=click.IntRange(0), help="Look at this version; default: the newest.")(command)


def _until(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


@click.group(cls=Words, invoke_without_command=True)
@common
@as_of
@numbered
@click.pass_context
def tables(
    context: click.Context,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    version: int | None,
) -> None:
    """List the tables of the lake: kind, version, rows, size, files, columns, time range.

    With --as-of each table is read as it was at that moment: the version that was the newest, and of it the rows known before.

    \b
    Example:
      keepfit tables
      keepfit tables --as-of 2025-06-01
    """
    from keepfit import looking
    from keepfit.cli import console, lists

    if Words.hand_down(context):
        return
    found = looking.overview(opened(folder, profile), version, _until(moment))
    console.show({"tables": found}, as_json=as_json, render=lists.overview)


@tables.command()
@click.argument("name")
@common
@as_of
def history(name: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """List the versions of table NAME: as of when, what was done, files and rows added; with --as-of those until then.

    \b
    Example:
      keepfit tables history sales
    """
    from keepfit import looking
    from keepfit.cli import console, lists

    found = looking.history(opened(folder, profile), name, _until(moment))
    console.show(found, as_json=as_json, render=lists.history)


@tables.command()
@click.argument("name")
@common
@as_of
@numbered
@click.option("--rows", type=click.IntRange(0), default=10, show_default=True, help="Rows to draw, evenly spread.")
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also draw a profile page to this .html."
)
def show(
    name: str,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    version: int | None,
    rows: int,
    target: Path | None,
) -> None:
    """Show what table NAME holds: some of its rows, and type, missing values and distribution of each column.

    \b
    Example:
      keepfit tables show sales
      keepfit tables show sales --as-of 2025-06-01 --to sales.html
    """
    from keepfit import looking
    from keepfit.cli import console, lists

    found = looking.show(opened(folder, profile), name, version, _until(moment), rows, target)
    console.show(found, as_json=as_json, render=lists.shown)


@tables.command()
@common
@as_of
@click.option("--keep", type=Duration(), default="30d", show_default=True, help="Versions younger than this stay.")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and remove nothing.")
def vacuum(folder: Path, profile: str | None, as_json: bool, moment: datetime | None, keep: int, dry_run: bool) -> None:
    """Remove the Parquet files that no version reads which is new, younger than --keep, or needed to build a model again.

    \b
    Example:
      keepfit tables vacuum --dry-run
      keepfit tables vacuum --keep 90d
    """
    from keepfit import keeping
    from keepfit.cli import console, lists

    project = opened(folder, profile)
    with project.locked():
        done = keeping.vacuum(project, micros(moment), keep, dry_run=dry_run)
    console.show(done, as_json=as_json, render=lists.vacuumed)
