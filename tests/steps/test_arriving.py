"""Tables that come late, or come with fewer rows than ever, are told without a declaration."""

from __future__ import annotations

import random
from pathlib import Path

from tests.conftest import SETTINGS, at

from keepfit import clock, loop
from keepfit.evidence import CRITICAL, EXPECTED, FRESHNESS, INFO, VOLUME, WARNING, Sign
from keepfit.project import open_project
from keepfit.snapshot import take
from keepfit.steps.arriving import arrivals, expectations

DEFINITIONS = """
from keepfit import Events, Every, Expect, Files, Float, Model
sales = Events("sales", Files("sales.csv"), entity="shop", time="at", columns={"amount": Float()},
               expect=[Expect.volume(min=1), Expect.complete("amount", 0.9, otherwise="warn")])
takings = Model(
    "takings", observe=Every("1 day", of=sales), features=[sales.amount.sum(last="7d")], target=sales.amount.sum(next="1d")
)
"""
BOUND = 0.001


def signs(folder: Path, days: dict[int, int], now: str) -> dict[str, Sign]:
    """Return the signs at a moment of a shop that sells so many things a day of January; of the other days some forty."""
    rng, lines = random.Random(7), ["shop,at,amount"]
    for day in range(1, 31):
        sold = 40 + rng.randrange(10)
        times = [f"{rng.randrange(24):02}:{rng.randrange(60):02}" for _ in range(sold)]
        lines += [f"a,2025-01-{day:02}T{time}:00Z,5" for time in times[: days.get(day, sold)]]
    (folder / "data").mkdir(parents=True)
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "keepfit.yaml").write_text(SETTINGS)
    (folder / "data" / "sales.csv").write_text("\n".join(lines) + "\n")
    found = open_project(folder, None, {})
    loop.ingest_all(found, at(now))
    model = found.model("takings")
    snapshot = take(found.engine, found.lake, model.tables(), at(now))
    told = arrivals(model, snapshot, BOUND) + expectations(found, model, at(now))
    return {f"{one.kind} {one.about}": one for one in told}


def test_what_comes_as_ever_is_no_alarm_and_stands_beside_what_was_declared(tmp_path: Path) -> None:
    found = signs(tmp_path, {}, "2025-01-31")
    assert {one.severity for one in found.values()} == {INFO}
    volume = found[f"{VOLUME} sales"]
    assert volume.low < volume.value < volume.high
    declared = found[f"{EXPECTED} sales.amount: completeness"]
    assert (declared.value, declared.low, declared.high) == (1.0, 0.9, None)


def test_a_table_that_stops_and_one_that_thins_out_are_told(tmp_path: Path) -> None:
    thin = signs(tmp_path / "thin", {30: 10}, "2025-01-31")
    assert thin[f"{VOLUME} sales"].severity == WARNING
    assert thin[f"{FRESHNESS} sales"].severity == INFO
    none = signs(tmp_path / "none", {29: 0, 30: 0}, "2025-01-31")
    assert none[f"{VOLUME} sales"].severity == CRITICAL
    assert none[f"{FRESHNESS} sales"].severity == WARNING
    assert none[f"{FRESHNESS} sales"].value > 2
    assert "usually at most" in none[f"{FRESHNESS} sales"].sentence


def test_rows_that_come_later_change_no_sign(tmp_path: Path) -> None:
    whole = signs(tmp_path / "whole", {}, "2025-01-25")
    cut = signs(tmp_path / "cut", dict.fromkeys(range(25, 31), 0), "2025-01-25")
    came = (f"{VOLUME} sales", f"{FRESHNESS} sales")
    assert [whole[one] for one in came] == [cut[one] for one in came]
    assert clock.show(at("2025-01-24")) in whole[f"{VOLUME} sales"].sentence
