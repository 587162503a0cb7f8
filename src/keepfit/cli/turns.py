"""Commands that turn the loop, whole or one stage of it: run, train, watch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit.cli.options import as_of, common, micros, opened

if TYPE_CHECKING:
    from keepfit.evidence import Turn

BLOCKED = (
    8  # the exit code of a turn that stopped: no error of keepfit's (see keepfit.errors), yet nothing to go on with
)


class Turns(click.ParamType[int]):
    """How many turns: a number, or none."""

    name = "turns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; none is 0."""
        text = str(value).strip().lower()
        if text != "none" and not text.isdigit():
            self.fail(f"{value!r} is no number of turns; write 60, or none", param, ctx)
        return 0 if text == "none" else int(text)


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option(
    "--catch-up",
    type=Turns(),
    default="60",
    show_default=True,
    metavar="N|none",
    help="The most missed turns that are taken before this one, the newest of them.",
)
def run(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, catch_up: int
) -> None:
    """Run one turn: ingest, watch, decide, train and promote if called for. What a scheduler calls.

    Turns that were missed since the last run are taken before it, in order, each as of its own moment.

    Exit code 8 if a table that a model reads is not as expected, or a file of it is refused: the turn then stops after the ingest.

    \b
    Example:
      keepfit run
      keepfit run churn --as-of 2025-06-01 --json
      keepfit run --catch-up none
    """
    from keepfit import alerting, loop
    from keepfit.cli import console, render
    from keepfit.cli.alerts import deliver

    project, now = opened(folder, profile), micros(moment)
    alerting.channels_of(project)  # a channel that is said wrongly is known before the turn

    def ended(turn: Turn) -> None:
        if turn.as_of < now and not as_json:
            console.note(f"caught up: {turn.model} {render.line(turn)}")

    try:
        with project.locked():
            turns = loop.run(
                project, model, now,
                catch_up=catch_up, listen=lambda stage: None if as_json else console.note(f"  {stage}"), ended=ended,
            )  # fmt: skip
    finally:  # a turn that failed is told, too
        deliver(project)
    result = turns[0] if len(turns) == 1 else {"as_of": now, "turns": turns}
    console.show(result, as_json=as_json, render=lambda _: render.turns(turns))
    if any(turn.blocked for turn in turns if turn.as_of == now):
        raise click.exceptions.Exit(BLOCKED)


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
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes; default: reports/watch/.",
)
@click.option(
    "--interactive", is_flag=True, help="Let the page's charts answer to a pointer: a script, and no request."
)
@click.option(
    "--multivariate",
    is_flag=True,
    help="Also ask a small model to tell the rows of now from those of then; takes some seconds.",
)
@click.option(
    "--prometheus",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write the numbers for node_exporter's textfile collector: a file that ends in .prom.",
)
def watch(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    page: Path | None, interactive: bool, multivariate: bool, prometheus: Path | None,
) -> None:  # fmt: skip
    """Show how the champion is doing: drift of its inputs and answers, and how matured predictions turned out.

    Writes a page, the evidence as JSON, drift as CSV and every feature in numbers into reports/watch/MODEL.

    \b
    Example:
      keepfit watch --as-of 2025-06-01
      keepfit watch churn --multivariate
      keepfit watch churn --prometheus /var/lib/node_exporter/churn.prom
    """
    from keepfit import watching
    from keepfit.cli import console, render_watch
    from keepfit.evidence import as_data

    project = opened(folder, profile)
    with project.locked():
        found = watching.watch(
            project, project.model(model), micros(moment),
            multivariate=multivariate, page=page, interactive=interactive, prometheus=prometheus,
        )  # fmt: skip
    evidence = found.pop("evidence")
    console.show(
        {**as_data(evidence), **found}, as_json=as_json, render=lambda told: render_watch.watched(evidence, told)
    )
