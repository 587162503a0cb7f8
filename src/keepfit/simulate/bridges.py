"""Bridges that are inspected every two years and decay in between, and which will be rated lower next time.

An inspection writes down the deck's rating (9 is new, 0 is failed), the traffic and the corrosion. Until the next one the
rating drops by one with a probability that follows from what was written, so the best
possible ranking is known. A deck of 4 or less is renewed before its next inspection half of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keepfit.simulate.drift import Knobs
from keepfit.simulate.frame import Frame, decimals, iso, labels
from keepfit.simulate.world import Floats, Month, Setting, World, stamp_of

Integers = NDArray[np.int64]

DAY, YEAR = 86_400, 365.25 * 86_400
EVERY_MONTHS = 24
MATERIALS, MATERIAL_SHARES = ("concrete", "steel", "timber"), (0.55, 0.35, 0.10)
RATINGS, RATING_SHARES = (5, 6, 7, 8), (0.2, 0.3, 0.3, 0.2)  # when the world begins
NEW, POOR, RENEWED = 8, 4, 0.5  # a renewed deck, the rating from which it is renewed, how often
AGES = (2.0, 90.0)  # years, when the world begins
TRAFFIC_MEDIAN, TRAFFIC_SD, TRAFFIC_STEADY = (
    8000.0,
    1.0,
    0.95,
)  # vehicles a day, sd of the logarithm, share of sd that stays
CORROSION_MEDIAN, CORROSION_SD = 2.0, 0.5  # mm, sd of the logarithm
BASE, AGE, TRAFFIC, CORROSION = (
    -1.5,
    0.6,
    0.7,
    0.8,
)  # log-odds of a drop; the rest per 25 years and per standard deviation
TIMBER = 0.6

KNOBS = Knobs(
    covariates={
        "traffic": "standard deviations of its logarithm",
        "corrosion": "standard deviations of its logarithm",
    },
    label="decay",
    prior="log-odds of a drop",
    effects={
        "traffic": "log-odds per standard deviation of its logarithm",
        "corrosion": "log-odds per standard deviation of its logarithm",
        "age": "log-odds per 25 years",
    },
)


@dataclass
class Bridges:
    """All bridges, one array element each; `traffic` and `corrosion` as last written, in standard deviations."""

    built: Floats  # seconds since 1970
    material: Integers
    phase: Integers  # which month of 24 is theirs
    usual: Floats  # traffic
    rating: Integers
    traffic: Floats
    corrosion: Floats


def bridges_of(setting: Setting) -> Bridges:
    """Return the bridges as the world begins."""
    edges, draw = setting.months(), setting.stream("bridges")
    count = max(1, round(setting.rows * EVERY_MONTHS / (len(edges) - 1)))
    usual = draw.standard_normal(count)
    return Bridges(
        built=edges[0] - draw.uniform(*AGES, count) * YEAR,
        material=draw.choice(len(MATERIALS), count, p=MATERIAL_SHARES),
        phase=draw.integers(EVERY_MONTHS, size=count),
        usual=usual,
        rating=draw.choice(RATINGS, count, p=RATING_SHARES),
        traffic=_traffic(usual, draw),
        corrosion=draw.standard_normal(count),
    )


def live(setting: Setting) -> Iterator[Month]:
    """Yield the months in order: those whose turn it is are inspected."""
    edges, bridges = setting.months(), bridges_of(setting)
    for index, (start, end) in enumerate(pairwise(edges)):
        due = np.flatnonzero(bridges.phase == index % EVERY_MONTHS)
        yield _inspect(setting, bridges, due, start, end, first=index < EVERY_MONTHS)


def best_auc(chance: Floats) -> float:
    """Return the AUC that is to be expected of the true chances themselves; 0.5 if they are all alike.

    Each row is positive by its chance and negative by the rest: the share of (positive, negative) pairs in the right order.
    """
    values, place = np.unique(chance, return_inverse=True)
    positive = np.bincount(place, weights=chance, minlength=len(values))
    negative = np.bincount(place, weights=1.0 - chance, minlength=len(values))
    below = np.cumsum(negative) - negative
    own = float(chance @ (1.0 - chance))  # a row makes no pair with itself
    pairs = float(positive.sum() * negative.sum()) - own
    right = float(positive @ (below + negative / 2.0)) - own / 2.0
    return right / pairs if pairs > 0 else 0.5


def _traffic(usual: Floats, draw: np.random.Generator) -> Floats:
    traffic: Floats = TRAFFIC_STEADY * usual + np.sqrt(1.0 - TRAFFIC_STEADY**2) * draw.standard_normal(usual.shape)
    return traffic


def _chance(setting: Setting, bridges: Bridges, due: Integers, at: Integers) -> Floats:
    """Return the chance of each bridge to be rated lower than last time, by what was written then."""
    age = (at - EVERY_MONTHS / 12 * YEAR - bridges.built[due]) / YEAR / 25.0 - 2.0
    odds = BASE + TIMBER * (bridges.material[due] == 2) + setting.rate(at)
    odds = odds + (AGE + setting.effect("age", at)) * age
    odds = odds + (TRAFFIC + setting.effect("traffic", at)) * bridges.traffic[due]
    odds = odds + (CORROSION + setting.effect("corrosion", at)) * bridges.corrosion[due]
    stays = np.where(bridges.rating[due] <= POOR, 1.0 - RENEWED, 1.0)
    chance: Floats = stays * (bridges.rating[due] > 0) / (1.0 + np.exp(-odds))
    return chance


def _inspect(setting: Setting, bridges: Bridges, due: Integers, start: int, end: int, *, first: bool) -> Month:
    """Move the bridges that are due on by two years and return what is written of them."""
    draw = setting.stream("inspections", start)
    at = np.sort(
        start + draw.integers(8, 17, due.size) * 3600 + draw.integers((end - start) // DAY, size=due.size) * DAY
    )
    chance, luck = _chance(setting, bridges, due, at), draw.random((2, due.size))
    renewed = (bridges.rating[due] <= POOR) & (luck[1] < RENEWED)
    drops = (luck[0] < np.where(bridges.rating[due] <= POOR, chance / (1.0 - RENEWED), chance)) & ~renewed
    bridges.rating[due] = np.where(renewed, NEW, bridges.rating[due] - drops)
    bridges.traffic[due] = _traffic(bridges.usual[due], draw) + setting.moved("traffic", at)
    bridges.corrosion[due] = draw.standard_normal(due.size) + setting.moved("corrosion", at)
    arrays = {
        "bridge": due,
        "at": at,
        "rating": bridges.rating[due],
        "traffic": TRAFFIC_MEDIAN * np.exp(TRAFFIC_SD * bridges.traffic[due]),
        "corrosion": CORROSION_MEDIAN * np.exp(CORROSION_SD * bridges.corrosion[due]),
        "age": (at - bridges.built[due]) / YEAR,
        "drops": drops,
        "chance": chance,
    }
    told = {} if first or not due.size else {"base_rate": float(chance.mean()), "bayes_auc": best_auc(chance)}
    return Month((_inspections(start, arrays),), arrays, {stamp_of(start): told})


def _inspections(start: int, arrays: dict[str, NDArray[Any]]) -> Frame:
    columns = {
        "bridge_id": _ids(arrays["bridge"]),
        "inspected_at": iso(arrays["at"]),
        "deck": [str(value) for value in arrays["rating"].tolist()],
        "traffic": decimals(arrays["traffic"], 0),
        "corrosion": decimals(arrays["corrosion"], 2),
        "age": decimals(arrays["age"], 1),
    }
    return Frame("inspections", stamp_of(start, "_"), columns, "bridge_id")


def _once(setting: Setting) -> tuple[Frame, ...]:
    bridges = bridges_of(setting)
    columns = {
        "bridge_id": _ids(np.arange(bridges.built.size)),
        "material": labels(bridges.material, MATERIALS),
    }
    return (Frame("bridges", "", columns, "bridge_id"),)


def _ids(indices: NDArray[np.int64]) -> list[str]:
    return [f"B{index + 1:06d}" for index in indices.tolist()]


WORLD = World(
    name="bridges",
    knobs=KNOBS,
    main="inspections",
    columns=("deck", "traffic", "corrosion", "age"),
    labels=(),
    rows=20_000,
    months=144,
    settled="""settled = Events("settled", Files("inspections_*.csv"), entity="bridge_id", time="inspected_at",
                 known_after="DELAY", columns={"deck": Integer(min=0, max=9)}, quiet="62d")""",
    awaited="inspections.deck.first(next=",
    once=_once,
    live=live,
)
