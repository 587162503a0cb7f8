"""A small market with a known law: sixty buyers, a file a week. From week `turned` on those buy who did not before."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from keepfit import clock
from keepfit.project import Project, open_project

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Logistic, Model, Policy, Records, Category, Training, when
people = Records("people", Files("people.csv"), entity="who", columns={"kind": Category()})
sales = Events("sales", Files("sales_*.csv"), entity="who", time="at", columns={"amount": Float(min=0)}, quiet="9d")
habit = Model(
    "habit",
    observe=Every("1 week", of=people),
    features=[people.kind],
    target=sales.count(next="6d") > 0,
    estimator=Logistic(),
    metric="accuracy",
    training=Training(test="7d", folds=0),
    policy=Policy(retrain=when.metric_below("accuracy", 0.7), cooldown="7d", probation="7d"),
)
"""
SETTINGS = "profiles: {dev: {training: {min_rows: 50}, engine: {threads: %d}}}\n"
BEGIN = clock.parse_moment("2025-01-06")


def week(number: int) -> int:
    """Return the beginning of a week, the first of which has sales."""
    return clock.to_micros(BEGIN + timedelta(weeks=number))


def sales(number: int, *, turned: int = 99) -> str:
    """Return the file of one week."""
    lottery, rows = random.Random(number), []
    for who in range(60):
        keen = (who % 2 == 0) != (number >= turned)
        if lottery.random() < (0.9 if keen else 0.1):
            moment = BEGIN + timedelta(weeks=number, seconds=lottery.randrange(5 * 86400))
            rows.append(f"c{who:02},{moment:%Y-%m-%dT%H:%M:%SZ},{lottery.randrange(1, 90)}")
    return "\n".join(["who,at,amount", *sorted(rows, key=lambda row: row.split(",")[1]), ""])


def market(folder: Path, weeks: int, *, turned: int = 99, threads: int = 2) -> Project:
    """Return a project of so many weeks."""
    (folder / "data").mkdir(parents=True)
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "keepfit.yaml").write_text(SETTINGS % threads)
    kinds = [f"c{who:02},{'even' if who % 2 == 0 else 'odd'}" for who in range(60)]
    (folder / "data" / "people.csv").write_text("\n".join(["who,kind", *kinds, ""]))
    for number in range(weeks):
        (folder / "data" / f"sales_{number:02}.csv").write_text(sales(number, turned=turned))
    return open_project(folder, None, {})
