"""The shop as a world with drifts on request: the life of `shop_life.py` without its own drift, and without spoiled rows.

The base rate is counted, as the model counts it: of the customers who bought in the 90 days before a month begins, the share
that buys nothing in the 30 days after. The best possible score is not known: satisfaction is hidden and has a memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.simulate.drift import SHARE, Knobs
from keepfit.simulate.frame import Frame, decimals, iso, labels
from keepfit.simulate.shop_life import (
    BASKET_SPREAD,
    BEFORE,
    CHANNELS,
    CITIES,
    PURCHASE_SPREAD,
    SEGMENT_BASKET,
    SEGMENT_SHARES,
    SEGMENTS,
    Climate,
    Shop,
    crowd_of,
)
from keepfit.simulate.shop_life import Month as Lived
from keepfit.simulate.shop_life import live as live_shop
from keepfit.simulate.shop_phrases import remark
from keepfit.simulate.world import Month, Setting, World, stamp_of

DAY = 86_400
ACTIVE_DAYS, AHEAD_DAYS = 90, 30
SALES_PER_MONTH = 2.1  # of a customer who ever joins
APP = CHANNELS.index("app")
_OF_SEGMENT = np.log(SEGMENT_BASKET)
AMOUNT_SD = math.sqrt(
    float(np.average(_OF_SEGMENT**2, weights=SEGMENT_SHARES) - np.average(_OF_SEGMENT, weights=SEGMENT_SHARES) ** 2)
    + BASKET_SPREAD**2
    + PURCHASE_SPREAD**2
)

KNOBS = Knobs(
    covariates={
        "amount": "standard deviations of its logarithm",
        "price": "what a sale cost before: 0.3 is 30% more",
        "channel": f"{SHARE} of the sales of other channels that move to the app",
    },
    label="churn",
    prior="log-odds of leaving in a month",
    effects={
        "text": "log-odds of leaving per unit of dissatisfaction, which the tone of the text shows",
        "segment": "log-odds of leaving: more for premium, fewer for budget customers",
    },
)


@dataclass(frozen=True)
class DriftingShop(Shop):
    """A shop whose customers leave as its drifts say."""

    setting: Setting | None = None

    def climate(self, index: int) -> Climate:
        """Return how the shop works in month `index`, with drifts as they are in its middle."""
        if self.setting is None:
            return BEFORE
        middle = np.array((self.month_start(index).timestamp() + self.month_start(index + 1).timestamp()) / 2)
        rate, tilt = float(self.setting.rate(middle)), float(self.setting.effect("segment", middle))
        budget, family, premium = BEFORE.leaving
        return replace(
            BEFORE,
            leaving=(budget + rate - tilt, family + rate, premium + rate + tilt),
            grudge=BEFORE.grudge + float(self.setting.effect("text", middle)),
        )


class Churn:
    """Counts who of the active buys nothing in the next days, month by month."""

    def __init__(self, customers: int) -> None:
        self.newest = np.full(customers, -np.inf)
        self.waiting: list[tuple[int, NDArray[np.bool_], NDArray[np.bool_]]] = []

    def count(self, start: int, end: int, who: NDArray[np.int64], at: NDArray[np.int64]) -> dict[str, dict[str, float]]:
        """Take a month's sales; return the base rates, by month, that are settled by its end."""
        self.waiting.append((start, self.newest >= start - ACTIVE_DAYS * DAY, np.zeros(self.newest.size, np.bool_)))
        np.maximum.at(self.newest, who, at.astype(np.float64))
        for begun, _, bought in self.waiting:
            bought[who[at < begun + AHEAD_DAYS * DAY]] = True
        settled = [one for one in self.waiting if one[0] + AHEAD_DAYS * DAY <= end]
        self.waiting = [one for one in self.waiting if one[0] + AHEAD_DAYS * DAY > end]
        return {
            stamp_of(begun): {"base_rate": 1.0 - float(bought[active].mean())}
            for begun, active, bought in settled
            if active.any()
        }


def shop_of(setting: Setting) -> DriftingShop:
    """Return the shop of a setting."""
    months = len(setting.months()) - 1
    customers = max(1, round(setting.rows / (months * SALES_PER_MONTH)))
    return DriftingShop(setting.end, months, customers, None, setting.seed, setting)


def live(setting: Setting) -> Iterator[Month]:
    """Yield the months of the shop in order."""
    world, edges = shop_of(setting), setting.months()
    churn = Churn(world.customers)
    for lived, start, end in zip(live_shop(world), edges, edges[1:], strict=False):
        sales, draw = lived.sales, setting.stream("channel", start)
        moves = draw.random(sales.at.size) < setting.moved("channel", sales.at)
        arrays = {
            "who": sales.who,
            "at": sales.at,
            "amount": sales.amount * _dearer(setting, sales.at),
            "channel": np.where(moves, APP, sales.channel),
        }
        truth = churn.count(start, end, sales.who, sales.at)
        yield Month((_sales(start, arrays), _remarks(world, start, lived)), arrays, truth)


def _dearer(setting: Setting, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how many times more a sale costs than it did before anything drifted; free of charge at the least."""
    prices = np.maximum(0.0, 1.0 + setting.moved("price", at))
    return prices * np.exp(AMOUNT_SD * setting.moved("amount", at))


def _sales(start: int, arrays: dict[str, NDArray[Any]]) -> Frame:
    columns = {
        "customer_id": _ids(arrays["who"]),
        "sold_at": iso(arrays["at"]),
        "amount": decimals(arrays["amount"], 2),
        "channel": labels(arrays["channel"], CHANNELS),
    }
    return Frame("sales", stamp_of(start, "_"), columns, "customer_id")


def _remarks(world: Shop, start: int, lived: Lived) -> Frame:
    draw, said = world.stream("words", lived.index), lived.remarks
    columns = {
        "customer_id": _ids(said.who),
        "written_at": iso(said.at),
        "text": [remark(mood, draw) for mood in said.satisfaction.tolist()],
    }
    return Frame("feedback_raw", stamp_of(start, "_"), columns, "customer_id")


def _once(setting: Setting) -> tuple[Frame, ...]:
    crowd = crowd_of(shop_of(setting))
    columns = {
        "customer_id": _ids(np.arange(crowd.age.size)),
        "age": [str(age) for age in crowd.age.tolist()],
        "segment": labels(crowd.segment, SEGMENTS),
        "city": labels(crowd.city, CITIES),
    }
    return (Frame("customers", "", columns, "customer_id"),)


def _ids(indices: NDArray[np.int64]) -> list[str]:
    return [f"C{index + 1:05d}" for index in indices.tolist()]


WORLD = World(
    name="shop",
    knobs=KNOBS,
    main="sales",
    columns=("amount", "channel"),
    labels=("channel",),
    rows=100_000,
    months=24,
    settled="""settled = Events("settled", Files("sales_*.csv"), entity="customer_id", time="sold_at", known_after="DELAY",
                 columns={"amount": Float(min=0)})""",
    awaited="sales.count(next=",
    once=_once,
    live=live,
)
