"""Commands that copy versions between registries: sync push, sync pull."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import as_of, by, common, micros, opened
from keepfit.cli.tables import Words

HELD_BACK = 6  # as of a promotion that a gate refuses, and of a version that cannot be read


def what(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add REMOTE, MODEL and --version."""
    command = click.option("--version", "number", metavar="N", help="One version of MODEL; default: all of them.")(
        command
    )
    command = click.argument("model", required=False)(command)
    return click.argument("remote")(command)


@click.group(cls=Words, invoke_without_command=True)
@common
@as_of
@click.pass_context
def sync(context: click.Context, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Copy versions with evidence, lineage and what people said of them between registries; without a command: help.

    REMOTE is a folder, s3://bucket/prefix (gs://, az://), dvc://NAME, or another MLflow: http://host:5000, sqlite:///mlflow.db.

    \b
    Example:
      keepfit sync push s3://models/shop churn
      keepfit sync pull s3://models/shop churn --version 3
    """
    if not Words.hand_down(context):
        from keepfit.cli import console

        console.say(context.get_help())


@sync.command()
@what
@common
@as_of
@click.option("--aliases", is_flag=True, help="Another MLflow gives them the aliases that they have here.")
def push(
    remote: str, model: str | None, number: str | None, folder: Path, profile: str | None, as_json: bool,
    moment: datetime | None, aliases: bool,
) -> None:  # fmt: skip
    """Send the versions of MODEL, or of every model, to REMOTE; what is there already is not sent again.

    \b
    Example:
      keepfit sync push /mnt/models churn
      keepfit sync push https://mlflow.example.com churn --version 3 --aliases
    """
    from keepfit import syncing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        models = project.models(_of_one(model, number))
        found = syncing.push(project, remote, models, number, micros(moment), aliases=aliases)
    console.show(found, as_json=as_json, render=governed.pushed)


@sync.command()
@what
@common
@as_of
@by
@click.option("--aliases", is_flag=True, help="Promote the champion there, if it passes every gate here.")
def pull(
    remote: str, model: str | None, number: str | None, folder: Path, profile: str | None, as_json: bool,
    moment: datetime | None, who: str, aliases: bool,
) -> None:  # fmt: skip
    """Bring the versions of MODEL, or of every model, from REMOTE; they get numbers of their own here, and no alias.

    Exit code 6 if a version there cannot be read (the others come), or a gate holds back what --aliases asks for.

    \b
    Example:
      keepfit sync pull dvc://team churn
      keepfit sync pull s3://models/shop churn --aliases --by "Ann Lee"
    """
    from keepfit import syncing
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        models = project.models(_of_one(model, number))
        found = syncing.pull(project, remote, models, number, micros(moment), who, aliases=aliases)
    console.show(found, as_json=as_json, render=governed.pulled)
    if found["failed"] or any(one["lacking"] for one in found["aliases"]):
        raise click.exceptions.Exit(HELD_BACK)


def _of_one(model: str | None, number: str | None) -> str | None:
    if number is not None and model is None:
        raise click.UsageError("--version is one of a model: name it, too")
    return model
