"""Commands that govern versions: models, gates, approve, reject, challenge, promote, rollback, archive, ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import as_of, by, common, micros, opened, said

FAILED = 6  # the exit code of a version that a gate holds back, as of a refused promotion
reason = click.option("--reason", required=True, metavar="WHY", callback=said, help="Goes to the ledger.")
tidied = click.option(
    "--reason", default="archived by hand", show_default=True, callback=said, help="Goes to the ledger."
)


def decision(why: Callable[[Any], Any]) -> Callable[[Callable[..., None]], click.Command]:
    """Return what makes a command of what somebody decides on a version, for a reason."""

    def made(function: Callable[..., None]) -> click.Command:
        for option in (why, by, as_of, common, click.argument("version"), click.argument("model")):
            function = option(function)
        return click.command()(function)

    return made


def _decide(
    verb: str, *, model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    who: str, reason: str,
) -> None:  # fmt: skip
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        result = getattr(governing, verb)(project, project.model(model), version, micros(moment), who, reason)
    console.show(result, as_json=as_json, render=governed.decided)


@click.command()
@click.argument("model", required=False)
@common
@as_of
def models(model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Show the versions of MODEL, or of every model: metric with interval, gates, alias, age, lineage.

    \b
    Example:
      keepfit models churn
      keepfit models --as-of 2025-06-01 --json
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    found = governing.versions(project, project.models(model), micros(moment))
    console.show(found, as_json=as_json, render=governed.versions)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
def gates(model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Hold VERSION of MODEL to every gate: value, bound, verdict, evidence. Exit code 6 if one holds it back.

    \b
    Example:
      keepfit gates churn 3
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    found = governing.gates(project, project.model(model), version, micros(moment))
    console.show(found, as_json=as_json, render=governed.gates)
    if not found["passed"]:
        raise click.exceptions.Exit(FAILED)


@decision(reason)
def approve(**given: Any) -> None:
    """Approve VERSION of MODEL; the challenger is promoted at once if it then passes every gate.

    \b
    Example:
      keepfit approve churn 3 --by "Ann Lee" --reason "reviewed with risk on Monday"
    """
    _decide("approve", **given)


@decision(reason)
def reject(**given: Any) -> None:
    """Reject VERSION of MODEL: it cannot be promoted, unless somebody approves it later.

    \b
    Example:
      keepfit reject churn 3 --by "Ann Lee" --reason "it leans on a column that goes away"
    """
    _decide("reject", **given)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
@by
@reason
def challenge(
    model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    who: str, reason: str,
) -> None:  # fmt: skip
    """Make VERSION the challenger of MODEL: servers have it answer beside the champion, as serving.challenger says.

    \b
    Example:
      keepfit challenge churn 3 --by "Ann Lee" --reason "to see it under Monday's load"
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        result = governing.challenge(project, project.model(model), version, micros(moment), who, reason)
    console.show(result, as_json=as_json, render=governed.decided)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
@by
@click.option(
    "--override", metavar="REASON", callback=said, help="Promote in spite of failed gates; goes to the ledger."
)
def promote(
    model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    who: str, override: str | None,
) -> None:  # fmt: skip
    """Make VERSION the champion of MODEL. A version that fails a gate is refused without --override.

    \b
    Example:
      keepfit promote churn 3
      keepfit promote churn 3 --by "Ann Lee" --override "the one group is small; agreed with legal"
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        result = governing.promote(project, project.model(model), version, micros(moment), who, override)
    console.show(result, as_json=as_json, render=governed.moved)


@click.command()
@click.argument("model", required=False)
@common
@as_of
@by
@click.option("--reason", default="rolled back by hand", show_default=True, callback=said, help="Goes to the ledger.")
def rollback(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, who: str, reason: str
) -> None:
    """Give the champion's place back to its predecessor.

    \b
    Example:
      keepfit rollback churn --reason "scores look wrong since Monday"
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        result = governing.roll_back(project, project.model(model), micros(moment), who, reason)
    console.show(result, as_json=as_json, render=governed.moved)


@decision(tidied)
def archive(**given: Any) -> None:
    """Put VERSION of MODEL away for good: it stays on record, and cannot be promoted any more.

    \b
    Example:
      keepfit archive churn 1 --reason "its columns are gone"
    """
    _decide("archive", **given)


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option("--all", "every", is_flag=True, help="Also the turns that kept the champion.")
def ledger(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, every: bool
) -> None:
    """Show what was live at --as-of, on which evidence, approved by whom; and every step until then.

    \b
    Example:
      keepfit ledger churn --as-of 2025-06-01
    """
    from keepfit import governing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    found: dict[str, Any] = governing.ledger(project, project.models(model), micros(moment), every=every)
    console.show(found, as_json=as_json, render=governed.ledger)
