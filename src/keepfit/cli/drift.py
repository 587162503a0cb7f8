"""The command that compares two sets of rows: drift."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import as_of, common, micros

JSON_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("reference")
@click.argument("current")
@common
@as_of
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write a .csv or .parquet file."
)
@click.option(
    "--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Also write a page, one HTML file."
)
@click.option(
    "--alpha", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="The chance of any false alarm."
)
@click.option(
    "--reference-to", type=JSON_FILE, help="Also save the reference's counts: the .json file can be named in its place."
)
@click.option(
    "--current-to", type=JSON_FILE, help="Also save the counts of the current rows; those of several files add up."
)
@click.option(
    "--multivariate", is_flag=True, help="Also tell the rows of one set from those of the other by all columns."
)
def drift(
    reference: str, current: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    target: Path | None, page: Path | None, alpha: float, reference_to: Path | None, current_to: Path | None,
    multivariate: bool,
) -> None:  # fmt: skip
    """Show how far each column of one set of rows has moved from another: Parquet or CSV files, or tables of the project.

    Any number of rows: all are counted in one scan, in memory that does not grow. Files need no project.

    \b
    Example:
      keepfit drift 'sales_2024*.parquet' 'sales_2025*.parquet' --to drift_summary.csv
      keepfit drift before.csv after.csv --html drift.html
      keepfit drift 'sales_2024*.parquet' monday.parquet --reference-to 2024.json --current-to monday.json
      keepfit drift 2024.json '*day.json'
      keepfit drift before.csv after.csv --multivariate
    """
    from keepfit import comparing
    from keepfit.cli import console

    project = comparing.opened(folder.resolve(), profile, os.environ)
    found = comparing.compare(
        project,
        [reference],
        [current],
        micros(moment),
        alpha,
        target,
        page,
        reference_to=reference_to,
        current_to=current_to,
        multivariate=multivariate,
    )
    console.show(found, as_json=as_json, render=shown)


def shown(found: dict[str, Any]) -> None:
    """Print what was compared."""
    from keepfit.cli import console, render_watch

    console.say(f"{found['reference']['rows']:,} rows before, {found['current']['rows']:,} now")
    render_watch.drift(found["drift"], found["least_psi"])
    for name, how in found["changed"].items():
        console.say(f"{name} is {how}")
    if found["new"]:
        console.say(f"new columns: {', '.join(found['new'])}")
    if left := found["not_compared"]:
        console.say(f"not compared: {', '.join(f'{name} ({kind})' for name, kind in left.items())}")
    for path in filter(None, (found["path"], found["report"])):
        console.say(path)
