"""How much fine dust will there be at a station in India tomorrow: on average, and at this hour? See README.md."""

from keepfit import (
    Calendar,
    Category,
    EachRow,
    Events,
    Every,
    Evolution,
    Expect,
    Files,
    Float,
    Gate,
    Integer,
    Key,
    Model,
    Policy,
    Records,
    Text,
    Time,
    Training,
    XGBoost,
    col,
    when,
)

ZONE = "Asia/Kolkata"
# what a broken instrument, or one at the end of its range, writes instead of a concentration
FAULTS = (985, 999.99, 1000)

stations = Records(
    "stations",
    Files("stations_info.csv"),
    entity="station",
    columns={
        "station": Category(source="file_name", pattern="[A-Z]{2}[0-9]{3}"),
        "state": Category(),
        "city": Category(),
        "agency": Category(),
        "place": Text(source="station_location"),
        "since": Integer(source="start_year", min=1990),
    },
    key=Key("station"),
)


def dust(header: str) -> Float:
    """Return a column of concentrations by its header without the unit, which a few files leave out."""
    return Float(source=f"{header} (ug/m3)", aliases=[f"{header} ()"], unit="ug/m3", min=0, sentinels=FAULTS)


air = Events(
    "air",
    Files("{station}.csv.gz"),
    entity="station",
    time="from",
    known="to",
    zone=ZONE,
    columns={
        "station": Category(pattern="[A-Z]{2}[0-9]{3}"),
        "from": Time(source="From Date"),
        "to": Time(source="To Date"),
        "pm25": dust("PM2.5"),
        "pm10": dust("PM10"),
        "no": dust("NO"),
        "no2": dust("NO2"),
        "nh3": dust("NH3"),
        "so2": dust("SO2"),
        "ozone": dust("Ozone"),
        "benzene": dust("Benzene"),
        "nox": Float(source="NOx (ppb)", unit="ppb", min=0),
        "co": Float(source="CO (mg/m3)", unit="mg/m3", min=0),
        "humidity": Float(source="RH (%)", aliases=["RH ()"], unit="%", min=0, max=100),
        "temp": Float(source="AT (degree C)", unit="degree C", min=-30, max=60),
        "wind": Float(source="WS (m/s)", unit="m/s", min=0),
        "direction": Float(source="WD (degree)", unit="degree", min=0, max=360),
        "sun": Float(source="SR (W/mt2)", unit="W/m2", min=0),
        "pressure_raw": Float(source="BP (mmHg)", min=600, max=1100),
        "rain": Float(source="RF (mm)", aliases=["RF ()"], unit="mm", min=0),
    },
    # no place of these stations has less than 600 or more than 850 mmHg: what lies above is written in hPa
    derive={"pressure": col("pressure_raw") * (1 + (col("pressure_raw") < 850) * 0.33322)},
    key=Key("station", "from"),
    # every station measures something else
    evolution=Evolution(vanish="ignore"),
    expect=[Expect.valid(0.99), Expect.complete("pm25", 0.5, otherwise="warn")],
    quiet="2d",
)

pm25 = air.pm25

tomorrow = Model(
    "tomorrow",
    observe=Every("1 day", of=stations, active=pm25.count(last="24h") >= 12),
    features=[
        pm25.mean(last=["6h", "24h", "3d", "7d", "30d"]),
        pm25.max(last="24h"),
        pm25.std(last="24h"),
        pm25.trend(last=["24h", "7d"]),
        air.pm10.mean(last="24h"),
        air.no2.mean(last="24h"),
        air.co.mean(last="24h"),
        air.temp.mean(last="24h"),
        air.humidity.mean(last="24h"),
        air.wind.mean(last="24h"),
        air.rain.sum(last="24h"),
        air.pressure.trend(last="24h"),
        Calendar("day_of_year", zone=ZONE).cyclic(),
        Calendar("weekday", zone=ZONE),
        stations.state,
    ],
    target=pm25.mean(next="24h"),
    estimator=XGBoost(max_depth=4),
    metric="mae",
    gates=[Gate("r2", threshold=0.5), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.older_than("90d"), cooldown="28d"),
)

# a row is known an hour after it began, so lag("25h") is the same hour of the day before
next_day = Model(
    "dust_24h",
    observe=EachRow(of=air),
    features=[
        pm25.last(last="3h"),
        [pm25.lag(hours, tolerance="1h") for hours in ("2h", "3h", "6h", "12h", "25h", "49h", "169h")],
        pm25.mean(last=["3h", "6h", "12h", "24h", "3d", "7d", "30d"]),
        pm25.min(last="24h"),
        pm25.max(last="24h"),
        pm25.std(last="24h"),
        pm25.quantile(0.9, last="7d"),
        pm25.trend(last=["6h", "24h", "7d"]),
        pm25.mean(last="24h") / pm25.mean(last="24h").ago("24h"),
        air.pm10.mean(last=["3h", "24h"]),
        air.no2.mean(last="24h"),
        air.co.mean(last="24h"),
        air.ozone.mean(last="24h"),
        air.temp.mean(last=["3h", "24h"]),
        air.humidity.mean(last=["3h", "24h"]),
        air.wind.mean(last=["3h", "24h"]),
        air.sun.mean(last="24h"),
        air.rain.sum(last="24h"),
        air.pressure.trend(last="24h"),
        Calendar("hour", zone=ZONE).cyclic(),
        Calendar("day_of_year", zone=ZONE).cyclic(),
        Calendar("weekday", zone=ZONE),
        stations.state,
    ],
    target=pm25.at("24h", tolerance="1h"),
    estimator=XGBoost(max_depth=6, min_child_weight=50, subsample=0.6, colsample_bytree=0.5),
    metric="rmse",
    # a whole year, with the monsoon and the winter
    training=Training(test="365d"),
    gates=[Gate("r2", threshold=0.3), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.older_than("90d"), cooldown="28d"),
)
