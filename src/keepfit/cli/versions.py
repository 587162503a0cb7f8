"""Commands that look at recorded versions again, or take them elsewhere: compare, reproduce, parity, export."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from keepfit.cli.options import as_of, common, micros, opened

DIFFERENT = 5  # the exit code of a version that comes out otherwise when it is built anew
SKEWED = 6  # the exit code of a version that a gate holds back


@click.command()
@click.argument("model")
@click.argument("versions", nargs=-1, required=True)
@common
@as_of
def compare(
    model: str, versions: tuple[str, ...], folder: Path, profile: str | None, as_json: bool, moment: datetime | None
) -> None:
    """Lay VERSIONS of MODEL side by side, on the mature rows that none of them was trained on.

    Every metric has its 90% bootstrap interval; the gain over the first version is paired on the same rows.

    \b
    Example:
      keepfit compare churn 1 3
    """
    from keepfit import proving
    from keepfit.cli import console, render

    project = opened(folder, profile)
    result = proving.compare(project, project.model(model), versions, micros(moment))
    console.show(result, as_json=as_json, render=render.compared)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
def reproduce(
    model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None
) -> None:
    """Build VERSION of MODEL anew from its lineage: the same training set, the same model, byte for byte.

    Exit code 5 if they differ. --as-of changes nothing here: a version is built as of the moment it was trained.

    \b
    Example:
      keepfit reproduce churn 3
    """
    from keepfit import proving
    from keepfit.cli import console, render

    project = opened(folder, profile)
    result = proving.reproduce(project, project.model(model), version)
    console.show(result, as_json=as_json, render=render.reproduced)
    if not result["equal"]:
        raise click.exceptions.Exit(DIFFERENT)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
def parity(model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Answer 1,000 real rows with VERSION of MODEL every way there is, and show what differs from the batch.

    Ways: the library's own predictor, single rows, and requests from raw events to the decision. The certificate is
    recorded, and Gate.parity() reads it. Exit code 6 if the ways do not agree.

    \b
    Example:
      keepfit parity churn 3
    """
    from keepfit import proving
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    with project.locked():
        result = proving.parity(project, project.model(model), version, micros(moment))
    console.show(result, as_json=as_json, render=governed.parity)
    if not all(one.passed for one in result["verdicts"]):
        raise click.exceptions.Exit(SKEWED)


@click.command()
@click.argument("model")
@click.argument("version")
@common
@as_of
@click.option("--format", "form", required=True, metavar="FORMAT", help="onnx, onnx-fp16, native or docker.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Default: exports/MODEL-VERSION-FORMAT of the project.",
)
@click.option("--force", is_flag=True, help="Write over an earlier export.")
def export(
    model: str, version: str, folder: Path, profile: str | None, as_json: bool, moment: datetime | None,
    form: str, target: Path | None, force: bool,
) -> None:  # fmt: skip
    """Write VERSION of MODEL into a folder, for other tools: ONNX, ONNX at half the precision, the library's own, an image.

    \b
    Example:
      keepfit export churn 3 --format onnx
      keepfit export churn 3 --format onnx-fp16 --to edge/churn
      keepfit export churn 3 --format docker && docker build exports/churn-3-docker
    """
    from keepfit import exporting
    from keepfit.cli import console, governed

    project = opened(folder, profile)
    result = exporting.export(project, project.model(model), version, micros(moment), form, target, force=force)
    console.show(result, as_json=as_json, render=governed.exported)
