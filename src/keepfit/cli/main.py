"""The `keepfit` command: a group whose commands are imported when they are run or listed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

# command -> module below keepfit.cli; in the order of the loop, which is also the order of the help
COMMANDS = {
    "init": "setup",
    "simulate": "simulate",
    "infer": "infer",
    "check": "setup",
    "plan": "setup",
    "features": "features",
    "preview": "features",
    "ingest": "data",
    "quarantine": "quarantine",
    "tables": "tables",
    "dataset": "data",
    "run": "turns",
    "replay": "replay",
    "train": "turns",
    "watch": "turns",
    "alerts": "alerts",
    "predict": "predict",
    "drift": "drift",
    "compare": "versions",
    "reproduce": "versions",
    "parity": "versions",
    "report": "report",
    "models": "registry",
    "gates": "registry",
    "approve": "registry",
    "reject": "registry",
    "challenge": "registry",
    "promote": "registry",
    "rollback": "registry",
    "archive": "registry",
    "ledger": "registry",
    "sync": "sync",
    "export": "versions",
    "publish": "serve",
    "serve": "serve",
    "token": "token",
    "deploy": "deploy",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when it needs the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the loop."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command by name, None if there is none."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"keepfit.cli.{COMMANDS[name]}"), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command, or say which one was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from keepfit.errors import did_you_mean

            raise click.UsageError(f"unknown command {args[0]!r}; {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="keepfit", message="keepfit %(version)s")
def cli() -> None:
    """Keep tabular models fit: features, training, serving, watching and retraining from one definition.

    \b
    Example:
      keepfit init churn --template shop && cd churn
      keepfit run
      keepfit serve
    """


def main() -> None:
    """Run the command line; an error keepfit raises on purpose is shown in three lines, with its exit code."""
    from keepfit.errors import KeepfitError

    try:
        # click hands the code of an `Exit` back
        if isinstance(code := cli(standalone_mode=False), int):
            sys.exit(code)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        sys.exit(_misused(error))
    except KeepfitError as error:
        from keepfit.cli.console import fail

        sys.exit(fail(error, as_json="--json" in sys.argv))
    except Exception as error:  # the way out of last resort: a script that reads JSON still gets an object
        from keepfit.cli.console import fail

        if "--json" in sys.argv:
            fail(
                KeepfitError(f"{type(error).__name__}: {error}", fix="please report this, with the lines above"),
                as_json=True,
            )
        raise


def _misused(error: click.ClickException) -> int:
    if "--json" not in sys.argv:
        error.show()
        return error.exit_code
    from keepfit.cli.console import fail
    from keepfit.errors import KeepfitError

    where = getattr(getattr(error, "ctx", None), "command_path", "keepfit")
    fail(KeepfitError(error.format_message(), where=where, fix=f"see `{where} --help`"), as_json=True)
    return error.exit_code
