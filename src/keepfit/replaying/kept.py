"""What a replay keeps of each policy.

    replays/<model, first and last turn, digest>/past.json    what the lake held at each moment
    replays/<...>/<policy>/policy.json                        which policy the models and records beside it are of
    replays/<...>/<policy>/turn                               there while a turn is under way

The folder is named by what all policies share: the definition without its policy, and the moments. What was cut off within a turn
has left what the same turn would find: that policy begins anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from keepfit import clock, steps
from keepfit.evidence import Turn, from_data
from keepfit.spec import codec
from keepfit.spec.model import Model
from keepfit.spec.policy import Policy, when

POLICY, TURN = "policy.json", "turn"


def folder_of(model: Model, moments: Sequence[int]) -> str:
    """Return the name of a replay's folder; definitions that differ beyond the policy stand side by side."""
    shared = codec.encode(replace(model, policy=Policy(when.never())))
    digest = codec.fingerprint([shared, list(moments)])[:8]
    return f"{model.name}_{clock.show(moments[0])}_{clock.show(moments[-1])}_{digest}".replace(":", "")


def title_of(folder: str, model: Model, chosen: Mapping[str, Policy]) -> str:
    """Return the name of a replay's page: one for each choice of policies."""
    every = [[name, codec.encode(replace(model, policy=policy))] for name, policy in chosen.items()]
    return f"{folder}_{codec.fingerprint(every)[:8]}"


def empty(folder: Path) -> None:
    """Make a folder without anything in it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def taken_up(one: steps.Contender) -> list[Turn]:
    """Return the turns that a policy has behind it; none if its folder is another policy's, or its last turn was cut off."""
    mark, said = one.project.outcomes / POLICY, codec.fingerprint(codec.encode(one.model))
    if not mark.is_file() or mark.read_text() != said or (one.project.outcomes / TURN).exists():
        empty(one.project.outcomes)
        mark.write_text(said)
        return []
    entries = steps.entries(one.project, one.model.name)
    found = {turn.as_of: turn for turn in (from_data(Turn, steps.turn_of(one.project, entry)) for entry in entries)}
    return [found[moment] for moment in sorted(found)]


@contextmanager
def under_way(one: steps.Contender) -> Iterator[None]:
    """Mark a turn as begun, until it has ended well."""
    mark = one.project.outcomes / TURN
    mark.touch()
    yield
    mark.unlink()
