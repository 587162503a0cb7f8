"""What stood at a moment, told from the steps of the ledger until then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from keepfit.evidence import (
    APPROVE,
    ARCHIVE,
    ARCHIVED,
    AWAIT,
    CHALLENGE,
    PROMOTE,
    REJECT,
    REJECTED,
    ROLL_BACK,
    TRAIN,
    Entry,
    Standing,
)


def standing(entries: Iterable[Entry]) -> Standing:
    """Return what a model's steps add up to; each takes effect when it is taken, and the last word counts.

    A champion that moves ends every challenge: challengers were compared with the one before. An approval takes a rejection
    back, and a rejection the approvals.
    """
    found = Standing()
    for one in sorted(entries, key=lambda entry: (entry.as_of, entry.step)):
        found = _after(found, one)
    return found


def _after(found: Standing, one: Entry) -> Standing:
    about = one.about or ""
    if one.action in (PROMOTE, ROLL_BACK):
        return replace(found, live=one, challenger=None)
    if one.action in (TRAIN, AWAIT, CHALLENGE):
        return replace(found, challenger=about)
    if one.action == APPROVE:
        retired = {number: why for number, why in found.retired.items() if number != about}
        given = (*found.approvals.get(about, ()), one)
        return replace(found, retired=retired, approvals=found.approvals | {about: given})
    if one.action == ARCHIVE or (one.action == REJECT and one.by):  # without a name, its gates have rejected it
        why = ARCHIVED if one.action == ARCHIVE else REJECTED
        approvals = {number: given for number, given in found.approvals.items() if number != about}
        challenger = None if found.challenger == about else found.challenger
        return replace(found, retired=found.retired | {about: why}, approvals=approvals, challenger=challenger)
    return found
