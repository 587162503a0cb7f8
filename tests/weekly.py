"""A small shop for tests of many turns: sixty buyers, a file a week, turns of well under a second."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from keepfit import clock, steps
from keepfit.evidence import Turn, as_data
from keepfit.project import Project

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Gate, Logistic, Model, Policy, Training, when
sales = Events("sales", Files("sales_*.csv"), entity="who", time="at", columns={{"amount": Float(min=0)}}, quiet="99d")
habit = Model(
    "habit",
    observe=Every("1 week", of=sales),
    features=[sales.amount.sum(last="14d"), sales.count(last="28d"), sales.time_since_last()],
    target=sales.count(next="7d") > 0,
    estimator=Logistic(),
    metric="auc",
    training=Training(test="14d", folds=0),
    gates=[{gates}],
    policy=Policy(retrain={retrain}, cooldown="7d", probation="{probation}"),
)
"""
SETTINGS = "alerts: {cooldown: 36h}\nprofiles: {dev: {training: {min_rows: 50}}}\n"
BEGIN = clock.parse_moment("2025-01-06")


def week(number: int) -> int:
    """Return the beginning of a week, the first of which has sales."""
    return clock.to_micros(BEGIN + timedelta(weeks=number))


def files(weeks: int, *, turned: int = 99, seed: int = 3) -> dict[str, str]:
    """Return a file of sales for each week; from week `turned` on those buy who did not before."""
    lottery = random.Random(seed)
    found = {}
    for number in range(weeks):
        rows = ["who,at,amount"]
        for who in range(60):
            keen = (who % 3 == 0) != (number >= turned)
            for _ in range(2):
                if lottery.random() < (0.7 if keen else 0.1):
                    moment = BEGIN + timedelta(weeks=number, seconds=lottery.randrange(7 * 86400))
                    rows.append(f"c{who:02},{moment:%Y-%m-%dT%H:%M:%SZ},{lottery.randrange(1, 90)}")
        found[f"sales_{number:02}.csv"] = "\n".join(
            [rows[0], *sorted(rows[1:], key=lambda row: row.split(",")[1]), "c0,never,1\n"]
        )
    return found


def write(
    folder: Path,
    written: dict[str, str],
    *,
    retrain: str = "when.older_than('28d')",
    gates: str = "",
    probation: str = "62d",
    settings: str = SETTINGS,
) -> Path:
    """Write a project folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "definitions.py").write_text(DEFINITIONS.format(retrain=retrain, gates=gates, probation=probation))
    (folder / "keepfit.yaml").write_text(settings)
    for name, text in written.items():
        (folder / "data" / name).write_text(text)
    return folder


def told(turn: Turn) -> dict[str, Any]:
    """Return a turn without what no two runs have in common: how long it took."""
    return {name: value for name, value in as_data(turn).items() if name != "seconds"}


def ledger(project: Project, model: str = "habit") -> list[dict[str, Any]]:
    """Return the rows of the ledger without how long each step took."""

    def content(one: Any) -> dict[str, Any]:
        found = steps.turn_of(project, one)
        return {name: value for name, value in found.items() if name not in ("seconds", "files")}

    return [json.loads(json.dumps(content(one))) for one in steps.entries(project, model)]
