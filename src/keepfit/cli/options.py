"""Options that commands share, and the way from them to an opened project."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from keepfit.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """A moment as ISO text: 2025-06-01, or 2025-06-01T12:00:00Z."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware UTC datetime."""
        from keepfit import clock

        try:
            return value if isinstance(value, datetime) else clock.parse_moment(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class EveryGrid(click.ParamType[str]):
    """A calendar grid: '1 month', '2 weeks', '1 day', '6 hours'."""

    name = "grid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, once it is known to be a grid."""
        from keepfit import clock

        try:
            clock.Grid(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Duration(click.ParamType[int]):
    """An exact duration such as '30d' or '12h', in microseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the microseconds."""
        from keepfit import clock

        try:
            return value if isinstance(value, int) else clock.duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def common(command: Command) -> Command:
    """Add --project, --profile and --json."""
    folder = click.Path(file_okay=False, path_type=Path)
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    command = click.option("--profile", help="A profile of keepfit.yaml; default: its default_profile.")(command)
    return click.option("--project", "folder", type=folder, default=".", help="The project folder; default: here.")(
        command
    )


def as_of(command: Command) -> Command:
    """Add --as-of; without it, now."""
    return click.option(
        "--as-of",
        "moment",
        type=Moment(),
        default=None,
        help="Act as of this moment, such as 2025-06-01; default: now.",
    )(command)


def by(command: Command) -> Command:
    """Add --by; without it, the user of the operating system."""
    return click.option(
        "--by",
        "who",
        metavar="WHO",
        default=_user,
        callback=said,
        help="Who decides; goes to the ledger. Default: your user name.",
    )(command)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("nobody is known to decide; say who: --by WHO") from None


def said(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return a reason or a name without the blanks around it; one that says nothing is refused."""
    if value is not None and not value.strip():
        raise click.BadParameter("say something", ctx=ctx, param=param)
    return value and value.strip()


def micros(moment: datetime | None) -> int:
    """Return a moment in microseconds UTC; None is now. The one place that reads the clock for the loop."""
    from keepfit import clock

    return clock.to_micros(moment or datetime.now(UTC))


def opened(folder: Path, profile: str | None) -> Project:
    """Return the project in a folder."""
    from keepfit.project import open_project

    return open_project(folder.resolve(), profile, os.environ)
