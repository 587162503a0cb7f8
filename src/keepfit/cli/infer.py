"""The command that writes a definition of unknown files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="The project's folder; made if it is not there.",
)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="The definitions file to write instead.")
@click.option("--name", help="The table's name, if the files make one table.")
@click.option("--zone", help="The IANA zone of times without an offset, such as Asia/Kolkata.")
@click.option("--profile", default="dev", show_default=True, help="The name of the profile in a new keepfit.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def infer(
    files: tuple[Path, ...],
    folder: Path,
    to: Path | None,
    name: str | None,
    zone: str | None,
    profile: str,
    as_json: bool,
) -> None:
    """Write a definition of unknown FILES (or of all files in a folder) to edit: tables, columns, times, bounds, sentinels.

    Looks at a sample of each file. Nothing is overwritten, and keepfit.yaml is written only if there is none.

    \b
    Example:
      keepfit infer data/*.csv --project air --zone Asia/Kolkata
      keepfit infer exports/ --to exports.py
    """
    from keepfit.cli import console
    from keepfit.inferring import Wish
    from keepfit.inferring import infer as inferred

    wish = Wish(folder.resolve(), to, name, zone, profile)
    found = inferred(files, wish, lambda _: None)
    console.show(found, as_json=as_json, render=_shown)


def _shown(found: dict[str, Any]) -> None:
    from keepfit.cli import console

    rows = [
        (
            one["name"],
            one["kind"],
            f"{one['files']:,}",
            one["columns"],
            one["entity"],
            one["time"] or "",
            one["pattern"],
        )
        for one in found["tables"]
    ]
    console.table(["table", "kind", "files", "columns", "entity", "time", "pattern"], rows)
    for error in found["unread"]:
        console.say(f"not read: {error['what']}")
    console.say(f"written: {', '.join(found['written'])}")
    checks = found["checks"]
    look = f"look at what is marked CHECK ({checks}), then: " if checks else ""
    console.say(f"next: {look}keepfit check && keepfit ingest")
