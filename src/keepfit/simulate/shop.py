"""A shop with known truth: customers who buy, grumble, leave and come back, and a world that changes once.

Customers. Half are there at the start, the others join month by month. Each has a segment, an age, a city, a buying
rhythm of their own (days between two purchases), a basket size that goes with the segment, and a temperament.

Satisfaction is hidden. It wanders from month to month around the temperament and drives three things: the tone of the
feedback, the size of the basket a little, and the chance to leave. Who leaves stops buying at a random moment of that
month. Few return soon; after `WINBACK_AFTER_MONTHS` away a voucher brings some back every month.

Purchases are a renewal process: the gaps are gamma distributed around the customer's own rhythm, nearly Poisson, a few
days each. So a silence of two weeks means that somebody has probably left, and a model learns that from recency.

Drift. At month `drift_at` the shop raises its prices and starts a delivery plan. Families and premium customers take
the plan: one big box every three weeks or so, like clockwork, and they seldom leave. Budget customers keep their
rhythm, pay more and leave in numbers. Orders move from the store to the app, and a card in each parcel asks for
feedback. Two weeks of silence now say "gone" for budget customers and "between two boxes" for all others: the old model
cries wolf, and one trained on a few of the new months does well again.

Each month draws from its own random streams, so two worlds that differ only in `drift_at` are equal up to the drift.
A few rows are spoiled on purpose (`FAULTS`), because a real export has such rows and the product must quarantine them.

The life is in `shop_life.py`, the words are in `shop_phrases.py`, the files are made here. To add another world, write
a file like this one with a frozen dataclass and a `write`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keepfit.simulate.shop_life import CHANNELS, CITIES, SEGMENTS, Integers, Month, Sales, Shop, crowd_of, live
from keepfit.simulate.shop_phrases import remark

__all__ = ["Shop", "write"]

SPOILED_EVERY = 5  # every fifth month has faulty exports
FAULTS = ("negative amount", "amount as text", "missing customer id")
IMPOSSIBLE_AGES = (212, -3)


def write(world: Shop, folder: Path) -> list[Path]:
    """Write customers.csv and one sales and one feedback file per month into `folder`, and return the paths.

    Parameters
    ----------
    world : Shop
        The world to write.
    folder : Path
        Made if it does not exist; files of the same names are overwritten.

    Returns
    -------
    list of Path
        customers.csv, then sales_YYYY_MM.csv and feedback_raw_YYYY_MM.csv month by month.
        Times are ISO 8601 in UTC with Z.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write_csv(folder / "customers.csv", ("customer_id", "age", "segment", "city"), _customer_rows(world))]
    for month in live(world):
        stamp = world.month_start(month.index).strftime("%Y_%m")
        sales = _spoil(world, month.index, _sales_rows(month.sales))
        paths += [
            _write_csv(folder / f"sales_{stamp}.csv", ("customer_id", "sold_at", "amount", "channel"), sales),
            _write_csv(
                folder / f"feedback_raw_{stamp}.csv", ("customer_id", "written_at", "text"), _remark_rows(world, month)
            ),
        ]
    return paths


def _spoil(world: Shop, index: int, rows: list[list[str]]) -> list[list[str]]:
    """Spoil one row per fault in some months, as careless exports do."""
    if index % SPOILED_EVERY == 2 and len(rows) >= len(FAULTS):
        negative, text, missing = world.stream("faults", index).choice(len(rows), size=len(FAULTS), replace=False)
        rows[negative][2] = f"-{rows[negative][2]}"
        rows[text][2] = "12,5o"
        rows[missing][0] = ""
    return rows


def _customer_rows(world: Shop) -> list[list[str]]:
    crowd, draw = crowd_of(world), world.stream("faults", 0)
    age = crowd.age.copy()
    spoiled = draw.choice(world.customers, size=min(len(IMPOSSIBLE_AGES), world.customers), replace=False)
    age[spoiled] = IMPOSSIBLE_AGES[: spoiled.size]
    return [
        [_customer_id(i), str(a), SEGMENTS[s], CITIES[c]]
        for i, (a, s, c) in enumerate(zip(age, crowd.segment, crowd.city, strict=True))
    ]


def _sales_rows(sales: Sales) -> list[list[str]]:
    columns = zip(sales.who, _iso(sales.at), sales.amount, sales.channel, strict=True)
    return [[_customer_id(w), t, f"{a:.2f}", CHANNELS[c]] for w, t, a, c in columns]


def _remark_rows(world: Shop, month: Month) -> list[list[str]]:
    draw, remarks = world.stream("words", month.index), month.remarks
    columns = zip(remarks.who, _iso(remarks.at), remarks.satisfaction, strict=True)
    rows = [[_customer_id(w), t, remark(s, draw)] for w, t, s in columns]
    if month.index % (2 * SPOILED_EVERY) == 4 and rows:
        rows[len(rows) // 2][0] = ""
    return rows


def _customer_id(index: int) -> str:
    return f"C{index + 1:05d}"


def _iso(seconds: Integers) -> Sequence[str]:
    stamps: list[str] = np.datetime_as_string(seconds.astype("datetime64[s]"), timezone="UTC").tolist()
    return stamps


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path
