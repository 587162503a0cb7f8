"""A run that is killed at any moment costs nothing but its time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from keepfit import steps, tables
from keepfit.project import open_project

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Model, XGBoost
sales = Events("sales", Files("sales_*.csv"), entity="who", time="sold_at", columns={"amount": Float(min=0)})
churn = Model(
    "churn",
    observe=Every("1 month", of=sales),
    features=[sales.amount.sum(last="30d"), sales.count(last="90d"), sales.time_since_last()],
    target=sales.count(next="30d") == 0,
    estimator=XGBoost(n_estimators=5),
)
"""
RUN = [sys.executable, "-m", "keepfit", "run", "--as-of", "2025-12-05"]


def files():
    """Return eleven months of the sales of thirty buyers; every second one buys in a month."""
    lottery = random.Random(11)
    return {
        f"sales_{month:02}.csv": "who,sold_at,amount\n"
        + "".join(
            f"c{who},2025-{month:02}-{1 + who % 28:02}T00:00Z,{who}\n" for who in range(30) if lottery.random() < 0.5
        )
        + "c0,never,1\n"
        for month in range(1, 12)
    }


@pytest.mark.slow
def test_runs_that_are_killed_leave_each_row_once_and_a_champion_that_loads(project):
    written = files()
    folder = project(DEFINITIONS, written, "profiles: {dev: {training: {min_rows: 50}}}\n")
    lottery = random.Random(2)
    # the first kill comes while MLflow makes its store, the others while there is something to lose
    for stage, seconds in (("predict", 3.0), ("train", 1.0), ("promote", 0.2)):
        with subprocess.Popen(RUN, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            seen = ""
            for line in process.stderr:
                seen += line
                if line.strip() == stage:
                    break
            time.sleep(lottery.uniform(0, seconds))
            os.kill(process.pid, signal.SIGKILL)
        assert "Traceback" not in seen
    done = subprocess.run(RUN, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

    opened = open_project(folder, None, {})
    held = opened.engine.rows(opened.lake.parquet_files(tables.source("sales")))
    rows = [(row["_file"], row["_record"]) for row in held]
    bad = opened.engine.rows(opened.lake.parquet_files(tables.QUARANTINE.name))
    assert len(rows) == len(set(rows))
    assert len(rows) + len(bad) == sum(text.count("\n") - 1 for text in written.values())
    answers = opened.engine.rows(opened.records.parquet_files(tables.PREDICTIONS.name))
    assert answers and len(answers) == len({row["request_id"] for row in answers})
    champion = opened.registry.champion("churn")
    assert champion is not None and steps.load(champion).artifact.model.name == "churn"
