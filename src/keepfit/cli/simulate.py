"""The command that makes a world to practise on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import Duration, Moment, micros


@click.command()
@click.argument("world", type=click.Choice(["shop", "air", "bridges"]))
@click.option("--to", "target", default=None, metavar="FOLDER", help="The project to make; default: WORLD.")
@click.option(
    "--from",
    "since",
    type=Moment(),
    default=None,
    help="Begin with the month of it; default: 24 months, of bridges 144.",
)
@click.option(
    "--as-of",
    "--to-date",
    "moment",
    type=Moment(),
    default=None,
    help="End where the month of it begins; default: now.",
)
@click.option(
    "--drift", "drifts", multiple=True, metavar="COLUMN@DATE:SIZE[:SHAPE]", help="What moves; may be repeated."
)
@click.option(
    "--fault", "faults", multiple=True, metavar="FAULT@MONTH[:COLUMN][:SHARE]", help="What is spoiled; may be repeated."
)
@click.option("--label-delay", type=Duration(), default=None, help="How long after it happened a label is known: 20d.")
@click.option(
    "--rows", type=click.IntRange(min=1), default=None, help="About how many; default: 100,000, of bridges 20,000."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="The same seed makes the same bytes."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="Where FOLDER lies; default: here.",
)
@click.option("--profile", default="dev", show_default=True, help="The profile that keepfit.yaml begins with.")
def simulate(
    world: str, target: str | None, since: datetime | None, moment: datetime | None, drifts: tuple[str, ...],
    faults: tuple[str, ...], label_delay: int | None, rows: int | None, seed: int, as_json: bool, folder: Path, profile: str,
) -> None:  # fmt: skip
    """Make a project around a simulated WORLD: raw files by month, definitions, and truth.json, which says what was done.

    A drift moves a column (amount@2024-06:0.3), the label's base rate (churn@2024-06:0.5) or the effect of a column on the
    label (churn~text@2024-06:2), at once, or with :gradual=90d or :recurring=365d after it. Faults: missing-column, nulls,
    unit, duplicate-rows, late-files, frozen-sensor, swapped-columns, bad-encoding.

    \b
    Example:
      keepfit simulate shop --to churn --drift amount@2024-06:0.3 --label-delay 20d --as-of 2025-01-01
      keepfit simulate air --drift pm25~wind@2024-06:0.3:gradual=90d --fault frozen-sensor@2024-09:pm25:0.5
    """
    from keepfit.begin import simulate as made_of
    from keepfit.cli import console

    made = made_of(
        (folder / (target or world)).resolve(),
        world,
        as_of=micros(moment),
        since=since,
        drifts=drifts,
        faults=faults,
        label_delay=label_delay,
        rows=rows,
        seed=seed,
        profile=profile,
    )
    console.show(made, as_json=as_json, render=_made)


def _made(made: dict[str, Any]) -> None:
    from keepfit.cli import console

    truth = made["truth"]
    rows = ", ".join(f"{name} {count:,}" for name, count in truth["rows"].items())
    console.say(
        f"{made['folder']}: {', '.join(made['files'])} and, in data/, rows of {truth['from']} to {truth['to']}: {rows}"
    )
    for drift in truth["drifts"]:
        console.say(f"drift {drift['said']}: {drift['kind']}, {drift['shape']}, size in {drift['unit']}")
    for fault in truth["faults"]:
        console.say(f"fault {fault['said']} in {fault['file']}: {fault['meaning']}")
    made_in, to = Path(made["folder"]), truth["to"]
    name = made_in.relative_to(Path.cwd()) if made_in.is_relative_to(Path.cwd()) else made_in
    console.say(
        f"next: cd {name} && keepfit check && keepfit run --as-of {to}   (or see the past: keepfit replay --to {to})"
    )
