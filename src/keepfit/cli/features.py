"""Commands about features: features, preview."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from keepfit import clock
from keepfit.cli.options import as_of, common, micros, opened

BLOCKS = " ▁▂▃▄▅▆▇█"


@click.command()
@click.argument("model", required=False)
@common
def features(model: str | None, folder: Path, profile: str | None, as_json: bool) -> None:
    """List the features of MODEL: name, meaning, window, source, type; and its target.

    \b
    Example:
      keepfit features churn
    """
    from keepfit import inspecting
    from keepfit.cli import console

    project = opened(folder, profile)
    console.show(inspecting.features(project, project.model(model)), as_json=as_json, render=_listed)


def _listed(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    console.say(f"model {found['model']}, feature set {found['version']} ({found['fingerprint'][:12]})")
    for one in found["features"]:
        console.say(f"{one.name}   ({one.type}, {one.window}, {one.source})")
        console.say(f"    {one.meaning}")
    console.say(f"target {found['target'].name}: {found['target'].meaning}")


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option("--entity", metavar="KEY", help="Show the values of this entity, at --as-of.")
@click.option("--sample", type=click.IntRange(1), default=1000, show_default=True, help="Observations to draw from.")
@click.option(
    "--to", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also draw the distributions to this .html."
)
def preview(
    model: str | None,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    entity: str | None,
    sample: int,
    target: Path | None,
) -> None:
    """Show feature values of MODEL for one entity, or how they are distributed over a sample of the newest observations.

    \b
    Example:
      keepfit preview churn --entity C00017
      keepfit preview churn --sample 500 --to preview.html
    """
    from keepfit import inspecting
    from keepfit.cli import console

    project = opened(folder, profile)
    found = inspecting.preview(project, project.model(model), micros(moment), entity, sample, target)
    console.show(found, as_json=as_json, render=_previewed)


def _previewed(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    if found["entity"] is not None:
        console.say(f"model {found['model']}, entity {found['entity']} at {clock.show(found['as_of'])}")
        console.table(
            ["feature", "value", "meaning"], [[n, number(v), found["meaning"][n]] for n, v in found["values"].items()]
        )
        return
    console.say(f"model {found['model']}, {found['rows']:,} of {found['observations']:,} observations at {found['t']}")
    rows = [_drawn(name, one) for name, one in found["distributions"].items()]
    console.table(["feature", "null", "least", "median", "greatest", "distribution"], rows)
    if found["path"]:
        console.say(f"drawn in {found['path']}")


def _drawn(name: str, one: Any) -> list[str]:
    nulls = f"{one.nulls / one.rows:.0%}" if one.rows else "-"
    if not one.quantiles:
        total = max(one.rows - one.nulls, 1)
        labels = [f"{label} {count / total:.0%}" for label, count in zip(one.edges, one.counts, strict=True)]
        return [name, nulls, "", "", "", ", ".join(labels) or "no value"]
    least, _, median, _, greatest = one.quantiles
    return [name, nulls, number(least), number(median), number(greatest), bars(one.counts)]


def bars(counts: Sequence[int]) -> str:
    """Return a histogram in one line; a bin that holds anything shows at least the lowest block."""
    top = max(counts) or 1
    return "".join(BLOCKS[0 if not count else 1 + round(count / top * (len(BLOCKS) - 2))] for count in counts)


def number(value: float | str | None) -> str:
    """Return a value as short text."""
    if value is None or isinstance(value, str):
        return value or "null"
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
