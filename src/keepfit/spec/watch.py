"""How a model in use is watched: how many false alarms it may give.

Watch(alarms="1 per quarter")
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keepfit import clock
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.timetable import PERIODS, Rate

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Watch:
    """How many false alarms all that is watched of a model may give, and of what length its windows are.

    Parameters
    ----------
    alarms : str
        'N per day', 'week', 'month', 'quarter' or 'year': what may be expected while nothing moves but what always moves. The
        bounds of every column follow from it, from the number of windows in that time, and from the model's own past.
    every : str
        The grid of windows of a model that observes each row. One that observes a grid has its moments as windows.
    multivariate : bool
        Whether each turn asks a small model to tell the rows of now from those that the version was judged on, by all features
        together; that takes some seconds.
    """

    alarms: str = "1 per year"
    every: str = "1 day"
    multivariate: bool = field(default=False, metadata={"unwritten": False})

    def grid(self, observe: Every | EachRow) -> clock.Grid:
        """Return the grid of a model's windows."""
        return clock.Grid(observe.every if isinstance(observe, Every) else self.every)

    def alpha(self, observe: Every | EachRow) -> float:
        """Return the chance of a false alarm that one window of a model may have.

        Raises
        ------
        ValueError
            If `alarms` is not 'N per day', 'week', 'month', 'quarter' or 'year'.
        """
        rate, grid = Rate.parse(str(self.alarms)), self.grid(observe)
        if grid.unit == "month" and rate.unit in MONTHS:
            return rate.count * grid.count / MONTHS[rate.unit]
        days = grid.count * PERIODS["month"] if grid.unit == "month" else grid.step / clock.DAY
        return rate.count * days * clock.DAY / rate.period
