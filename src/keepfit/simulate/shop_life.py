"""The life of the shop's customers, month by month: the constants of the world and the truth behind the files.

`shop.py` tells the story in words. Here a month is three steps: come and go, buy, remark. Everything is one array
element per customer, so that a month costs a few dozen array operations however many customers there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

SEGMENTS = ("budget", "family", "premium")
SEGMENT_SHARES = (0.42, 0.35, 0.23)
SEGMENT_BASKET = (18.0, 42.0, 85.0)  # median amount of one purchase
SEGMENT_AGE = (34.0, 43.0, 52.0)  # mean age in years
CITIES = ("Aarhus", "Bergen", "Ghent", "Graz", "Leeds", "Lyon", "Porto", "Turin")
CHANNELS = ("store", "web", "app")

WARM_UP_MONTHS = 8  # lived but not written, so that the first file already shows a settled shop
PRESENT_AT_START = 0.5
RHYTHM_DAYS = 4.2  # median gap between two purchases
RHYTHM_SPREAD = 0.10  # sigma of its logarithm
BASKET_SPREAD = 0.25  # sigma of log amount, between customers
PURCHASE_SPREAD = 0.35  # sigma of log amount, between purchases of one customer

TEMPERAMENT_SPREAD = 0.5
SATISFACTION_MEMORY = 0.65  # share of last month's deviation that stays
SATISFACTION_SHOCK = 0.75
SATISFACTION_TO_BASKET = 0.08  # log amount per unit of satisfaction
FRESH_START = 0.8  # satisfaction above temperament on the day of joining or returning

WINBACK_AFTER_MONTHS = 4
RETURN_EARLY, RETURN_LATE = 0.035, 0.30  # monthly chance to come back before and after the voucher

UNHAPPY_BELOW = -0.5  # satisfaction
REMARK_DELAY_HOURS = 36.0

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Climate:
    """How the shop works in one period: what all customers share."""

    basket: tuple[float, float, float]  # factor on everybody's amounts, by segment
    slower: tuple[float, float, float]  # factor on everybody's rhythm, by segment
    regularity: tuple[float, float, float]  # shape of the gamma gaps, by segment; 1 is Poisson, higher is steadier
    channels: tuple[float, float, float]
    leaving: tuple[float, float, float]  # log-odds of leaving in a month at satisfaction 0, by segment
    remark: tuple[float, float]  # chance to write after a purchase, content and unhappy
    grudge: float  # log-odds of leaving per unit of dissatisfaction


BEFORE = Climate(
    basket=(1.0, 1.0, 1.0),
    slower=(1.0, 1.0, 1.0),
    regularity=(1.2, 1.2, 1.2),
    channels=(0.62, 0.26, 0.12),
    leaving=(-0.6, -0.6, -0.6),
    grudge=1.0,
    remark=(0.06, 0.15),
)
AFTER = Climate(
    basket=(1.5, 3.0, 3.0),
    slower=(1.0, 5.5, 5.5),
    regularity=(1.2, 40.0, 40.0),
    channels=(0.25, 0.30, 0.45),
    leaving=(0.4, -1.7, -1.7),
    grudge=3.2,
    remark=(0.14, 0.40),
)


@dataclass(frozen=True)
class Shop:
    """A shop world that ends at `end`; the same arguments give the same bytes.

    Parameters
    ----------
    end : datetime
        Aware UTC, first instant of a month, exclusive: the world covers the `months` months before it.
    months : int
        Number of months, each written as one sales and one feedback file.
    customers : int
        Number of customers who ever join.
    drift_at : int or None
        Month index, 0-based, in which the world changes; None or an index outside the months for never.
    seed : int
        Seed of all random streams.

    Raises
    ------
    ValueError
        If `end` is not the first of a month in UTC, or `months` or `customers` is below 1.
    """

    end: datetime
    months: int = 24
    customers: int = 3000
    drift_at: int | None = 15
    seed: int = 7

    def __post_init__(self) -> None:
        if self.end.utcoffset() != timedelta(0) or self.end != _first_of_month(self.end, 0):
            raise ValueError(f"Shop.end is {self.end.isoformat()}; it must be the first of a month, 00:00 in UTC")
        if self.months < 1 or self.customers < 1:
            raise ValueError(f"Shop needs at least 1 month and 1 customer, got {self.months} and {self.customers}")

    def month_start(self, index: int) -> datetime:
        """Return the first instant of month `index`; 0 is the first written month, `months` is `end`."""
        return _first_of_month(self.end, index - self.months)

    def climate(self, index: int) -> Climate:
        """Return how the shop works in month `index`."""
        return BEFORE if self.drift_at is None or index < self.drift_at else AFTER

    def stream(self, name: str, index: int) -> np.random.Generator:
        """Return the random stream of one purpose in one month, independent of all other streams."""
        return np.random.default_rng([self.seed, index + WARM_UP_MONTHS, *name.encode()])


@dataclass(frozen=True)
class Crowd:
    """The customers, one array element each: what never changes about them."""

    segment: Integers
    age: Integers
    city: Integers
    joins: Integers  # month index
    rhythm: Floats  # days between purchases before the drift
    basket: Floats  # median amount before the drift
    temperament: Floats


@dataclass
class State:
    """The customers, one array element each: what changes from month to month."""

    satisfaction: Floats
    buying: Mask
    months_away: Integers
    next_sale: Floats  # seconds since 1970


@dataclass(frozen=True)
class Sales:
    """Purchases in time order: customer index, seconds since 1970, amount, channel index."""

    who: Integers
    at: Integers
    amount: Floats
    channel: Integers


@dataclass(frozen=True)
class Remarks:
    """Feedback in time order: customer index, seconds since 1970, satisfaction of the writer."""

    who: Integers
    at: Integers
    satisfaction: Floats


@dataclass(frozen=True)
class Month:
    """One month of the truth: what is written, and who left or came when (seconds since 1970, NaN for nobody)."""

    index: int
    sales: Sales
    remarks: Remarks
    left_at: Floats = field(repr=False)
    came_at: Floats = field(repr=False)


def live(world: Shop) -> Iterator[Month]:
    """Yield the months of the world in order, with the truth that the files do not show."""
    crowd = crowd_of(world)
    state = State(
        satisfaction=crowd.temperament.copy(),
        buying=np.zeros(world.customers, dtype=np.bool_),
        months_away=np.zeros(world.customers, dtype=np.int64),
        next_sale=np.zeros(world.customers),
    )
    for index in range(-WARM_UP_MONTHS, world.months):
        month = _live_month(world, crowd, state, index)
        if index >= 0:
            yield month


def _first_of_month(moment: datetime, shift: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + shift, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def crowd_of(world: Shop) -> Crowd:
    """Return the customers of the world; the same for worlds that differ only in `drift_at`."""
    draw, n = world.stream("crowd", 0), world.customers
    segment = draw.choice(len(SEGMENTS), size=n, p=SEGMENT_SHARES)
    joins = draw.integers(1, max(2, world.months), size=n)
    return Crowd(
        segment=segment,
        age=np.clip(draw.normal(np.take(SEGMENT_AGE, segment), 11.0), 18, 92).astype(np.int64),
        city=draw.integers(len(CITIES), size=n),
        joins=np.where(draw.random(n) < PRESENT_AT_START, -WARM_UP_MONTHS, joins),
        rhythm=RHYTHM_DAYS * draw.lognormal(0.0, RHYTHM_SPREAD, size=n),
        basket=np.take(SEGMENT_BASKET, segment) * draw.lognormal(0.0, BASKET_SPREAD, size=n),
        temperament=draw.normal(0.0, TEMPERAMENT_SPREAD, size=n),
    )


def _live_month(world: Shop, crowd: Crowd, state: State, index: int) -> Month:
    """Move `state` on by one month and return what happened in it."""
    start, end = world.month_start(index).timestamp(), world.month_start(index + 1).timestamp()
    came_at, left_at = _come_and_go(world, crowd, state, index, start, end)
    until = np.where(np.isnan(left_at), end, left_at)
    buying = state.buying | ~np.isnan(left_at)
    sales = _buy(world, crowd, state, index, np.where(buying, until, -np.inf))
    return Month(index, sales, _remark(world, state, index, sales, end), left_at, came_at)


def _come_and_go(
    world: Shop, crowd: Crowd, state: State, index: int, start: float, end: float
) -> tuple[Floats, Floats]:
    """Update satisfaction and who is buying; return when each customer came and left (seconds, NaN if not)."""
    draw, n = world.stream("moves", index), world.customers
    shock, luck, moment = (
        draw.normal(0.0, SATISFACTION_SHOCK, n),
        draw.random(n),
        start + (end - start) * draw.random(n),
    )
    state.satisfaction = crowd.temperament + SATISFACTION_MEMORY * (state.satisfaction - crowd.temperament) + shock
    odds = np.take(world.climate(index).leaving, crowd.segment) - world.climate(index).grudge * state.satisfaction
    leaves = state.buying & (luck < 1.0 / (1.0 + np.exp(-odds)))
    state.months_away[~state.buying] += 1
    returning = luck < np.where(state.months_away > WINBACK_AFTER_MONTHS, RETURN_LATE, RETURN_EARLY)
    comes = ~state.buying & np.where(crowd.joins < index, returning, crowd.joins == index)
    state.satisfaction[comes] = crowd.temperament[comes] + FRESH_START
    state.next_sale[comes] = moment[comes]
    state.buying = (state.buying & ~leaves) | comes
    state.months_away[leaves] = 0
    return np.where(comes, moment, np.nan), np.where(leaves, moment, np.nan)


def _buy(world: Shop, crowd: Crowd, state: State, index: int, until: Floats) -> Sales:
    """Let each customer buy until the given moment (seconds; -inf for who does not buy)."""
    draw, climate = world.stream("sales", index), world.climate(index)
    shape = np.take(climate.regularity, crowd.segment)
    gap = DAY * crowd.rhythm * np.take(climate.slower, crowd.segment) / shape
    whos: list[Integers] = []
    ats: list[Floats] = []
    while (who := np.flatnonzero(state.next_sale < until)).size:
        whos.append(who)
        ats.append(state.next_sale[who])
        state.next_sale[who] += gap[who] * draw.gamma(shape[who])
    who, at = np.concatenate([np.empty(0, np.int64), *whos]), np.concatenate([np.empty(0), *ats]).astype(np.int64)
    order = np.lexsort((who, at))
    who, at = who[order], at[order]
    mood = np.exp(SATISFACTION_TO_BASKET * state.satisfaction[who])
    basket = crowd.basket * np.take(climate.basket, crowd.segment)
    amount = basket[who] * mood * draw.lognormal(0.0, PURCHASE_SPREAD, who.size)
    return Sales(who, at, amount, draw.choice(len(CHANNELS), size=who.size, p=climate.channels))


def _remark(world: Shop, state: State, index: int, sales: Sales, end: float) -> Remarks:
    """Let some buyers write within hours of a purchase; the unhappy write more often."""
    content, unhappy = world.climate(index).remark
    draw, mood = world.stream("remarks", index), state.satisfaction[sales.who]
    writes = draw.random(mood.size) < np.where(mood < UNHAPPY_BELOW, unhappy, content)
    at = (sales.at + 3600.0 * REMARK_DELAY_HOURS * draw.random(mood.size)).astype(np.int64)
    kept = np.flatnonzero(writes & (at < end))
    kept = kept[np.lexsort((sales.who[kept], at[kept]))]
    return Remarks(sales.who[kept], at[kept], mood[kept])
