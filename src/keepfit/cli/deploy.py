"""The command that writes what runs a project elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepfit.cli.options import common, opened


@click.command()
@click.argument("target")
@click.argument("model", required=False)
@common
@click.option(
    "--to",
    "place",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Default: deploy/TARGET-MODEL of the project.",
)
@click.option(
    "--extra", "extras", multiple=True, metavar="NAME", help="An extra of keepfit that turns need, such as lightgbm."
)
@click.option("--force", is_flag=True, help="Write again what keepfit wrote; files that you edited stay.")
def deploy(
    target: str, model: str | None, folder: Path, profile: str | None, as_json: bool,
    place: Path | None, extras: tuple[str, ...], force: bool,
) -> None:  # fmt: skip
    """Write a folder that runs MODEL elsewhere. TARGET is compose: the service, the loop, Prometheus, Alertmanager, Grafana.

    Nothing is started; the folder's README says how.

    \b
    Example:
      keepfit deploy compose churn --profile prod
      keepfit deploy compose churn --to /srv/churn --extra lightgbm --extra postgres
    """
    from keepfit import deploying
    from keepfit.cli import console

    project = opened(folder, profile)
    result = deploying.deploy(project, project.model(model), target, place, extras, force=force)
    console.show(result, as_json=as_json, render=_deployed)


def _deployed(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    console.say(f"{found['model']} for {found['target']}: {found['path']} ({found['count']:,} files)")
    for name in found["files"]:
        console.say(f"  {name}")
    for name in found["edited"]:
        console.say(f"{name} was edited and stays; what keepfit writes lies beside it as {name}.new")
    console.say("next: its README.md")
