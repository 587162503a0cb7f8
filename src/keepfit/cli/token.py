"""Commands for the tokens of a server: token, token new."""

from __future__ import annotations

from pathlib import Path

import click

from keepfit.cli.options import common, opened
from keepfit.cli.tables import Words


@click.group(invoke_without_command=True)
@common
@click.pass_context
def token(context: click.Context, folder: Path, profile: str | None, as_json: bool) -> None:
    """List who may ask the server what: the tokens of serving.tokens and KEEPFIT_TOKENS.

    \b
    Example:
      keepfit token
      keepfit token new --role predict --name shopfront
    """
    if Words.hand_down(context):
        return
    from keepfit.cli import console
    from keepfit.cli.protecting import tokens_of

    project = opened(folder, profile)
    held = tokens_of(project.settings.serving, project.folder).held
    console.show(
        {"tokens": [{"name": one.name, "roles": sorted(one.roles)} for one in held]},
        as_json=as_json,
        render=lambda _: console.say(
            "\n".join(f"{one.name}  {', '.join(sorted(one.roles))}" for one in held) or "no tokens: everybody may ask"
        ),
    )


@token.command()
@common
@click.option("--name", required=True, help="Who gets it: letters, digits, dot, dash; it is in the log and in limits.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(("predict", "events", "admin")),
    help="What it may ask; several are allowed. admin may ask everything, /metrics and /health too.",
)
def new(folder: Path, profile: str | None, as_json: bool, name: str, roles: tuple[str, ...]) -> None:
    """Make a token: it is shown once, with the line for the file of tokens, which holds only its hash.

    \b
    Example:
      keepfit token new --role predict --name shopfront
    """
    from keepfit.cli import console
    from keepfit.stages.serving.tokens import new_token

    secret, kept = new_token(name, roles)
    told = (
        f"{secret}\n\nThat is the token; it is not shown again. Send it as 'Authorization: Bearer <token>'.\n"
        f"Put this line into the file named by serving.tokens, or into KEEPFIT_TOKENS:\n\n{kept.line()}"
    )
    console.show({"token": secret, "line": kept.line()}, as_json=as_json, render=lambda _: console.say(told))
