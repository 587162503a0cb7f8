"""No alarm where nothing leaks: a proof that cries wolf is switched off."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from keepfit import actions, loop
from keepfit.cli import main
from keepfit.project import open_project

from .conftest import micros, moment, people, sales, text

ROOT = Path(__file__).parents[2]
DATA = os.environ.get("KEEPFIT_DATA")
NAMES = ["deletion", "label window", "presence", "records", "corrections", "outcome", "split", "twins"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return the shop template, ingested in two turns."""
    root = tmp_path_factory.mktemp("clean")
    assert called("init", "shop", "--project", str(root), "--as-of", "2026-01-15")[0] == 0
    project = open_project(root / "shop", None, {})
    for as_of in ("2025-06-01", "2026-01-15"):
        loop.ingest_all(project, micros(as_of))
    return root / "shop"


def called(*words):
    """Run a command in this process and return (exit code, nothing)."""
    before, sys.argv, code = sys.argv, ["keepfit", *words], 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
    return code, None


def alarms(found):
    return [finding for test in found["tests"] for finding in test.findings]


def test_the_shop_is_proven_clean_in_one_line_a_test(shop, capsys):
    assert called("check", "leakage", "--project", str(shop), "--as-of", "2026-01-15")[0] == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "churn as of 2026-01-15: 8 tests, 0 alarms"
    assert [line[:14].strip() for line in lines[1:]] == NAMES
    assert all(line.split(" ok ")[1].strip() for line in lines[1:])
    assert "50 observations at 8 moments, 500 feature values recomputed" in lines[1]


def test_the_proof_as_json_holds_every_number(shop, capsys):
    words = ("check", "leakage", "churn", "--json", "--sample", "16", "--as-of", "2025-09-01", "--project", str(shop))
    assert called(*words)[0] == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["alarms"], found["model"], found["as_of"]) == (0, "churn", "2025-09-01T00:00:00Z")
    assert [test["test"] for test in found["tests"]] == NAMES
    assert found["tests"][0]["numbers"]["values"] == 160
    assert found["tests"][0]["numbers"]["rows_deleted"] > 100_000
    assert all(test["findings"] == [] for test in found["tests"])


def test_check_alone_looks_at_definitions_as_ever(shop, capsys):
    assert called("check", "--project", str(shop))[0] == 0
    assert capsys.readouterr().out.startswith("no problems; profile dev")


SENSORS = """
readings = Events("readings", Files("readings*.csv"), entity="sensor", time="at", quiet="1d",
    columns={"temp": Float(), "near": Float(), "wet": Float()})
m = Model("m", EachRow(of=readings),
    [readings.temp.last(), readings.temp.lag("1h", tolerance="1h"), readings.temp.lag("24h", tolerance="1h"),
     readings.temp.mean(last="6h"), readings.near.last(), readings.wet.last(), Calendar("hour")],
    TARGET)
"""
TARGETS = {
    "the temperature in an hour": 'readings.temp.at("1h", tolerance="1h")',
    "whether it will be warm in an hour": 'readings.temp.at("1h", tolerance="1h") > 10',
}


def temperatures(step_hours, noise, days=40):
    """Return the readings of three sensors: days and weather, and a second thermometer beside each."""
    lottery, lines = random.Random(8), ["sensor,at,temp,near,wet\n"]
    for sensor in "abc":
        weather = 0.0
        for step in range(int(days * 24 / step_hours)):
            day = step * step_hours / 24
            weather = 0.999 * weather + lottery.gauss(0, noise)
            temp = 10 + 8 * math.sin(2 * math.pi * day) + weather
            near, wet = temp + lottery.gauss(0, noise), "" if lottery.random() < 0.05 else round(60 - temp, 1)
            lines.append(f"{sensor},{moment(day)},{temp:.4f},{near:.4f},{wet}\n")
    return "".join(lines)


@pytest.mark.parametrize("noise", [0.3, 0.01], ids=["rough weather", "smooth weather"])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_strongly_autocorrelated_sensors_raise_no_alarm(world, target, noise):
    files = [(moment(50), {"readings.csv": temperatures(1, noise)})]
    found = world.proven(SENSORS.replace("TARGET", target), files, moment(50))
    assert alarms(found) == []


def test_slow_sensors_that_are_nearly_known_before_raise_no_alarm(world):
    definitions = SENSORS.replace("TARGET", 'readings.temp.at("5min", tolerance="5min")')
    found = world.proven(definitions, [(moment(50), {"readings.csv": temperatures(1 / 12, 0.001, days=6)})], moment(6))
    assert found["tests"][5].numbers["readings_near_last"] > 0.999
    assert alarms(found) == []


SHOP = """
people = Records("people", Files("people.csv"), entity="who", columns={"age": Integer()})
sales = Events("sales", Files("sales*.csv"), entity="who", time="at", quiet="30d", columns={"amount": Float()})
m = Model("m", Every("1 week", of=people, active=sales.within("60d")), [sales.amount.sum(last="30d"), people.age],
    sales.count(next="30d") == 0)
"""


def test_ordinary_monthly_files_and_new_people_raise_no_alarm(world):
    arrivals = []
    for month in range(6):
        rows = sales((month * 30, month * 30 + 30), seed=month, count=20 + 4 * month)
        # the last evening of a month comes with the next one
        files = {"people.csv": people(20 + 4 * month), f"sales_{month}.csv": text(rows)}
        arrivals.append((moment(30 * month + 30.5), files))
    assert alarms(world.proven(SHOP, arrivals, moment(180))) == []


def test_files_by_region_of_one_ingest_raise_no_alarm(world):
    rows = [[who, round(at), amount] for who, at, amount in sales((0, 180))]
    parts = {f"sales_{region}.csv": text(rows[region::3]) for region in range(3)}
    assert alarms(world.proven(SHOP, [(moment(180), {"people.csv": people(), **parts})], moment(180))) == []


def test_an_older_archive_that_comes_later_raises_no_alarm(world):
    rows = sales((0, 180))
    newer, older = (text([row for row in rows if (row[1] >= 90) == late]) for late in (True, False))
    arrivals = [(moment(180), {"people.csv": people(), "sales_b.csv": newer}), (moment(181), {"sales_a.csv": older})]
    assert alarms(world.proven(SHOP, arrivals, moment(181))) == []


def test_people_who_leave_for_good_raise_no_alarm(world):
    """What they have not bought is told by their past as well as by the nulls of a mean over it."""
    rows = [row for row in sales((0, 200), every=3, away=0) if int(row[0][1:]) % 3 or row[1] < 4]
    definitions = SHOP.replace("60d", "400d").replace("people.age]", "sales.amount.mean(last='30d'), people.age]")
    found = world.proven(definitions, [(moment(200), {"people.csv": people(), "sales.csv": text(rows)})], moment(200))
    assert alarms(found) == []


def test_a_project_that_is_too_young_is_said_to_be(world):
    found = world.proven(SHOP, [(moment(20), {"people.csv": people(), "sales.csv": text(sales((0, 20)))})], moment(20))
    said = {test.test: test.compared for test in found["tests"]}
    assert said["deletion"] == "there are no mature observations"
    assert said["split"].startswith("no split to look at: there are no rows to split")
    assert alarms(found) == []


def test_an_alarm_ends_the_command_with_an_exit_code_of_its_own(world, capsys):
    rows = sales((0, 100))
    later = text([[who, at, amount + 1] for who, at, amount in rows[:20]])
    world.arrive(
        SHOP,
        [(moment(100), {"people.csv": people(), "sales_1.csv": text(rows)}), (moment(101), {"sales_2.csv": later})],
    )
    assert called("check", "leakage", "--project", str(world.folder), "--as-of", moment(101))[0] == 8
    out = capsys.readouterr().out
    assert "  corrections   ALARM  what later files say" in out
    assert "\nalarm: 20 moments of sales are told otherwise by a later file" in out
    assert "\n  where: definitions.py, Events 'sales'; sales_2.csv\n  fix:   declare known=" in out


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(
    DATA is None or not Path(DATA, "online_retail").is_dir(), reason="KEEPFIT_DATA holds no online_retail"
)
def test_the_online_retail_example_is_proven_clean(tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(
        ROOT / "examples" / "online_retail", folder, ignore=shutil.ignore_patterns(".keepfit", "data", "reports")
    )
    project = open_project(folder, None, {"KEEPFIT__STORAGE__DATA": str(Path(DATA or "") / "online_retail")})
    as_of = micros("2011-12-10")
    loop.ingest_all(project, as_of)
    found = actions.check_leakage(project, project.model(), as_of, 50)
    assert alarms(found) == []
    assert found["tests"][0].numbers["values"] == 50 * len(project.model().inputs())
