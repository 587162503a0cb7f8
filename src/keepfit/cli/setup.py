"""Commands that begin and inspect a project: init, check, plan."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit import clock
from keepfit.cli.options import as_of, common, micros, opened

if TYPE_CHECKING:
    from keepfit.project import Project

LEAKS = 8  # the exit code of a proof that failed: no error of keepfit's (see keepfit.errors), yet nothing to go on with


@click.command()
@click.argument("name")
@click.option(
    "--template", type=click.Choice(["shop", "empty"]), default="shop", show_default=True, help="What to begin with."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of the simulated shop.")
@as_of
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--project", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where to make NAME."
)
@click.option(
    "--profile", default="dev", show_default=True, help="The name of the profile that keepfit.yaml begins with."
)
def init(
    name: str, template: str, seed: int, moment: datetime | None, as_json: bool, folder: Path, profile: str
) -> None:
    """Begin a project in folder NAME: definitions.py, keepfit.yaml and data/.

    The shop template simulates 24 months that end with the month before --as-of, with a drift on the way.

    \b
    Example:
      keepfit init churn --template shop
    """
    from keepfit.begin import begin
    from keepfit.cli import console

    made = begin(folder.resolve() / name, template, profile, micros(moment), seed)
    console.show(made, as_json=as_json, render=lambda made: _begun(name, made))


def _begun(name: str, made: dict[str, Any]) -> None:
    from keepfit.cli import console

    console.say(f"{made['folder']}: {', '.join(made['files'])} and {made['data_files']} files in data/")
    console.say(f"next: cd {name} && keepfit check && keepfit run   (or see the past: keepfit replay)")


@click.command()
@click.argument("what", type=click.Choice(["definitions", "leakage"]), default="definitions")
@click.argument("model", required=False)
@common
@as_of
@click.option("--sample", type=click.IntRange(min=1), default=50, show_default=True, help="Observations to recompute.")
def check(
    what: str,
    model: str | None,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    sample: int,
) -> None:
    """Report every problem of definitions and settings in one pass; exit code 2 if there are any.

    With `leakage`, prove on the rows ingested so far that nothing of MODEL has seen the future; exit code 8 if there is an
    alarm. --as-of and --sample are for this proof.

    \b
    Example:
      keepfit check --project churn
      keepfit check leakage churn
    """
    from keepfit import actions
    from keepfit.cli import console, render

    project = opened(folder, profile)
    if what == "definitions":
        console.show(_definitions(project), as_json=as_json, render=_checked)
        return
    found = actions.check_leakage(project, project.model(model), micros(moment), sample)
    console.show(found, as_json=as_json, render=render.leakage)
    if found["alarms"]:
        sys.exit(LEAKS)


def _definitions(project: Project) -> dict[str, Any]:
    from keepfit.inspecting import unknown_holidays
    from keepfit.spec.check import InvalidDefinitions

    problems = unknown_holidays(project)
    if problems:
        raise InvalidDefinitions(problems)
    return {
        "problems": [],
        "profile": project.settings.profile,
        "tables": [table.name for table in project.definitions.tables],
        "models": {model.name: [one.name for one in model.features] for model in project.definitions.models},
    }


def _checked(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    console.say(f"no problems; profile {found['profile']}, tables {', '.join(found['tables'])}")
    for model, features in found["models"].items():
        console.say(f"model {model}: {len(features)} features: {', '.join(features)}")


@click.command()
@click.argument("model", required=False)
@common
@as_of
def plan(model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Show what `run` would do now: files to ingest, features, the state of the champion, the decision. Changes nothing.

    \b
    Example:
      keepfit plan --as-of 2025-06-01
    """
    from keepfit import actions
    from keepfit.cli import console

    project = opened(folder, profile)
    console.show(actions.plan(project, project.model(model), micros(moment)), as_json=as_json, render=_planned)


def _feature_set(change: Any) -> list[str]:
    """Return what changed in a model's features since it was last trained, and what that costs."""
    said = [f"feature set: version {change.version} ({change.fingerprint[:12]})"]
    for word, names in (("added", change.added), ("removed", change.removed), ("changed", change.changed)):
        said += [f"  {word}: {', '.join(names)}"] if names else []
    computed = len(change.added) + len(change.changed)
    if computed or change.removed:
        said.append(
            f"  {computed} to compute, {len(change.unchanged)} reused where no row came since; the model is retrained"
        )
    return said


def _planned(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    console.say(f"as of {clock.show(found['as_of'])}, model {found['model']}")
    files = [
        (table, len(new), ", ".join(new[:3]) + (" ..." if len(new) > 3 else ""))
        for table, new in found["ingest"].items()
    ]
    console.table(["table", "files to read", "names"], files)
    features = [(item.name, item.source, item.window) for item in found["features"]]
    console.table(["feature", "source", "window"], features)
    for sentence in _feature_set(found["feature_set"]):
        console.say(sentence)
    console.say(f"target: {found['target']}   gates: {', '.join(found['gates']) or 'none'}")
    console.say(f"champion: {found['champion'] or 'none yet'}")
    console.say(f"on the rows ingested so far the decision would be: {found['decision']}")
    for reason in found["reasons"]:
        console.say(f"  {reason}")
