"""What the steps of a ledger add up to at a moment."""

from __future__ import annotations

import pytest

from keepfit.evidence import APPROVE, ARCHIVE, AWAIT, CHALLENGE, KEEP, PROMOTE, REJECT, ROLL_BACK, TRAIN, Entry
from keepfit.stages.registry.ledger import standing

Steps = list[tuple[str, str]]


def entries(*steps: tuple[str, str], by: str | None = None) -> list[Entry]:
    """Return a ledger; of a promotion and a roll back the version is the champion after it."""
    moves = (PROMOTE, ROLL_BACK)
    return [
        Entry(f"m/{place}", place, place, "m", action, number if action in moves else None, number, by, ("why",))
        for place, (action, number) in enumerate(steps)
    ]


def test_nothing_stands_before_the_first_step() -> None:
    found = standing([])
    assert (found.live, found.challenger, found.retired, found.approvals) == (None, None, {}, {})


def test_the_last_move_is_live_and_turns_that_keep_change_nothing() -> None:
    steps = entries((PROMOTE, "1"), (PROMOTE, "2"), (KEEP, ""), (ROLL_BACK, "1"), (KEEP, ""))
    live = standing(steps).live
    assert live is not None
    assert (live.version, live.id) == ("1", "m/3")


def test_steps_count_by_their_moment_not_by_when_they_were_written() -> None:
    first, second = entries((PROMOTE, "2"), (PROMOTE, "1"))
    early = Entry(**{**vars(second), "as_of": -1})
    live = standing([first, early]).live
    assert live is not None
    assert live.version == "2"


@pytest.mark.parametrize("action", [TRAIN, AWAIT])
@pytest.mark.parametrize("ending", [(PROMOTE, "1"), (ROLL_BACK, "1")])
def test_a_challenge_ends_when_the_champion_moves(action: str, ending: tuple[str, str]) -> None:
    assert standing(entries((action, "2"))).challenger == "2"
    assert standing(entries((action, "2"), ending)).challenger is None


def test_a_challenger_that_is_rejected_or_archived_is_none() -> None:
    for action, why in ((REJECT, "rejected"), (ARCHIVE, "archived")):
        found = standing(entries((TRAIN, "2"), (action, "2"), by="ann"))
        assert (found.challenger, found.retired) == (None, {"2": why})


def test_what_the_gates_reject_is_not_rejected_by_a_person() -> None:
    found = standing(entries((TRAIN, "2"), (REJECT, "3")))
    assert (found.challenger, found.retired) == ("2", {})


def test_the_last_word_of_a_person_counts() -> None:
    back = standing(entries((REJECT, "2"), (APPROVE, "2"), by="ann"))
    assert (back.retired, [one.by for one in back.approvals["2"]]) == ({}, ["ann"])
    gone = standing(entries((APPROVE, "2"), (REJECT, "2"), by="ann"))
    assert (gone.retired, gone.approvals) == ({"2": "rejected"}, {})


def test_a_challenger_by_hand_stands_until_the_champion_moves_or_it_is_rejected() -> None:
    challenged = entries((PROMOTE, "1"), (TRAIN, "2"), (CHALLENGE, "3"))
    assert standing(challenged).challenger == "3"
    assert standing(entries((PROMOTE, "1"), (CHALLENGE, "3"), (PROMOTE, "2"))).challenger is None
    assert standing(entries((CHALLENGE, "3"), (REJECT, "3"), by="Ann")).challenger is None
