"""A training set against naive SQL over the same Parquet, and against the rows that it must not see."""

from __future__ import annotations

import dataclasses
import math
import random
from dataclasses import replace

import numpy as np
import pytest

from keepfit import Calendar, Category, EachRow, Events, Every, Files, Float, Integer, Model, Records, clock
from keepfit.lake import Lake
from keepfit.stages.features.compute import compute
from keepfit.stages.features.observe import current
from keepfit.stages.features.training_set import shortage, training_set

FUNCTIONS = ("sum", "count", "mean", "min", "max", "std", "last", "time_since_last")
people = Records("people", Files("people.csv"), entity="who", columns={"age": Integer(), "city": Category()})
PEOPLE = "who,age,city\na,30,Graz\nb,,Turin\nc,50,\nd,60,Graz\n"
DELAYS = {"at once": {}, "noticed later": {"known": "noticed"}, "two weeks later": {"known_after": "14d"}}


def micros(text):
    return clock.to_micros(clock.parse_moment(text))


def day(number, hour=0):
    """Return day 0 = 2025-01-01 as text."""
    return clock.from_micros(micros("2025-01-01") + number * clock.DAY + hour * clock.HOUR).isoformat()


def sales_table(**options):
    return Events(
        "sales", Files("sales*.csv"), entity="who", time="at", columns={"amount": Float()}, quiet="30d", **options
    )


def sales_text(seed, rows=80):
    lottery = random.Random(seed)
    lines = []
    for _ in range(rows):
        when, late = lottery.randrange(150), lottery.choice([0, 0, 1, 20])
        # quarters, so that sums in SQL are exact whatever their order
        amount = lottery.choice(["", lottery.randrange(-40, 400) / 4])
        lines.append(f"{lottery.choice('aabcx')},{day(when)},{day(when + late)},{amount}\n")
    return "who,at,noticed,amount\n" + "".join(lines)


def oracle(desk, snapshot, table, observed, windows):
    """Return one inequality join and group-by for each window, and the rows of the observations asked for."""
    files = ", ".join(f"'{file}'" for file in snapshot.files(table))
    found = {}
    for name, start, end in windows:
        past = "e._known < o.t" if end <= 0 else "true"
        found[name] = desk.engine.connection.sql(
            f"""with o as (from (values {", ".join(f"('{key}', {t})" for key, t in observed)}) v(who, t)),
            e as (select who, epoch_us("at") as time, epoch_us(_known) as _known, _order, amount from read_parquet([{files}])
                  where epoch_us(_known) < {snapshot.as_of})
            select coalesce(sum(amount), 0), count(amount), avg(amount), min(amount), max(amount), stddev_samp(amount),
                arg_max(amount, (time, _order)), (o.t - max(if(amount is null, null, time))) / {clock.DAY},
                count(e.who), (o.t - max(time)) / {clock.DAY}
            from o left join e on e.who = o.who and e.time >= o.t + {start} and e.time < o.t + {end} and {past}
            group by o.who, o.t order by o.t, o.who"""
        ).fetchall()
    return found


def column(rows, place):
    return [math.nan if row[place] is None else row[place] for row in rows]


@pytest.mark.parametrize("options", DELAYS.values(), ids=DELAYS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_monthly_training_set_is_what_naive_sql_says(desk, options, seed):
    sales = sales_table(**options)
    windows = {"7d": -7 * clock.DAY, "30d": -30 * clock.DAY, "": -(2**50)}
    features = [getattr(sales.amount, f)(last=w or None) for w in windows for f in FUNCTIONS]
    features += [sales.count(last=w or None) for w in windows] + [
        sales.time_since_last(last=w or None) for w in windows
    ]
    model = Model("m", Every("1 month", of=people), [*features, people.age, people.city], sales.amount.sum(next="30d"))
    desk.write("people.csv", PEOPLE)
    desk.write("sales_1.csv", sales_text(seed))
    desk.write("sales_2.csv", sales_text(seed + 10))
    desk.ingest(people, sales, as_of="2025-07-01")
    snapshot = desk.snapshot(people, sales, as_of="2025-06-10")
    found = training_set(model, snapshot)

    first = snapshot.span(sales)[1]
    until = snapshot.complete_until(sales) - model.horizon
    months = [micros(f"2025-{month:02}-01") for month in range(1, 13)]
    observed = [(key, t) for t in months if first <= t <= until for key in "abcd"]
    assert list(zip(found.entity, found.t, strict=True)) == observed
    rows = oracle(desk, snapshot, sales, observed, [(w, s, 0) for w, s in windows.items()])
    for window in windows:
        for place, function in enumerate(FUNCTIONS):
            name = "_".join(filter(None, ["sales", "amount", function, window]))
            expected = column(rows[window], place)
            if function == "std":
                np.testing.assert_allclose(found.features[name], expected, rtol=1e-12, err_msg=name)
            else:
                np.testing.assert_array_equal(found.features[name], expected, err_msg=name)
        for place, function in ((8, "count"), (9, "time_since_last")):
            name = "_".join(filter(None, ["sales", function, window]))
            np.testing.assert_array_equal(found.features[name], column(rows[window], place), err_msg=name)
    target = oracle(desk, snapshot, sales, observed, [("next", 0, 30 * clock.DAY)])["next"]
    np.testing.assert_array_equal(found.target, column(target, 0))
    ages, cities = {"a": 30, "b": math.nan, "c": 50, "d": 60}, {"a": "Graz", "b": "Turin", "c": None, "d": "Graz"}
    np.testing.assert_array_equal(found.features["people_age"], [ages[key] for key, _ in observed])
    assert list(found.features["people_city"]) == [cities[key] for key, _ in observed]


@pytest.mark.parametrize("options", DELAYS.values(), ids=DELAYS)
def test_a_training_set_of_each_row_is_what_naive_sql_says(desk, options):
    sales = sales_table(**options)
    features = [sales.amount.lag("2d", tolerance="5d"), sales.amount.last(), sales.amount.mean(last="30d")]
    model = Model("m", EachRow(of=sales), features, sales.amount.at("10d", tolerance="8d"))
    desk.write("sales_1.csv", sales_text(7))
    desk.ingest(sales, as_of="2025-07-01")
    snapshot = desk.snapshot(sales, as_of="2025-05-10")
    found = training_set(model, snapshot)

    until = snapshot.complete_until(sales) - 10 * clock.DAY
    stamps = {(row["who"], row["_known"] + 1) for row in desk.rows(sales) if row["_known"] < snapshot.as_of}
    observed = sorted((stamp for stamp in stamps if stamp[1] <= until), key=lambda stamp: (stamp[1], stamp[0]))
    windows = [("lag", -7, -2), ("all", -9999, 0), ("30d", -30, 0), ("target", 2, 10)]
    rows = oracle(desk, snapshot, sales, observed, [(n, a * clock.DAY, b * clock.DAY) for n, a, b in windows])
    target = np.array(column(rows["target"], 6), float)
    kept = ~np.isnan(target)
    assert 0 < kept.sum() < len(kept)
    assert list(zip(found.entity, found.t, strict=True)) == [
        one for one, keep in zip(observed, kept, strict=True) if keep
    ]
    np.testing.assert_array_equal(found.target, target[kept])
    names = [feature.name for feature in features]
    for name, window, place in zip(names, ["lag", "all", "30d"], [6, 6, 2], strict=True):
        np.testing.assert_array_equal(found.features[name], np.array(column(rows[window], place), float)[kept])


def test_a_row_itself_is_visible_to_the_observation_it_makes(desk):
    sales = sales_table()
    model = Model("m", EachRow(of=sales), [sales.amount.last(), sales.count()], sales.amount.at("1d", tolerance="1d"))
    desk.write("sales.csv", f"who,at,amount\na,{day(0)},1\na,{day(1)},2\na,{day(2)},3\n")
    desk.ingest(sales)
    found = training_set(model, desk.snapshot(sales, as_of="2025-01-10"))
    assert list(found.features["sales_amount_last"]) == [1, 2]
    assert list(found.target) == [2, 3]


LATE = "who,at,noticed,amount\na,2025-01-10,2025-01-10,1\na,2025-01-20,2025-02-05,10\na,2025-02-10,2025-02-10,100\n"


def test_a_row_does_not_count_before_it_is_known(desk):
    sales = sales_table(known="noticed", zone="UTC")
    model = Model("m", Every("1 month", of=sales), [sales.amount.sum(last="90d")], sales.count(next="1d"))
    desk.write("sales.csv", LATE)
    desk.ingest(sales)
    found = training_set(model, desk.snapshot(sales, as_of="2025-03-02"))
    assert list(found.features["sales_amount_sum_90d"]) == [1, 111]


def test_a_target_counts_rows_that_became_known_after_it_had_passed(desk):
    sales = sales_table(known="noticed", zone="UTC")
    model = Model("m", Every("1 month", of=people), [people.age], sales.amount.sum(next="30d"))
    desk.write("people.csv", "who,age,city\na,30,Graz\n")
    desk.write("sales.csv", "who,at,noticed,amount\na,2024-12-31,2024-12-31,5\n" + LATE.split("\n", 1)[1])
    desk.ingest(people, sales)
    found = training_set(model, desk.snapshot(people, sales, as_of="2025-02-08"))
    assert list(found.target) == [11]


@pytest.mark.parametrize("options", DELAYS.values(), ids=DELAYS)
def test_features_at_t_do_not_change_when_all_rows_known_at_or_after_t_are_dropped(desk, options):
    sales = sales_table(**options)
    model = Model(
        "m",
        Every("1 month", of=people),
        [getattr(sales.amount, f)(last="60d") for f in FUNCTIONS],
        sales.count(next="30d"),
    )
    desk.write("people.csv", PEOPLE)
    desk.write("sales.csv", sales_text(4))
    desk.ingest(people, sales)
    full = training_set(model, desk.snapshot(people, sales, as_of="2025-06-02"))
    newest = full.t == full.t[-1]

    rows = desk.rows(sales)
    known = sorted((row for row in rows if row["_known"] < full.t[-1]), key=lambda row: row["_order"])
    assert 0 < len(known) < len(rows)
    lines = [(row["who"], row["at"], row["_known"], "" if row["amount"] is None else row["amount"]) for row in known]
    texts = [f"{who},{clock.from_micros(at)},{clock.from_micros(seen)},{amount}\n" for who, at, seen, amount in lines]
    cut = dataclasses.replace(desk, lake=Lake(desk.lake.root / "cut"))
    cut.write("sales.csv", "who,at,noticed,amount\n" + "".join(texts))
    cut.ingest(people, sales)
    snapshot = cut.snapshot(people, sales, as_of=clock.show(int(full.t[-1]) + clock.DAY))
    observations = current(model, snapshot)
    assert set(observations.t) == {full.t[-1]}
    for name, values in compute(model.features, snapshot, observations).items():
        np.testing.assert_array_equal(values, full.features[name][newest], err_msg=name)


def test_nothing_known_at_or_after_as_of_matters(desk):
    sales = sales_table()
    model = Model("m", Every("1 month", of=people), [sales.amount.sum(last="90d")], sales.amount.sum(next="30d"))
    desk.write("people.csv", PEOPLE)
    desk.write("sales_1.csv", sales_text(5))
    desk.ingest(people, sales)
    before = training_set(model, desk.snapshot(people, sales, as_of="2025-05-01"))
    desk.write("sales_2.csv", "who,at,amount\na,2025-05-01T00:00Z,99\na,2025-05-02T00:00Z,99\nz,2025-05-01T00:00Z,1\n")
    desk.ingest(people, sales)
    after = training_set(model, desk.snapshot(people, sales, as_of="2025-05-01"))
    assert len(before) and before.columns()[1] == after.columns()[1]
    for name, values in before.columns()[0].items():
        np.testing.assert_array_equal(values, after.columns()[0][name], err_msg=name)


@pytest.mark.parametrize(("as_of", "last"), [("2025-03-31", "2025-03-01"), ("2025-03-30T23:59:59Z", "2025-02-01")])
def test_an_observation_is_left_out_until_its_horizon_has_passed(desk, as_of, last):
    sales = sales_table()
    model = Model("m", Every("1 month", of=people), [people.age], sales.count(next="30d"))
    desk.write("people.csv", PEOPLE)
    desk.write("sales.csv", "who,at,amount\na,2024-12-31T00:00Z,1\na,2025-03-29T00:00Z,1\n")
    desk.ingest(people, sales)
    assert training_set(model, desk.snapshot(people, sales, as_of=as_of)).t[-1] == micros(last)


def test_the_record_of_the_time_is_read_and_a_null_in_it_stays_null(desk):
    moves = Records(
        "moves", Files("moves.csv"), entity="who", time="since", columns={"city": Category(), "rent": Float()}
    )
    sales = sales_table()
    model = Model("m", Every("1 month", of=moves), [moves.city, moves.rent], sales.count(next="1d"))
    desk.write(
        "moves.csv",
        "who,since,city,rent\na,2025-01-15T00:00Z,Graz,500\na,2025-02-01T00:00Z,Turin,\na,2025-03-15T00:00Z,,700\n"
        "a,2025-03-15T00:00Z,Nice,\n",
    )
    desk.write("sales.csv", "who,at,amount\na,2025-01-01T00:00Z,1\n")
    desk.ingest(moves, sales)
    sales_later = "who,at,amount\na,2025-04-10T00:00Z,1\n"
    desk.write("sales_2.csv", sales_later)
    desk.ingest(moves, sales)
    found = training_set(model, desk.snapshot(moves, sales, as_of="2025-04-10T12:00:00Z"))
    assert [clock.show(int(t)) for t in found.t] == ["2025-02-01", "2025-03-01", "2025-04-01"]
    assert list(found.features["moves_city"]) == ["Graz", "Turin", "Nice"]
    np.testing.assert_array_equal(found.features["moves_rent"], [500, math.nan, math.nan])


def test_calendar_parts_are_those_of_the_zone_across_summer_time(desk):
    sales = sales_table()
    parts = [Calendar(part, "Europe/London") for part in ("hour", "weekday", "day", "month", "day_of_year")]
    model = Model("m", EachRow(of=sales), [*parts, Calendar("hour")], sales.count(next="1h"))
    desk.write("sales.csv", "who,at,amount\na,2025-03-30T00:30Z,1\na,2025-03-30T01:30Z,1\na,2025-12-31T23:30Z,1\n")
    desk.ingest(sales)
    found = training_set(model, desk.snapshot(sales, as_of="2026-01-02"))
    assert list(found.features["hour_europe_london"]) == [0, 2, 23]
    assert list(found.features["hour"]) == [0, 1, 23]
    rest = [list(found.features[f"{part}_europe_london"]) for part in ("weekday", "day", "month", "day_of_year")]
    assert rest == [[6, 6, 2], [30, 30, 31], [3, 3, 12], [89, 89, 365]]


def test_a_shortage_is_said_in_numbers(desk):
    sales = sales_table()
    model = Model("m", Every("1 month", of=people), [people.age], sales.count(next="30d") >= 0)
    desk.write("people.csv", PEOPLE)
    desk.write("sales.csv", sales_text(6))
    desk.ingest(people, sales)
    found = training_set(model, desk.snapshot(people, sales, as_of="2025-06-01"))
    assert shortage(model, found, 10_000) == f"{len(found):,} mature observations, 10,000 are needed"
    assert shortage(model, found, 5) == (
        f"the target is true in all {len(found)} mature observations; there is one class only"
    )
    one = training_set(model, desk.snapshot(people, sales, as_of="2025-02-10"))
    assert shortage(model, one, 2) == "all 4 mature observations are of one moment; there is nothing to split by time"
    longer = replace(model, target=sales.count(next="200d") >= 0)
    assert "more than the target's horizon of 200d is needed" in shortage(longer, found, 2)


def test_labels_wait_until_the_delay_of_their_events_is_over(desk):
    model = Model("m", Every("1 month", of=people), [people.age], sales_table().count(next="30d"))
    desk.write("people.csv", PEOPLE)
    desk.write("sales.csv", sales_text(4))
    prompt, late = sales_table(), sales_table(known_after="14d")
    desk.ingest(people, prompt)
    now = desk.snapshot(people, prompt, as_of="2025-06-02")
    assert now.complete_until(prompt) == now.as_of
    assert now.complete_until(late) == now.as_of - 14 * clock.DAY
    assert model.horizon == 30 * clock.DAY
