"""Commands that show what a version is worth: report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import as_of, common, micros, opened


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option("--version", "number", metavar="N", help="The version; default: the champion, or else the newest.")
@click.option(
    "--html", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write its report, one HTML file."
)
@click.option(
    "--interactive",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write its report with charts that answer to a pointer: one HTML file with a script, and no request.",
)
def report(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    number: str | None, target: Path | None, interactive: Path | None,
) -> None:  # fmt: skip
    """Show every metric of a version with its interval, beside the constant and simple rules on the same rows.

    \b
    Example:
      keepfit report churn
      keepfit report churn --version 3 --html churn_3.html
      keepfit report churn --interactive churn.html
    """
    from keepfit import reporting
    from keepfit.cli import console

    project = opened(folder, profile)
    result = reporting.report(project, project.model(model), micros(moment), number, target, interactive)
    console.show(result, as_json=as_json, render=_shown)


def _shown(found: dict[str, Any]) -> None:
    from keepfit import clock
    from keepfit.cli import console, governed, render

    rows = ", ".join(f"{count:,} {part}" for part, count in found["rows"].items())
    span = f"{clock.show(found['test_from_at'])} to {clock.show(found['test_to_at'])}"
    trained = clock.show(found["trained_at"])
    console.say(f"{found['model']} version {found['version']}, trained {trained}: {rows} rows, tested on {span}")
    heads = list(found["metrics"][0])
    console.table(heads, [[one[head] for head in heads] for one in found["metrics"]])
    if found["calibration"]:
        console.say(found["calibration"])
    render.features(found["features"])
    render.grown(found)
    if found["parity"]:
        console.say(governed.certified(found["parity"]))
    if found["outcome"]:
        console.say(f"did it help: {found['outcome']}")
    for rule in found["rivals"]:
        console.say(f"rule: {rule}")
    for path in filter(None, (found["path"], found["interactive"])):
        console.say(f"report: {path}")
