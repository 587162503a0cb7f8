"""Commands that turn the loop, whole or one stage of it: run, replay, train, watch, predict."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import EveryGrid, Moment, as_of, common, micros, opened

BLOCKED = (
    8  # the exit code of a turn that stopped: no error of keepfit's (see keepfit.errors), yet nothing to go on with
)


@click.command()
@click.argument("model", required=False)
@common
@as_of
def run(model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Run one turn: ingest, watch, decide, train and promote if called for, predict. What a scheduler calls.

    Exit code 8 if a table that a model reads is not as expected: the turn then stops after the ingest.

    \b
    Example:
      keepfit run
      keepfit run churn --as-of 2025-06-01 --json
    """
    from keepfit import loop
    from keepfit.cli import console, render

    project = opened(folder, profile)
    with project.locked():
        turns = loop.run(
            project, model, micros(moment), listen=lambda stage: None if as_json else console.note(f"  {stage}")
        )
    result = turns[0] if len(turns) == 1 else {"as_of": turns[0].as_of, "turns": turns}
    console.show(result, as_json=as_json, render=lambda _: render.turns(turns))
    if any(turn.blocked for turn in turns):
        raise click.exceptions.Exit(BLOCKED)


@click.command()
@click.argument("model", required=False)
@common
@click.option("--from", "start", type=Moment(), default=None, help="The first turn; default: the first event.")
@click.option("--to", "moment", type=Moment(), default=None, help="The last turn; default: now.")
@click.option("--as-of", "as_of", type=Moment(), default=None, help="The same as --to.")
@click.option(
    "--every",
    type=EveryGrid(),
    default="1 month",
    show_default=True,
    help="The grid of turns: '1 month', '1 week', '1 day'.",
)
def replay(
    model: str | None, folder: Path, profile: str | None, as_json: bool,
    start: datetime | None, moment: datetime | None, as_of: datetime | None, every: str,
) -> None:  # fmt: skip
    """Run the loop over the past, turn by turn, beside production: its models and records are its own.

    \b
    Example:
      keepfit replay --from 2024-01-01 --to 2025-12-01 --every '1 month'
    """
    from keepfit import actions
    from keepfit.cli import console, render

    project = opened(folder, profile)
    with project.locked():
        result = actions.replay(
            project,
            project.model(model),
            None if start is None else micros(start),
            micros(moment or as_of),
            every,
            listen=lambda turn: None if as_json else console.note(render.line(turn)),
        )
    console.show(
        result, as_json=as_json, render=lambda found: render.replay(found["turns"], found["metric"], found["report"])
    )


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option(
    "--dev",
    is_flag=True,
    help="Try the definition with a small model of scikit-learn; nothing is searched or recorded.",
)
def train(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, dev: bool
) -> None:
    """Train and record a challenger now, whatever the policy says, and judge it by the gates; promotes nothing.

    \b
    Example:
      keepfit train churn
      keepfit promote churn 3
      keepfit train churn --dev
    """
    from keepfit import actions
    from keepfit.cli import console, render

    project = opened(folder, profile)
    with project.locked():
        result = (actions.draft if dev else actions.train)(project, project.model(model), micros(moment))
    console.show(result, as_json=as_json, render=render.challenge)


@click.command()
@click.argument("model", required=False)
@common
@as_of
def watch(model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Show how the champion is doing: drift of its inputs and answers, and how matured predictions turned out.

    \b
    Example:
      keepfit watch --as-of 2025-06-01
    """
    from keepfit import actions
    from keepfit.cli import console, render

    project = opened(folder, profile)
    with project.locked():
        result = actions.watch(project, project.model(model), micros(moment))
    console.show(result, as_json=as_json, render=render.evidence)


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write a .parquet or .csv file."
)
def predict(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, target: Path | None
) -> None:
    """Score every current observation with the champion and append the answers to the prediction log.

    \b
    Example:
      keepfit predict churn --to scores.csv
    """
    from keepfit import actions
    from keepfit.cli import console

    project = opened(folder, profile)
    with project.locked():
        result: dict[str, Any] = actions.predict(project, project.model(model), micros(moment), target)
    console.show(
        result,
        as_json=as_json,
        render=lambda found: console.say(
            f"{found['rows']:,} observations of {found['t']} scored by version {found['version']}"
            + (f": {found['path']}" if found["path"] else "")
        ),
    )
