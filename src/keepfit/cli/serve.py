"""The command that serves. The server's process loads no engine: the store is filled by a child process first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit import clock
from keepfit.cli.options import as_of, common, micros, opened
from keepfit.cli.protecting import checked, protected

if TYPE_CHECKING:
    from keepfit.project import ServingFiles
    from keepfit.spec.serving import Serving
    from keepfit.stages.serving.protection import Protection


@click.command()
@click.argument("model", required=False)
@common
@as_of
@click.option("--host", default=None, help="The address to listen on; default: setting serving.host, 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, help="0 takes a free one; default: setting serving.port."
)
@click.option("--warm/--no-warm", default=True, show_default=True, help="Fill the online store from the lake first.")
@click.option(
    "--artifact",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Answer POST /predict/rows with this artifact, such as an exported one: no project, no store, no log.",
)
@click.option("--insecure", is_flag=True, help="Listen to other machines although nobody needs a token.")
def serve(
    model: str | None,
    folder: Path,
    profile: str | None,
    as_json: bool,
    moment: datetime | None,
    host: str | None,
    port: int | None,
    warm: bool,
    artifact: Path | None,
    insecure: bool,
) -> None:
    """Answer over HTTP with the champion: POST /predict, POST /events; /livez /readyz /health /metrics /model /docs.

    With --as-of, the server's clock starts at that moment instead of now: for data that ended in the past.

    \b
    Example:
      keepfit serve --port 8000
      curl -s localhost:8000/predict -d '{"customer_id": "C00001"}'
      keepfit serve --artifact exports/churn-3-docker/artifact
    """
    said = {"host": host, "port": port}
    began, start = micros(None), micros(moment)

    def now() -> int:
        return start + micros(None) - began

    if artifact is not None:
        return _serve_rows(artifact, model, said, as_json, insecure=insecure, now=now)
    project = opened(folder, profile)
    name, serving = project.model(model).name, _overlaid(project.settings.serving, said)
    tokens = checked(serving, project.folder, serving.host, insecure=insecure)
    _require_free(serving.host, serving.port)
    if warm:
        _warm(project.folder, project.settings.profile, name, start)
    with protected(serving, tokens, name, now) as protection:
        _serve(project.serving(name), protection, as_json, now=now)


def _overlaid(serving: Serving, said: Mapping[str, Any]) -> Serving:
    return serving.model_copy(update={name: value for name, value in said.items() if value is not None})


def _serve_rows(
    artifact: Path,
    model: str | None,
    said: Mapping[str, Any],
    as_json: bool,
    *,
    insecure: bool,
    now: Callable[[], int],
) -> None:
    from keepfit.spec.serving import from_environment
    from keepfit.stages.serving.ready import create_ready_app
    from keepfit.stages.serving.server import run_server

    if model is not None:
        raise click.UsageError("an artifact is of one model: leave MODEL out")
    serving = _overlaid(from_environment(os.environ), said)
    tokens = checked(serving, Path.cwd(), serving.host, insecure=insecure)
    with protected(serving, tokens, artifact.name, now) as protection:
        app = create_ready_app(artifact, protection)
        run_server(
            app, serving.host, serving.port, lambda bound: _announce(app.state.model, serving.host, bound, as_json)
        )


def _announce(model: str, host: str, bound: int, as_json: bool) -> None:
    from keepfit.cli import console

    where = {"url": f"http://{host}:{bound}", "model": model, "pid": os.getpid()}
    console.show(where, as_json=as_json, render=lambda _: console.say(f"serving {model} on {where['url']}"))


@click.command()
@click.argument("model", required=False)
@common
@as_of
def publish(model: str | None, folder: Path, profile: str | None, as_json: bool, moment: datetime | None) -> None:
    """Fill the online store from the lake: the events that windows can reach, and the newest records.

    `run` does so at its end, and `serve` at its start.

    \b
    Example:
      keepfit publish churn
    """
    from keepfit import loop
    from keepfit.cli import console

    project = opened(folder, profile)
    rows = loop.publish(project, project.model(model), micros(moment))
    console.show(
        {"rows": rows},
        as_json=as_json,
        render=lambda _: console.say(
            ", ".join(f"{table} {count:,}" for table, count in rows.items()) or "no champion yet"
        ),
    )


def _require_free(host: str, port: int) -> None:
    # before the store is filled: the server that has the port may be answering from it
    from keepfit.stages.serving.server import bind

    bind(host, port).close()


def _warm(folder: Path, profile: str, model: str, as_of: int) -> None:
    # the engine and MLflow stay out of the server's process
    command = [sys.executable, "-m", "keepfit", "publish", model, "--project", str(folder), "--profile", profile]
    command += ["--as-of", clock.from_micros(as_of).isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        from keepfit.cli.console import note

        note(f"the online store could not be filled from the lake; it answers from what it holds:\n{done.stderr}")


def _serve(files: ServingFiles, protection: Protection, as_json: bool, *, now: Callable[[], int]) -> None:
    from keepfit.stages.serving.app import create_app
    from keepfit.stages.serving.outbox import Outbox
    from keepfit.stages.serving.server import run_server
    from keepfit.stages.serving.stores import open_store

    said, name = protection.serving, files.pointer.stem
    with (
        closing(open_store(said.store, files.store, files.shared)) as store,
        closing(Outbox(files.outbox, durable=said.durable)) as outbox,
    ):
        app = create_app(files.pointer, store, outbox, now=now, refresh_s=said.refresh_s, protection=protection)
        run_server(app, said.host, said.port, lambda bound: _announce(name, said.host, bound, as_json))
