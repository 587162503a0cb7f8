"""What t itself tells: parts of the calendar, their place on a circle, public holidays."""

from __future__ import annotations

from dataclasses import dataclass

from keepfit.spec.features.expression import Expression, word

# part -> how many there are until it begins anew
CALENDAR_PARTS = {
    "minute": 60.0, "hour": 24.0, "weekday": 7.0, "day": 31.0, "week": 53.0, "month": 12.0, "quarter": 4.0,
    "day_of_year": 366.0,
}  # fmt: skip


def _in_zone(name: str, zone: str) -> str:
    return name if zone == "UTC" else f"{name}_{zone.replace('/', '_').lower()}"


@dataclass(frozen=True, eq=False)
class Calendar(Expression):
    """A part of the calendar at t in a zone.

    minute 0-59, hour 0-23, weekday 0 (Monday)-6, day 1-31, week 1-53 (ISO), month 1-12, quarter 1-4, day_of_year 1-366.
    """

    part: str
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """The part, and the zone if it is not UTC: `hour_europe_london`."""
        return _in_zone(self.part, self.zone)

    def cyclic(self) -> list[Expression]:
        """Return its sine and cosine on a circle, so that December lies beside January."""
        return [Cyclic(self, "sin"), Cyclic(self, "cos")]


@dataclass(frozen=True, eq=False)
class Cyclic(Expression):
    """The sine or cosine of a calendar part on the circle of its period."""

    calendar: Calendar
    side: str

    @property
    def name(self) -> str:
        """The part and the side: `month_sin`."""
        return f"{self.calendar.name}_{self.side}"

    def parts(self) -> tuple[Expression, ...]:
        """Return the calendar part."""
        return (self.calendar,)


@dataclass(frozen=True, eq=False)
class Holiday(Expression):
    """Whether t falls on a public holiday: 1 or 0, by the local date in a zone.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2 code, such as 'GB'.
    subdivision : str or None
        A part of the country that has holidays of its own, such as 'ENG'.
    zone : str
        The IANA zone whose date counts.
    """

    country: str
    subdivision: str | None = None
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """Country, subdivision and zone: `holiday_gb_eng_europe_london`."""
        where = "_".join(word(one).lower() for one in (self.country, self.subdivision) if one)
        return _in_zone(f"holiday_{where}", self.zone)
