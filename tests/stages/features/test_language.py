"""Every word of the feature language on random late data: against naive Python, and online against offline, bit for bit."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter

import numpy as np
import pytest

from keepfit import (
    Boolean,
    Calendar,
    Category,
    Events,
    Every,
    Files,
    Float,
    Holiday,
    Input,
    Integer,
    Model,
    Records,
    clock,
    col,
)
from keepfit.engines.protocol import Observations
from keepfit.rows.contract import check_row
from keepfit.stages.features.compute import compute
from keepfit.stages.serving.online import OnlineFeatures
from keepfit.stages.serving.publish import publish
from keepfit.stages.serving.sqlite import SQLiteStore

visits = Events(
    "visits", Files("visits_*.csv"), entity="who", time="at", known="noticed",
    columns={"amount": Float(), "channel": Category(), "ok": Boolean()}, quiet="400d",
)  # fmt: skip
weather = Events("weather", Files("weather_*.csv"), entity="county", time="at", columns={"temp": Float()}, quiet="400d")
people = Records("people", Files("people.csv"), entity="who", columns={"county": Integer(), "plan": Category()})
PEOPLE = "who,county,plan\na,7,gold\nb,8,\nc,,basic\nd,9,gold\n"
KEYS = ["a", "b", "c", "d", "e"]
DAY = clock.DAY
START = clock.to_micros(clock.parse_moment("2025-01-01"))


def moment(micros):
    return clock.from_micros(micros).isoformat()


def made(seed):
    """Return rows (who, time, known, amount, channel, ok) and (county, time, temp), some late, with nulls and ties."""
    lottery = random.Random(seed)
    rows = []
    for _ in range(120):
        time = START + lottery.randrange(0, 90 * 24) * clock.HOUR
        late = lottery.choice([0, 0, 0, 3, 200]) * clock.HOUR
        amount = lottery.choice([None, lottery.randrange(-8, 40) / 4, 2.0**-30, 0.1 * lottery.randrange(9)])
        channel = lottery.choice([None, "web", "shop", "a phone"])
        rows.append((lottery.choice("aabbcd"), time, time + late, amount, channel, lottery.choice([None, True, False])))
    temps = [
        (str(lottery.choice([7, 8])), START + lottery.randrange(0, 90 * 24) * clock.HOUR, lottery.uniform(-9, 30))
        for _ in range(60)
    ]
    return rows, temps


def text(value):
    return "" if value is None else repr(value) if isinstance(value, float) else str(value).lower()


def written(desk, rows, temps, part=1):
    lines = [f"{who},{moment(time)},{moment(known)},{','.join(map(text, rest))}" for who, time, known, *rest in rows]
    desk.write(f"visits_{part}.csv", "\n".join(["who,at,noticed,amount,channel,ok", *lines]) + "\n")
    lines = [f"{county},{moment(time)},{temp!r}" for county, time, temp in temps]
    desk.write(f"weather_{part}.csv", "\n".join(["county,at,temp", *lines]) + "\n")
    desk.write("people.csv", PEOPLE)
    desk.ingest(visits, weather, people)


def seen(rows, who, t, days, ago=0):
    """Return the rows of an entity in [t - days, t), moved `ago` days back, known before t; by time, then arrival."""
    own = [row for row in rows if row[0] == who and t - (days + ago) * DAY <= row[1] < t - ago * DAY and row[2] < t]
    return sorted(own, key=lambda row: row[1])


def naive(function, values, times, t):
    """Return an aggregate of the non-null values."""
    if function in ("count", "sum"):
        return len(values) if function == "count" else math.fsum(values)
    if not values or (function in ("std", "var", "trend") and len(values) < 2):
        return math.nan
    ages = [(t - time) / DAY for time in times]
    counts = Counter(values)
    weights = [2 ** (-age / 7) for age in ages]
    return {
        "mean": lambda: math.fsum(values) / len(values),
        "min": lambda: min(values),
        "max": lambda: max(values),
        "std": lambda: statistics.stdev(values),
        "var": lambda: statistics.variance(values),
        "first": lambda: values[0],
        "last": lambda: values[-1],
        "distinct": lambda: len(counts),
        "entropy": lambda: -sum(n / len(values) * math.log(n / len(values)) for n in counts.values()),
        "median": lambda: statistics.median(values),
        "quantile": lambda: float(np.quantile(values, 0.9)),
        "trend": lambda: np.polyfit(-np.array(ages), values, 1)[0] if len(set(times)) > 1 else math.nan,
        "ewm": lambda: math.fsum(map(math.prod, zip(values, weights, strict=True))) / math.fsum(weights),
        "time_since_last": lambda: ages[-1],
        "time_since_first": lambda: ages[0],
        "any": lambda: float(any(values)),
        "all": lambda: float(all(values)),
    }[function]()


NUMERIC = (
    "count", "sum", "mean", "min", "max", "std", "var", "first", "last", "distinct", "entropy", "median", "trend",
    "time_since_last", "time_since_first",
)  # fmt: skip
web = visits.channel == "web"
FEATURES = [
    *(getattr(visits.amount, function)(last="30d") for function in NUMERIC),
    *(getattr(visits.amount, function)(last="30d", where=web & (visits.amount > 1)) for function in NUMERIC),
    visits.amount.quantile(0.9, last="30d"), visits.amount.ewm("7d", last="30d"), visits.amount.ewm("2h"),
    visits.amount.last(), visits.amount.last(where=web), visits.time_since_last(where=~web), visits.amount.first(),
    visits.channel.distinct(last="30d"), visits.channel.entropy(last="30d"), visits.channel.share("web", last="30d"),
    visits.channel.count(last="30d"), visits.channel.time_since_last(),
    visits.ok.any(last="30d"), visits.ok.all(last="30d"), visits.ok.mean(last="30d"), visits.ok.share(True, last="30d"),
    visits.amount.sum(last="7d") - visits.amount.sum(last="7d").ago("7d"), visits.amount.mean(last="7d").ago("14d"),
    weather.temp.mean(last="30d", via=people.county), weather.count(last="30d", via=people.county),
    weather.temp.last(via=people.county),
    visits.amount.mean(last="30d").fill(-1), visits.amount.sum(last="30d").clip(0, 5), visits.amount.sum(last="9d").log1p(),
    visits.amount.max(last="30d", where=col("channel").is_in(["web", "shop"])),
    people.plan.fill("none").named("plan_or_none"), people.plan,
    Input("basket", Float(), past=visits.amount.last()),
    Calendar("month").cyclic(), Calendar("quarter"), Holiday("GB", "ENG", zone="Europe/London"),
]  # fmt: skip


def model(*features):
    return Model(
        "visits_next",
        observe=Every("1 week", of=visits),
        features=[*FEATURES, *features],
        target=visits.count(next="7d") == 0,
    )


def observed(moments):
    t = np.tile(np.array(moments, np.int64), len(KEYS))
    return Observations(np.array(KEYS, object), np.arange(len(KEYS) + 1) * len(moments), t)


MOMENTS = [START + days * DAY + 1 for days in (1, 20, 31, 60, 91, 120)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_aggregate_is_what_naive_python_says(desk, seed):
    rows, temps = made(seed)
    written(desk, rows, temps)
    found = compute(model().inputs(), desk.snapshot(visits, weather, people, as_of="2026-01-01"), observed(MOMENTS))
    counties = {"a": "7", "b": "8", "d": "9"}
    for place, (who, t) in enumerate((who, t) for who in KEYS for t in MOMENTS):
        window = seen(rows, who, t, 30)
        for suffix, kept in (
            ("", [row for row in window if row[3] is not None]),
            (
                "_where_channel_eq_web_and_amount_gt_1",
                [row for row in window if row[4] == "web" and row[3] is not None and row[3] > 1],
            ),
        ):
            values, times = [row[3] for row in kept], [row[1] for row in kept]
            for function in NUMERIC:
                got = found[f"visits_amount_{function}_30d{suffix}"][place]
                same = got == pytest.approx(naive(function, values, times, t), rel=1e-9, abs=1e-9, nan_ok=True)
                assert same, (function, suffix, who)
        values, times = zip(*([(r[3], r[1]) for r in window if r[3] is not None] or [((), ())]), strict=True)
        values, times = (() if values == ((),) else values), times
        for name, function in (("quantile_0p9_30d", "quantile"), ("ewm_7d_30d", "ewm")):
            expected = naive(function, list(values), list(times), t)
            assert found[f"visits_amount_{name}"][place] == pytest.approx(expected, rel=1e-9, nan_ok=True)
        oks = [row[5] for row in window if row[5] is not None]
        channels = [row[4] for row in window if row[4] is not None]
        assert same_number(found["visits_ok_any_30d"][place], naive("any", oks, [], t) if oks else math.nan)
        assert same_number(found["visits_ok_all_30d"][place], float(all(oks)) if oks else math.nan)
        assert same_number(found["visits_channel_distinct_30d"][place], len(set(channels)) if channels else math.nan)
        share = channels.count("web") / len(channels) if channels else math.nan
        assert same_number(found["visits_channel_share_web_30d"][place], share)
        near, far = (seen(rows, who, t, 7, ago) for ago in (0, 7))
        difference = [math.fsum(row[3] for row in one if row[3] is not None) for one in (near, far)]
        name = "visits_amount_sum_7d_minus_visits_amount_sum_7d_ago_7d"
        assert same_number(found[name][place], difference[0] - difference[1])
        county = counties.get(who)
        own = [row[2] for row in temps if row[0] == county and t - 30 * DAY <= row[1] < t]
        assert same_number(found["weather_count_30d_via_people_county"][place], len(own) if county else math.nan)
        expected = math.fsum(own) / len(own) if own else math.nan
        assert same_number(found["weather_temp_mean_30d_via_people_county"][place], expected)
        filled = found["visits_amount_mean_30d_fill_minus_1"][place]
        assert filled == pytest.approx(naive("mean", list(values), [], t) if values else -1)
    assert set(found["plan_or_none"]) == {"gold", "none", "basic"}


def same_number(got, expected):
    return got == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("until", [START + 40 * DAY, START + 90 * DAY])
def test_every_word_is_the_same_online_and_offline(desk, tmp_path, seed, until):
    rows, temps = made(seed)
    # what had happened by `until` is in the lake and published, known or not; what happens later comes by request
    written(desk, [row for row in rows if row[1] < until], [temp for temp in temps if temp[1] < until])
    store = SQLiteStore(tmp_path / "online.db")
    publish([model()], desk.snapshot(visits, weather, people, as_of=moment(until)), store)
    later = [row for row in rows if row[1] >= until], [temp for temp in temps if temp[1] >= until]
    for who, time, known, amount, channel, ok in later[0]:
        raw = {"who": who, "at": moment(time), "noticed": moment(known), "amount": amount, "channel": channel, "ok": ok}
        store.append(visits, check_row(visits, {key: value for key, value in raw.items() if value is not None}))
    for county, time, temp in later[1]:
        store.append(weather, check_row(weather, {"county": county, "at": moment(time), "temp": temp}))
    written(desk, *later, part=2)
    whole, online = desk.snapshot(visits, weather, people, as_of="2026-01-01"), OnlineFeatures(model(), store)
    for t in (until + 3 * clock.HOUR, START + 95 * DAY + 7):
        offline = compute(model().inputs(), whole, observed([t]))
        for place, who in enumerate(KEYS):
            got = online.features(who, t).values()
            for name, values in offline.items():
                expected = values[place]
                assert got[name] == (None if expected is None or expected != expected else expected), (who, name)
    store.close()


def test_a_request_may_send_what_only_it_knows(desk, tmp_path):
    written(desk, *made(1))
    store = SQLiteStore(tmp_path / "online.db")
    publish([model()], desk.snapshot(visits, weather, people, as_of="2026-01-01"), store)
    online, t = OnlineFeatures(model(), store), START + 300 * DAY
    past = online.features("a", t).values()
    sent = online.features("a", t, {"basket": 12.5}).values()
    assert past["basket"] == past["visits_amount_last"] != 12.5
    assert sent == {**past, "basket": 12.5}
    store.close()


def test_a_cyclic_part_puts_december_beside_january():
    from keepfit.kernel.calendar import of_moment
    from keepfit.kernel.evaluate import evaluate

    t = np.array([clock.to_micros(clock.parse_moment(f"2025-{month:02}-15")) for month in (1, 6, 12)])
    part = Calendar("month")
    leaves = {"month": of_moment(part, t)}
    january, june, december = zip(*(evaluate(side, leaves) for side in part.cyclic()), strict=True)
    assert math.dist(january, december) < math.dist(january, june)


def test_a_holiday_is_one_of_the_date_in_its_zone():
    from keepfit.kernel.calendar import of_moment

    t = np.array([clock.to_micros(clock.parse_moment(text)) for text in ("2025-12-25T12:00Z", "2025-12-24T23:30Z")])
    assert of_moment(Holiday("GB", zone="Europe/London"), t).tolist() == [1, 0]
    assert of_moment(Holiday("DE", zone="Europe/Berlin"), t).tolist() == [1, 1]
