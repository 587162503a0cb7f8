"""Worlds keep their promises: what was asked to drift does, nothing else moves, and what is told as true is."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from keepfit import begin, clock
from keepfit.errors import DefinitionError
from keepfit.measure.metrics import measure
from keepfit.project import load_definitions
from keepfit.simulate import air, bridges, faults, shop_world
from keepfit.simulate.drift import SHAPES, Drift, parse
from keepfit.simulate.frame import Frame
from keepfit.simulate.world import Setting
from keepfit.simulate.worlds import WORLDS

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
MID = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp())
DAY = 86_400


def setting(name: str, *drifts: str, rows: int = 20_000, start: datetime = START) -> Setting:
    return Setting(start, END, rows, 3, tuple(parse(said, WORLDS[name].knobs, int(END.timestamp())) for said in drifts))


def arrays(name: str, *drifts: str, rows: int = 20_000, start: datetime = START) -> dict[str, np.ndarray]:
    months = [month.arrays for month in WORLDS[name].live(setting(name, *drifts, rows=rows, start=start))]
    return {key: np.concatenate([month[key] for month in months]) for key in months[0]}


def hours(rows: int) -> np.ndarray:
    start, end = START.timestamp(), END.timestamp()
    return np.repeat(np.arange(start, end, 3600), rows // int((end - start) / 3600))


def moved(calm: dict[str, np.ndarray], now: dict[str, np.ndarray]) -> set[str]:
    return {name for name in calm if not np.array_equal(calm[name], now[name])}


# covariate drift


def test_a_column_moves_by_its_size_from_its_date_and_no_other_does():
    calm, now = arrays("air"), arrays("air", "pressure@2024-06:0.3")
    after = hours(calm["pressure"].size) >= MID
    assert moved(calm, now) == {"pressure"}
    assert np.array_equal(calm["pressure"][~after], now["pressure"][~after])
    assert np.allclose(now["pressure"][after] - calm["pressure"][after], 0.3 * calm["pressure"].std(), rtol=0.1)


def test_what_depends_on_a_column_follows_it_by_the_same_law():
    calm, now = arrays("air"), arrays("air", "wind@2024-06:1")
    after = hours(calm["wind"].size) >= MID
    assert moved(calm, now) == {"wind", "pm25"}
    assert np.allclose(np.log(now["pm25"] / calm["pm25"])[after], air.WIND_EFFECT)


def test_amounts_and_channels_move_as_asked():
    calm, now = arrays("shop"), arrays("shop", "amount@2024-06:0.3", "channel@2024-06:0.4")
    after, app = calm["at"] >= MID, shop_world.APP
    assert moved(calm, now) == {"amount", "channel"}
    assert np.allclose(np.log(now["amount"] / calm["amount"])[after], 0.3 * np.log(calm["amount"]).std(), rtol=0.1)
    left = ((now["channel"] == app) & (calm["channel"] != app))[after].sum() / (calm["channel"] != app)[after].sum()
    assert left == pytest.approx(0.4, abs=0.02)
    assert moved({name: calm[name][~after] for name in calm}, {name: now[name][~after] for name in now}) == set()


def test_prices_rise_by_the_share_asked_for_and_nothing_else_moves():
    calm, now = arrays("shop"), arrays("shop", "price@2024-06:0.3")
    after = calm["at"] >= MID
    assert moved(calm, now) == {"amount"}
    assert np.allclose(now["amount"][after], 1.3 * calm["amount"][after])
    assert np.array_equal(now["amount"][~after], calm["amount"][~after])


@pytest.mark.parametrize("column", ["traffic", "corrosion"])
def test_a_size_of_one_is_one_standard_deviation_of_the_column(column):
    calm, now = arrays("bridges"), arrays("bridges", f"{column}@2024-01:1")
    assert np.log(now[column] / calm[column]).mean() == pytest.approx(np.log(calm[column]).std(), rel=0.1)


def test_a_size_of_one_is_one_standard_deviation_of_temperature_and_dust():
    calm, now = arrays("air"), arrays("air", "temp@2024-01:1", "pm25@2024-01:1")
    assert (now["temp"] - calm["temp"]).mean() == pytest.approx(calm["temp"].std(), rel=0.1)
    assert np.log(now["pm25"] / calm["pm25"]).mean() == pytest.approx(np.log(calm["pm25"]).std(), rel=0.1)


# prior and concept drift


def log_odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def test_the_base_rate_of_bridges_moves_and_what_is_seen_of_them_stays():
    calm, now = arrays("bridges"), arrays("bridges", "decay@2024-06:1")
    after = calm["at"] >= MID
    assert moved(calm, now) == {"rating", "drops", "chance"}
    rates = [world["drops"][after].mean() for world in (calm, now)]
    assert 0.7 < log_odds(rates[1]) - log_odds(rates[0]) < 1.1
    assert np.array_equal(calm["chance"][~after], now["chance"][~after])


def test_more_customers_leave_under_a_prior_drift():
    rates = []
    for drifts in ((), ("churn@2024-06:1",)):
        truth = [month.truth for month in shop_world.live(setting("shop", *drifts))]
        by_month = {name: told["base_rate"] for one in truth for name, told in one.items()}
        rates.append([by_month[f"2024-{month:02d}"] for month in (4, 5, 8, 9, 10)])
    assert rates[0][:2] == rates[1][:2]
    assert min(rates[1][2:]) > max(rates[0][2:]) + 0.03


def test_a_concept_drift_changes_what_a_column_says_and_not_the_column():
    calm, now = arrays("air"), arrays("air", "pm25~wind@2024-06:0.7")
    after = hours(calm["wind"].size) >= MID
    assert moved(calm, now) == {"pm25"}
    assert np.corrcoef(np.log(calm["wind"][after]), np.log(calm["pm25"][after]))[0, 1] < -0.2
    assert np.corrcoef(np.log(now["wind"][after]), np.log(now["pm25"][after]))[0, 1] > 0.2


def test_the_effect_of_satisfaction_on_leaving_can_change():
    world = shop_world.shop_of(setting("shop", "churn~text@2024-06:2", "churn~segment@2024-09:1"))
    assert [world.climate(index).grudge for index in (4, 5)] == [1.0, 3.0]
    assert [world.climate(index).leaving[0] for index in (7, 8)] == pytest.approx([-0.6, -1.6])
    assert world.climate(8).leaving[2] == pytest.approx(0.4)


def test_shapes_are_a_step_a_ramp_and_a_wave():
    at = MID + DAY * np.array([-1, 0, 45, 90, 100, 185])
    strength = {shape: Drift("", "", "", MID, 1.0, "", shape, 90 * DAY).strength(at).tolist() for shape in SHAPES}
    assert strength == {
        "sudden": [0, 1, 1, 1, 1, 1],
        "gradual": [0, 0, 0.5, 1, 1, 1],
        "recurring": [0, 1, 0, 1, 1, 1],
    }


# what is told as true


def test_the_best_auc_of_bridges_is_what_the_true_chances_reach():
    seen = arrays("bridges", rows=40_000)
    reached = measure("auc", seen["drops"].astype(float), seen["chance"])
    assert reached == pytest.approx(bridges.best_auc(seen["chance"]), abs=0.01)
    assert seen["drops"].mean() == pytest.approx(seen["chance"].mean(), abs=0.01)


def test_the_best_auc_counts_pairs_of_different_rows():
    assert bridges.best_auc(np.array([0.0, 1.0])) == 1.0
    assert bridges.best_auc(np.full(5, 0.3)) == 0.5
    # positive first: 0.8 * 0.8 of the time the right way round, 0.2 * 0.2 the wrong one
    assert bridges.best_auc(np.array([0.2, 0.8])) == pytest.approx(0.64 / 0.68)


def test_the_best_forecast_of_dust_misses_as_much_as_is_told():
    draw = np.random.default_rng(0)
    states = air._remember(draw.standard_normal((4, 2000)), draw, 7)
    for state, memory in enumerate(air.MEMORY[:, 0]):
        assert np.corrcoef(states[state, 0], states[state, 6])[0, 1] == pytest.approx(memory**6, abs=0.03)
    values = 20 * np.exp(0.5 * draw.standard_normal(200_000))
    assert np.abs(values - 20).mean() == pytest.approx(air.best_mae(values.mean(), 0.5), rel=0.01)


def test_the_churn_that_is_told_is_what_the_files_show():
    world = setting("shop", rows=2000)
    months = list(shop_world.live(world))
    who, at = (np.concatenate([month.arrays[name] for month in months]) for name in ("who", "at"))
    told = {name: value["base_rate"] for month in months for name, value in month.truth.items()}
    active = set(who[(at >= MID - 90 * DAY) & (at < MID)])
    stays = set(who[(at >= MID) & (at < MID + 30 * DAY)])
    assert told["2024-06"] == pytest.approx(len(active - stays) / len(active))
    assert "2024-02" in told  # 29 days: settled in March


# the folder


def made(folder: Path, name: str, rows: int = 600, **asked: object) -> dict[str, object]:
    told = {"as_of": clock.to_micros(END), "since": START, "drifts": (), "faults": (), "label_delay": None}
    return begin.simulate(folder, name, **{**told, "rows": rows, "seed": 3, "profile": "dev", **asked})  # type: ignore[arg-type]


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path):
    for name in WORLDS:
        for folder, seed in (("one", 3), ("two", 3), ("other", 4)):
            made(tmp_path / folder / name, name, rows=300, seed=seed, faults=("duplicate-rows@2024-03:0.5",))
    one, two = (sorted((tmp_path / folder).rglob("*.*")) for folder in ("one", "two"))
    assert len(one) > 30
    assert [path.read_bytes() for path in one if path.is_file()] == [
        path.read_bytes() for path in two if path.is_file()
    ]
    for name in WORLDS:
        main = f"{name}/data/{WORLDS[name].main}_2024_12.csv"
        assert (tmp_path / "one" / main).read_bytes() != (tmp_path / "other" / main).read_bytes()


@pytest.mark.parametrize("delay", [None, 20 * clock.DAY], ids=["at once", "late"])
@pytest.mark.parametrize("name", WORLDS)
def test_the_definitions_check_and_wait_for_late_labels(name: str, delay: int | None, tmp_path: Path):
    made(tmp_path, name, rows=50, label_delay=delay)
    definitions = load_definitions(tmp_path)
    assert definitions.problems() == []
    (awaited,) = definitions.models[0].awaited()
    assert awaited.known_after == (None if delay is None else "20d")


def test_truth_says_what_was_done(tmp_path: Path):
    made(tmp_path, "bridges", drifts=("decay~age@2024-06:1:gradual=90d",), faults=("unit@2024-09:traffic",))
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert (truth["world"], truth["from"], truth["to"]) == ("bridges", "2024-01-01", "2025-01-01")
    (drift,), (fault,) = truth["drifts"], truth["faults"]
    assert (drift["kind"], drift["column"], drift["from"], drift["days"]) == ("concept", "age", "2024-06-01", 90)
    assert (fault["fault"], fault["file"], fault["columns"]) == ("unit", "inspections_2024_09.csv", ["traffic"])
    files = {name: 0 for name in ("bridges", "inspections")}
    for path in (tmp_path / "data").iterdir():
        files[path.name.split("_")[0].removesuffix(".csv")] += len(path.read_text().splitlines()) - 1
    assert truth["rows"] == files


def test_late_rows_come_with_the_next_month(tmp_path: Path):
    made(tmp_path / "calm", "air")
    made(tmp_path / "late", "air", faults=("late-files@2024-09",))

    def rows(folder: str, month: str) -> list[dict[str, str]]:
        with (tmp_path / folder / "data" / f"readings_2024_{month}.csv").open() as file:
            return list(csv.DictReader(file))

    assert rows("late", "09") == []
    came = rows("late", "10")[len(rows("calm", "10")) :]
    assert [row["measured_at"] for row in came] == [row["measured_at"] for row in rows("calm", "09")]
    assert {row["received_at"] for row in came} == {"2024-10-01T00:00:00Z"}


# faults

FRAME = Frame(
    "readings", "2024_09", {"station": ["A", "B", "A"], "wind": ["1.5", "2", "3"], "temp": ["7", "8", "9"]}, "station"
)


def spoiled(said: str) -> Frame:
    world = setting("air")
    return faults.parse(said, WORLDS["air"], world.months()).spoil(FRAME, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("said", "columns"),
    [
        ("missing-column@2024-09:wind", {"station": ["A", "B", "A"], "temp": ["7", "8", "9"]}),
        ("nulls@2024-09:wind", {**FRAME.columns, "wind": ["", "", ""]}),
        ("unit@2024-09:wind", {**FRAME.columns, "wind": ["1500", "2000", "3000"]}),
        ("duplicate-rows@2024-09", {name: values * 2 for name, values in FRAME.columns.items()}),
        ("late-files@2024-09", {"station": [], "wind": [], "temp": []}),
        ("frozen-sensor@2024-09:wind", {**FRAME.columns, "wind": ["1.5", "2", "1.5"]}),
        ("swapped-columns@2024-09:wind,temp", {"station": ["A", "B", "A"], "wind": ["7", "8", "9"], "temp": ["1.5", "2", "3"]}),
        ("bad-encoding@2024-09", FRAME.columns),
    ],
)  # fmt: skip
def test_a_fault_does_what_it_says_and_no_more(said: str, columns: dict[str, list[str]]):
    assert spoiled(said).columns == columns


def test_every_fault_has_its_words_and_its_test():
    assert all((kind.run.__doc__ or "").strip() for kind in faults.FAULTS.values())
    tried = test_a_fault_does_what_it_says_and_no_more.pytestmark[0].args[1]
    assert {said.split("@")[0] for said, _ in tried} == set(faults.FAULTS)


def test_a_share_of_rows_is_spoiled():
    frame = Frame("readings", "2024_09", {"station": ["A"] * 1000, "wind": ["1"] * 1000}, "station")
    fault = faults.parse("nulls@2024-09:wind:0.2", WORLDS["air"], setting("air").months())
    assert fault.spoil(frame, np.random.default_rng(0)).columns["wind"].count("") == pytest.approx(200, abs=40)


def test_a_file_of_another_encoding_is_no_utf8(tmp_path: Path):
    path = spoiled("bad-encoding@2024-09").write(tmp_path)
    assert path.read_text("utf-16").startswith("station,wind,temp")
    with pytest.raises(UnicodeDecodeError):
        path.read_text("utf-8")


# what cannot be


@pytest.mark.parametrize(
    ("said", "what", "fix"),
    [
        ("amout@2024-06:0.3", "unknown column 'amout'", "did you mean 'amount'"),
        ("amount", "is not a drift", "write COLUMN@DATE:SIZE"),
        ("amount@2024-13:1", "names no date: '2024-13'", "2024-06-15"),
        ("amount@2024-06:much", "has no size: 'much'", "0.3"),
        ("amount@2024-06:0", "has no size", "0.3"),
        ("channel@2024-06:1.5", "moves a share of 1.5", "between 0 and 1"),
        ("amount@2024-06:1:gradul=90d", "unknown shape 'gradul'", "did you mean 'gradual'"),
        ("amount@2024-06:1:gradual", "has shape 'gradual'", "gradual=90d"),
        ("amount@2024-06:1:sudden=9d", "has shape 'sudden=9d'", "write sudden"),
        ("chrn~text@2024-06:1", "unknown label 'chrn'", "churn"),
        ("churn~amount@2024-06:1", "the effect of 'amount'", "segment, text"),
        ("amount@2026-06:1", "would begin after the world: it ends on 2025-01-01", "--as-of"),
    ],
)
def test_a_drift_that_cannot_be_says_what_can(said: str, what: str, fix: str):
    with pytest.raises(DefinitionError) as told:
        parse(said, WORLDS["shop"].knobs, int(END.timestamp()))
    assert (what in told.value.what, fix in told.value.fix, told.value.where) == (True, True, "--drift")


@pytest.mark.parametrize(
    ("said", "what", "fix"),
    [
        ("nuls@2024-09:amount", "unknown fault 'nuls'", "did you mean 'nulls'"),
        ("nulls", "names no date: ''", "2024-06"),
        ("nulls@2026-09:amount", "lies outside the world", "2024-01 to 2024-12"),
        ("nulls@2024-09", "takes 1 column", "nulls@2024-09:amount"),
        ("nulls@2024-09:price", "unknown column 'price'", "amount"),
        ("nulls@2024-09:amount:2", "a share of '2'", "between 0 and 1"),
        ("unit@2024-09:channel", "unknown column 'channel'", "amount"),
        ("swapped-columns@2024-09:amount", "takes 2 columns", "amount,channel"),
        ("bad-encoding@2024-09:amount", "says too much: 'amount'", "FAULT@MONTH"),
    ],
)
def test_a_fault_that_cannot_be_says_what_can(said: str, what: str, fix: str):
    with pytest.raises(DefinitionError) as told:
        faults.parse(said, WORLDS["shop"], setting("shop").months())
    assert (what in told.value.what, fix in told.value.fix, told.value.where) == (True, True, "--fault")


def test_a_world_that_ends_before_it_begins_is_refused(tmp_path: Path):
    with pytest.raises(DefinitionError, match="before its first month is over"):
        made(tmp_path, "air", since=END)
    assert list(tmp_path.iterdir()) == []
