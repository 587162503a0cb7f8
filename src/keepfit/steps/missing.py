"""Which turns were missed while nobody started the loop.

A turn answers the newest moment of the model's grid, so a moment is missed if no turn came before the next one. A model that
observes each row has the windows of its `watch` for a grid: one turn would answer all rows since the last one, and judge them as
one window.
"""

from __future__ import annotations

from dataclasses import dataclass

from keepfit import clock
from keepfit.project import Project
from keepfit.spec.model import Model
from keepfit.steps.ledger import entries

MOST = 60
"""Missed turns that a run takes, unless it is told otherwise."""


@dataclass(frozen=True)
class Due:
    """The turns that a run takes of a model.

    Attributes
    ----------
    moments : tuple of int
        Ascending; the last one is the run's own.
    skipped : tuple of int
        What was missed before them and is not taken: more than a run was to catch up.
    """

    moments: tuple[int, ...]
    skipped: tuple[int, ...] = ()

    def remarks(self, moment: int) -> tuple[str, ...]:
        """Return what the first of the turns says of those that were left out."""
        if not self.skipped or moment != self.moments[0]:
            return ()
        first, last = clock.show(self.skipped[0]), clock.show(self.skipped[-1])
        span = first if first == last else f"{first} to {last}"
        many = f"{len(self.skipped):,} missed turn{'' if len(self.skipped) == 1 else 's'}"
        return (f"{many} of {span} not caught up: a run takes the newest {len(self.moments) - 1:,} (--catch-up)",)


def due(project: Project, model: Model, as_of: int, most: int) -> Due:
    """Return the turns of a run at as_of: those that were missed since the newest step of the ledger, then its own.

    Before the first step nothing was missed. A step that a person took closes what lies before it: it was taken
    without those turns.

    Parameters
    ----------
    most : int
        Missed turns that are taken, the newest ones; with 0 none is, and nothing is said of it.
    """
    taken = [one.as_of for one in entries(project, model.name)]
    if not taken or not most:
        return Due((as_of,))
    grid = model.watch.grid(model.observe)
    newest = grid.at_or_before(as_of)  # that one the run itself answers
    missed = [moment for moment in grid.moments(max(taken) + 1, newest) if moment < newest]
    return Due((*missed[-most:], as_of), tuple(missed[:-most]))
