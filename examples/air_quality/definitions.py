"""How much fine dust will there be at a station in Beijing six hours from now? See README.md."""

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
    XGBoost,
    when,
)

ZONE = "Asia/Shanghai"

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
        "no2": Float(min=0, source="NO2", unit="ug/m3"),
        "temp": Float(source="TEMP", unit="degree C"),
        "pressure": Float(source="PRES", unit="hPa"),
        "dew": Float(source="DEWP", unit="degree C"),
        "rain": Float(min=0, source="RAIN", unit="mm"),
        "wind": Float(min=0, source="WSPM", unit="m/s"),
        "direction": Category(source="wd"),
    },
    sentinels=("NA",),
    quiet="2d",
)

pm25 = air.pm25
northerly = air.direction.is_in(["N", "NNE", "NNW", "NE", "NW"])

dust = Model(
    "dust",
    observe=EachRow(of=air),
    features=[
        pm25.last(last="3h"),
        [pm25.lag(hours, tolerance="1h") for hours in ("1h", "6h", "24h", "168h")],
        pm25.mean(last=["3h", "24h", "7d", "30d"]),
        pm25.max(last="24h"),
        pm25.std(last="24h"),
        pm25.quantile(0.9, last="7d"),
        pm25.trend(last=["6h", "24h"]),
        pm25.ewm("6h"),
        pm25.mean(last="24h") / pm25.mean(last="24h").ago("24h"),
        air.pm10.mean(last="24h"),
        air.no2.mean(last="24h"),
        air.temp.mean(last=["3h", "24h"]),
        air.pressure.trend(last="24h"),
        air.dew.last(last="3h"),
        air.rain.sum(last="24h").log1p(),
        air.wind.mean(last=["3h", "24h"]),
        air.wind.mean(last="24h", where=northerly).fill(0),
        air.count(last="24h", by="direction", top=4),
        air.direction.entropy(last="24h"),
        Input("wind_forecast", Float(min=0), past=air.wind.mean(last="6h")),
        Calendar("hour", zone=ZONE).cyclic(),
        Calendar("day_of_year", zone=ZONE).cyclic(),
        Calendar("weekday", zone=ZONE),
        Holiday("CN", zone=ZONE),
    ],
    target=pm25.at("6h", tolerance="1h"),
    estimator=XGBoost(max_depth=5),
    metric="rmse",
    gates=[Gate("r2", threshold=0.3), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.older_than("90d"), cooldown="28d"),
)
