"""A small world in which every kind of skew can show: late rows, versions of records, nulls, labels that come later, zones."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from keepfit import actions, clock, loop
from keepfit.evidence import Parity, Verdict
from keepfit.project import Project, open_project
from keepfit.snapshot import Snapshot, take
from keepfit.spec.gates import Gate
from keepfit.stages.registry.gates import judge
from keepfit.stages.registry.version import Version
from keepfit.steps import certifying
from keepfit.steps.judging import candidate

START = clock.to_micros(clock.parse_moment("2025-01-06"))
TRAINED, CERTIFIED = 150, 200

WORLD = """
from keepfit import *

people = Records("people", Files("people.csv"), entity="who", time="since",
                 columns={"age": Integer(), "segment": Category()})
sales = Events("sales", Files("sales.csv"), entity="who", time="at", known="noticed", quiet="30d",
               columns={"amount": Float(), "price": Float(), "shop": Category()})
features = [
    sales.amount.sum(last=["7d", "30d"]), sales.count(last="14d"), sales.amount.mean(last="7d") / sales.amount.mean(last="30d"),
    sales.amount.last(), sales.price.max(last="30d"), sales.time_since_last(), sales.shop.share("a", last="30d"),
    people.age, people.segment, Calendar("hour", zone="Asia/Shanghai"), Calendar("weekday", zone="Asia/Shanghai"),
]
observe = Every("1 week", of=people)
"""
CHURN = """
m = Model("m", observe, features, sales.amount.sum(next="7d") > 60, estimator=XGBoost(n_estimators=80, learning_rate=0.1),
          training=Training(calibrate="isotonic"))
"""


def moment(days: float) -> str:
    return clock.from_micros(START + round(days * clock.DAY)).isoformat()


def people() -> str:
    """Return versions of records; some ages and segments are null, and from day 160 on there is a segment that nobody had."""
    lines = []
    for n in range(50):
        segment = ("basic", "plus", "", "pro")[n % 4]
        lines += [
            f"p{n:02},{moment(at)},{'' if n % 7 == 3 else 20 + n + at // 20},{segment}" for at in range(0, 200, 20)
        ]
    lines += [f"p{n},{moment(160)},{30 + n},vip" for n in range(50, 62)]
    return "who,since,age,segment\n" + "\n".join(lines) + "\n"


def sales() -> str:
    """Return rows of which some happen at the moment of an observation, some at one instant, and some are noticed late."""
    lottery, rows = random.Random(4), []
    for n in range(62):
        day = (0.0 if n < 50 else 160.0) + lottery.random() * 3
        much = (4, 60, 30, 25)[n % 4] if n < 50 else 80
        while day < CERTIFIED:
            at = 7.0 * round(day / 7) if lottery.random() < 0.15 else day
            late = 9 if lottery.random() < 0.15 else 0
            for _ in range(2 if lottery.random() < 0.1 else 1):
                amount = round(much * lottery.uniform(0.2, 1.8), 2)
                rows.append([f"p{n:02}", at, at + late, amount, round(lottery.uniform(1, 9), 3), lottery.choice("abc")])
            day += lottery.expovariate(1 / 4) + 0.01
    rows.sort(key=lambda row: row[1])
    lines = [f"{who},{moment(at)},{moment(noticed)},{','.join(map(str, more))}" for who, at, noticed, *more in rows]
    return "who,at,noticed,amount,price,shop\n" + "\n".join(lines) + "\n"


@dataclass
class Certified:
    """A project with one version, and rows that came after its training."""

    project: Project
    version: Version

    @property
    def snapshot(self) -> Snapshot:
        model = self.project.model(self.version.model)
        as_of = START + CERTIFIED * clock.DAY
        return take(self.project.engine, self.project.lake, model.tables(), as_of)

    def certificate(self, native: certifying.Way | None = None) -> Parity:
        return certifying.certificate(self.snapshot, self.version.folder, self.version.digest, native)

    def verdict(self, found: Parity) -> Verdict:
        seen = replace(candidate(self.project, self.version, self.snapshot.as_of), parity=found)
        return judge([Gate.parity()], seen)[0]


def made(folder: Path, models: str) -> Project:
    """Return a project in which all has happened until day 200."""
    (folder / "data").mkdir(parents=True)
    (folder / "definitions.py").write_text(WORLD + models)
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {engine: {threads: 2}, training: {min_rows: 100}}\n")
    (folder / "data" / "people.csv").write_text(people())
    (folder / "data" / "sales.csv").write_text(sales())
    project = open_project(folder, None, {})
    loop.ingest_all(project, START + CERTIFIED * clock.DAY)
    return project


def trained(project: Project, name: str) -> Certified:
    """Return a model's version of day 150."""
    done = actions.train(project, project.model(name), START + TRAINED * clock.DAY)
    return Certified(project, project.registry.version(name, done["version"]))


@pytest.fixture(scope="session")
def older(churn: Certified) -> Path:
    """Return the folder of a version that was trained a month before."""
    project = churn.project
    done = actions.train(project, project.model(), START + (TRAINED - 30) * clock.DAY)
    return project.registry.version("m", done["version"]).folder


@pytest.fixture(scope="session")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Return a calibrated classifier."""
    return trained(made(tmp_path_factory.mktemp("parity") / "churn", CHURN), "m")
