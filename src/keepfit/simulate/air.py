"""Air at stations of a town: hourly readings with seasons, weekdays and a memory, and the fine dust in six hours.

Each station has three hidden states that forget slowly (autoregressive of order 1): stillness of its own, wind, weather.
The logarithm of the dust is a level, the season, the weekday, the hour, the station, the stillness, and the wind times its
effect. So what can be known of the dust six hours ahead is known exactly: given all of the past its logarithm is normal with
the variance that the states gain in six hours, and its median is the best forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from keepfit.simulate.drift import Knobs
from keepfit.simulate.frame import Frame, decimals, iso
from keepfit.simulate.world import Floats, Month, Setting, World, stamp_of

HOUR, DAY, YEAR = 3600, 86_400, 365.25 * 86_400
AHEAD_HOURS = 6
RECEIVED_AFTER = 300  # seconds from a reading to its receipt

STILLNESS, WIND, WEATHER, PRESSURE = range(4)
MEMORY = np.array([[0.95], [0.90], [0.97], [0.99]])  # of each state, from hour to hour; stationary variance 1
LEVEL, SEASON, WEEKEND, RUSH, STATION = 3.6, 0.45, -0.15, 0.15, 0.2  # of log ug/m3; STATION is a standard deviation
STILL_EFFECT, WIND_EFFECT = 0.45, -0.35  # log ug/m3 per standard deviation
TEMP_MEAN, TEMP_SEASON, TEMP_HOUR, TEMP_WEATHER = 12.0, 13.0, 5.0, 3.0  # degree C
TEMP_SD = math.sqrt(TEMP_SEASON**2 / 2 + TEMP_HOUR**2 / 2 + TEMP_WEATHER**2)
WIND_MEDIAN, WIND_SPREAD = 2.2, 0.5  # m/s, standard deviation of its logarithm
PRESSURE_MEAN, PRESSURE_SD = 1013.0, 8.0  # hPa
DUST_SD = math.sqrt(SEASON**2 / 2 + WEEKEND**2 * 10 / 49 + RUSH**2 / 2 + STATION**2 + STILL_EFFECT**2 + WIND_EFFECT**2)

KNOBS = Knobs(
    covariates={
        "wind": "standard deviations of its logarithm",
        "temp": "standard deviations",
        "pressure": "standard deviations",
    },
    label="pm25",
    prior="standard deviations of its logarithm",
    effects={
        "wind": "log ug/m3 per standard deviation of the wind's logarithm",
        "temp": "log ug/m3 per standard deviation",
    },
)


def live(setting: Setting) -> Iterator[Month]:
    """Yield the months in order; states go on from one to the next."""
    edges = setting.months()
    stations = max(1, round(setting.rows * HOUR / (edges[-1] - edges[0])))
    draw = setting.stream("stations")
    level = draw.normal(0.0, STATION, stations)
    state = draw.standard_normal((len(MEMORY), stations))
    names = [f"S{i + 1:04d}" for i in range(stations)]
    for start, end in pairwise(edges):
        hours = np.arange(start, end, HOUR)
        states = _remember(state, setting.stream("air", start), len(hours))
        state = states[:, -1]
        yield _month(setting, start, hours, states, level, names)


def best_mae(mean: float, spread: float) -> float:
    """Return the mean absolute error of the median of lognormal values, of this mean and spread (sd of the logarithm).

    E|X - m| of X = m exp(s Z) is m exp(s^2 / 2) erf(s / sqrt 2), and m exp(s^2 / 2) is the mean of X.

    Examples
    --------
    >>> round(best_mae(10.0, 0.5), 3)
    3.829
    """
    return mean * math.erf(spread / math.sqrt(2.0))


def _remember(state: Floats, draw: np.random.Generator, hours: int) -> Floats:
    """Return the states [state, hour, station] of the next hours: a share of the last one, and a shock."""
    states = draw.standard_normal((len(MEMORY), hours, state.shape[1]))
    states *= np.sqrt(1.0 - MEMORY**2)[:, None]
    for hour in range(hours):
        states[:, hour] += MEMORY * (state if hour == 0 else states[:, hour - 1])
    return states


def _month(
    setting: Setting, start: int, hours: NDArray[np.int64], states: Floats, level: Floats, names: list[str]
) -> Month:
    at = hours[:, None]
    year, day = 2 * np.pi * (at % YEAR) / YEAR, 2 * np.pi * (at % DAY) / DAY
    temp = TEMP_MEAN - TEMP_SEASON * np.cos(year) - TEMP_HOUR * np.cos(day) + TEMP_WEATHER * states[WEATHER]
    temp = temp + TEMP_SD * setting.moved("temp", at)
    gale = states[WIND] + setting.moved("wind", at)
    blown, warmed = WIND_EFFECT + setting.effect("wind", at), setting.effect("temp", at)
    weekend = (at // DAY + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    dust = LEVEL + SEASON * np.cos(year) + WEEKEND * weekend - RUSH * np.cos(2 * day) + level
    dust = dust + STILL_EFFECT * states[STILLNESS] + blown * gale + warmed * (temp - TEMP_MEAN) / TEMP_SD
    dust = np.exp(dust + DUST_SD * setting.rate(at))
    arrays = {
        "pm25": dust.ravel(),
        "temp": temp.ravel(),
        "pressure": (PRESSURE_MEAN + PRESSURE_SD * (states[PRESSURE] + setting.moved("pressure", at))).ravel(),
        "wind": (WIND_MEDIAN * np.exp(WIND_SPREAD * gale)).ravel(),
    }
    gained = 1.0 - MEMORY[:, 0] ** (2 * AHEAD_HOURS)
    variance = STILL_EFFECT**2 * gained[STILLNESS] + blown**2 * gained[WIND]
    variance = variance + (warmed * TEMP_WEATHER / TEMP_SD) ** 2 * gained[WEATHER]
    mean, spread = float(dust.mean()), float(np.sqrt(variance).mean())
    truth = {stamp_of(start): {"mean": mean, "bayes_mae": best_mae(mean, spread)}}
    return Month((_readings(start, hours, names, arrays),), arrays, truth)


def _readings(start: int, hours: NDArray[np.int64], names: list[str], arrays: dict[str, Floats]) -> Frame:
    columns = {
        "station": names * len(hours),
        "measured_at": [text for text in iso(hours) for _ in names],
        "received_at": [text for text in iso(hours + RECEIVED_AFTER) for _ in names],
        **{name: decimals(values, 1) for name, values in arrays.items()},
    }
    return Frame("readings", stamp_of(start, "_"), columns, "station", received="received_at")


WORLD = World(
    name="air",
    knobs=KNOBS,
    main="readings",
    columns=("pm25", "temp", "pressure", "wind"),
    labels=(),
    rows=100_000,
    months=24,
    settled="""settled = Events("settled", Files("readings_*.csv"), entity="station", time="measured_at", known_after="DELAY",
                 columns={"pm25": Float(min=0, unit="ug/m3")}, quiet="2d")""",
    awaited="readings.pm25.at(",
    once=lambda setting: (),
    live=live,
)
