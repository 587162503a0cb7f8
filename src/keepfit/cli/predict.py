"""The command predict: answers in batches."""

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
@click.option(
    "--rows", metavar="FILE|TABLE", help="Score rows of ready features: a file, a Delta table, a table of the lake."
)
@click.option(
    "--of", "pairs", metavar="FILE|TABLE", help="Score the entities of a file or table, each as of its column `at`."
)
@click.option(
    "--to", "place", type=click.Path(path_type=Path), help="A .parquet or .csv file, or a folder: a Delta table."
)
@click.option("--append", is_flag=True, help="Add to the Delta table that is there.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option(
    "--bad", type=click.Path(dir_okay=False, path_type=Path), help="Put rows that cannot be answered into this .csv."
)
@click.option("--version", "number", help="Answer with this version; default: the champion.")
def predict(
    model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None, rows: str | None,
    pairs: str | None, place: Path | None, append: bool, force: bool, bad: Path | None, number: str | None,
) -> None:  # fmt: skip
    """Score every current observation and append the answers to the prediction log; or score what a file asks.

    \b
    Example:
      keepfit predict churn --to scores.csv
      keepfit predict churn --rows features.parquet --to scores.parquet
      keepfit predict churn --rows features.csv --to scores --append --bad bad.csv
      keepfit predict churn --of customers.csv --to scores.parquet --version 3
    """
    from keepfit import predicting
    from keepfit.cli import console
    from keepfit.steps.targets import Target

    _check(rows, pairs, place, bad)
    project, at, target = opened(folder, profile), micros(moment), Target(place, append, force) if place else None
    found = project.model(model)
    if target is not None and rows is not None:
        result = predicting.predict_rows(project, found, at, rows, target, bad=bad, version=number)
    elif target is not None and pairs is not None:
        result = predicting.predict_asked(project, found, at, pairs, target, bad=bad, version=number)
    else:
        with project.locked():
            result = predicting.predict(project, found, at, target, number)
    console.show(result, as_json=as_json, render=_render)


def _check(rows: str | None, pairs: str | None, place: Path | None, bad: Path | None) -> None:
    """Refuse options that do not fit each other."""
    if rows is not None and pairs is not None:
        raise click.UsageError("--rows or --of, not both")
    if (rows is not None or pairs is not None) and place is None:
        raise click.UsageError("say where the answers go: --to scores.parquet")
    if rows is None and pairs is None and bad is not None:
        raise click.UsageError("--bad is for rows of a file: --rows or --of")


def _render(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    of = f"observations of {found['t']}" if "t" in found else "rows"
    console.say(
        f"{found['rows']:,} {of} scored by version {found['version']}" + (f": {found['path']}" if found["path"] else "")
    )
    if found.get("bad"):
        console.say(f"{found['bad']:,} could not be answered: {found['bad_path']}")
