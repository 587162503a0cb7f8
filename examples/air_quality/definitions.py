"""How much fine dust will there be at a station in Beijing in one hour, in six, and in twenty-four? See README.md."""

from keepfit import (
    Calendar,
    Category,
    EachRow,
    Events,
    Files,
    Float,
    Gate,
    Holiday,
    Input,
    Model,
    Policy,
    Time,
    Training,
    XGBoost,
    col,
    when,
)

ZONE = "Asia/Shanghai"
NORTH = ["N", "NNE", "NNW", "NE", "NW"]

air = Events(
    "air",
    Files("PRSA_Data_*.csv.gz"),
    entity="station",
    time="measured_at",
    zone=ZONE,
    columns={
        "station": Category(),
        # the files split it: 2013, 3, 1, 0
        "measured_at": Time(source=("year", "month", "day", "hour"), format="%Y %m %d %H"),
        "pm25": Float(min=0, source="PM2.5", unit="ug/m3"),
        "pm10": Float(min=0, source="PM10", unit="ug/m3"),
        "so2": Float(min=0, source="SO2", unit="ug/m3"),
        "no2": Float(min=0, source="NO2", unit="ug/m3"),
        "co": Float(min=0, source="CO", unit="ug/m3"),
        "ozone": Float(min=0, source="O3", unit="ug/m3"),
        "temp": Float(source="TEMP", unit="degree C"),
        "pressure": Float(source="PRES", unit="hPa"),
        "dew": Float(source="DEWP", unit="degree C"),
        "rain": Float(min=0, source="RAIN", unit="mm"),
        "wind": Float(min=0, source="WSPM", unit="m/s"),
        "direction": Category(source="wd"),
    },
    derive={
        # how far the air is from being saturated: dust grows in damp air
        "dryness": col("temp") - col("dew"),
    },
    sentinels=("NA",),
    quiet="2d",
)

pm25 = air.pm25
# the wind from the mountains is clean
northerly = air.direction.is_in(NORTH)


def later(name: str, horizon: str, seasonal: str) -> Model:
    """Return the model of one horizon; `seasonal` ago it was the hour of the day that is asked for."""
    return Model(
        name,
        observe=EachRow(of=air),
        features=[
            pm25.last(last="3h"),
            [
                pm25.lag(hours, tolerance="1h")
                for hours in dict.fromkeys(["1h", "2h", "3h", "6h", "12h", seasonal, "24h"])
            ],
            pm25.mean(last=["3h", "6h", "12h", "24h", "3d", "7d", "30d"]),
            pm25.min(last="24h"),
            pm25.max(last="24h"),
            pm25.std(last="24h"),
            pm25.quantile(0.9, last="7d"),
            pm25.trend(last=["6h", "24h"]),
            pm25.ewm("6h"),
            pm25.mean(last="24h") / pm25.mean(last="24h").ago("24h"),
            air.pm10.mean(last=["3h", "24h"]),
            air.so2.mean(last="24h"),
            air.no2.mean(last=["3h", "24h"]),
            air.co.mean(last=["3h", "24h"]),
            air.ozone.mean(last=["3h", "24h"]),
            air.temp.mean(last=["3h", "24h"]),
            (air.temp.mean(last="6h") - air.temp.mean(last="6h").ago("24h")).named("warmer_than_yesterday"),
            air.pressure.mean(last="3h"),
            air.pressure.trend(last=["6h", "24h", "3d"]),
            air.dew.last(last="3h"),
            air.dew.trend(last="24h"),
            air.dryness.mean(last=["3h", "24h"]),
            air.rain.sum(last="24h").log1p(),
            air.wind.mean(last=["3h", "24h"]),
            [air.wind.mean(last=hours, where=northerly).fill(0) for hours in ("6h", "24h")],
            air.count(last="24h", by="direction", top=4),
            air.direction.entropy(last="24h"),
            Input("wind_forecast", Float(min=0), past=air.wind.mean(last="6h")),
            Calendar("hour", zone=ZONE).cyclic(),
            Calendar("day_of_year", zone=ZONE).cyclic(),
            Calendar("weekday", zone=ZONE),
            Holiday("CN", zone=ZONE),
        ],
        target=pm25.at(horizon, tolerance="1h"),
        estimator=XGBoost(max_depth=6, min_child_weight=50, subsample=0.6, colsample_bytree=0.5),
        metric="rmse",
        # smog has seasons: a model is judged on a whole year of them
        training=Training(test="365d"),
        gates=[Gate("r2", threshold=0.1), Gate.not_worse_than_champion()],
        policy=Policy(retrain=when.older_than("90d"), cooldown="28d"),
    )


next_hour = later("dust_1h", "1h", "23h")
dust = later("dust", "6h", "18h")
next_day = later("dust_24h", "24h", "24h")
