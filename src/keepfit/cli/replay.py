"""The command that runs the loop over the past: for the declared policy, or for several side by side."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepfit.cli.options import EveryGrid, Moment, common, micros, opened

if TYPE_CHECKING:
    from keepfit.evidence import Contest, Costs, Estimate

POLICIES = "declared"


@click.command()
@click.argument("model", required=False)
@common
@click.option("--from", "start", type=Moment(), default=None, help="The first turn; default: the first event.")
@click.option("--to", "moment", type=Moment(), default=None, help="The last turn; default: the newest event.")
@click.option("--as-of", "as_of", type=Moment(), default=None, help="The same as --to.")
@click.option(
    "--every",
    type=EveryGrid(),
    default="1 month",
    show_default=True,
    help="The grid of turns: '1 month', '1 week', '1 day'.",
)
@click.option(
    "--policies",
    default=POLICIES,
    show_default=True,
    help="Policies to compare, the first one as the reference: declared, never, on-drift, on-metric, daily, weekly, monthly, "
    "quarterly, yearly, and those that definitions.py gives a name.",
)
@click.option(
    "--cost",
    default=None,
    help="What a training and a mistaken decision (of a number: each unit it lies off) cost: retrain=50,error=2. "
    "Default: retrain=0,error=1.",
)
@click.option("--anew", is_flag=True, help="Run every turn again, also those that are kept of an earlier replay.")
def replay(
    model: str | None, folder: Path, profile: str | None, as_json: bool, start: datetime | None, moment: datetime | None,
    as_of: datetime | None, every: str, policies: str, cost: str | None, anew: bool,
) -> None:  # fmt: skip
    """Run the loop over the past, turn by turn, beside production: its models and records are its own.

    With several policies: what each would have cost on the same predictions, once their labels were known, which one to take,
    and what taking it would have cost on turns that it was not chosen by. A replay that was cut off goes on where it was; of
    one that has ended only the prices are counted anew, if nothing else has changed.

    \b
    Example:
      keepfit replay --from 2024-01-01 --to 2025-12-01 --every '1 month'
      keepfit replay --policies never,monthly,on-drift,declared --cost retrain=50,error=2
      keepfit replay --policies never,monthly,on-drift,declared --cost retrain=500,error=1
    """
    from keepfit import replaying
    from keepfit.cli import console, render

    names, costs = [name.strip() for name in policies.split(",") if name.strip()], _costs(cost)
    project = opened(folder, profile)
    with project.locked():
        result = replaying.replay(
            project,
            project.model(model),
            None if start is None else micros(start),
            micros(moment or as_of),
            every,
            to_newest=moment is None and as_of is None,
            anew=anew,
            policies=names or [POLICIES],
            costs=costs,
            listen=lambda name, turn: (
                None if as_json else console.note((f"{name}: " if len(names) > 1 else "") + render.line(turn))
            ),
        )
    console.show(result, as_json=as_json, render=_show)


def _costs(text: str | None) -> Costs:
    from keepfit.evidence import Costs

    if text is None:
        return Costs()
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = -1.0
        if name not in ("retrain", "error") or not 0 <= found[name] < float("inf"):
            raise click.BadParameter(
                f"{part.strip()!r} is no cost; write retrain=50,error=2: numbers from 0 on", param_hint="--cost"
            )
    return Costs(**found)


def _show(found: dict[str, Any]) -> None:
    """Print what a replay came to: its turns, or of several policies how they compare."""
    from keepfit import clock
    from keepfit.cli import console, render

    if not found["ran"]:
        console.say("every turn is kept of an earlier replay; --anew runs them again")
    if found["newest_at"] is not None:
        console.say(f"it ends at the newest event, of {clock.show(found['newest_at'])}; --to says otherwise")
    if len(found["policies"]) == 1:
        render.replay(found["turns"], found["metric"], found["report"])
        return
    if found["contest"] is None:
        console.say(
            "no prediction of these turns has a label that is known by their end: give an earlier --from or a later --to"
        )
    else:
        _contest(found["contest"])
    console.say(f"report: {found['report']}")


def _contest(found: Contest) -> None:
    """Print how policies compare, the one that cost least first."""
    from keepfit.cli import console
    from keepfit.measure.wording import number

    rows = [
        (
            one.name,
            len(one.trainings_at),
            len(one.promotions_at),
            len(one.roll_backs_at),
            number(one.value),
            number(one.errors),
            number(one.cost),
            None if one.name == found.reference else _interval(one.saved),
            "yes" if one.efficient else "",
        )
        for one in sorted(found.outcomes, key=lambda one: (one.cost, len(one.trainings_at)))
    ]
    columns = ("policy", "trainings", "promoted", "rolled back", found.metric, "errors", "cost")
    console.table([*columns, f"less than {found.reference}", "frontier"], rows)
    for sentence in found.sentences:
        console.say(sentence)


def _interval(found: Estimate) -> str:
    from keepfit.measure.wording import number

    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"
