"""How much fine dust will there be at a station in six hours?"""

from keepfit import Calendar, Events, Every, Files, Float, Gate, Model, Policy, Time, Training, XGBoost, when

readings = Events("readings", Files("readings_*.csv"), entity="station", time="measured_at", known="received_at",
                  columns={"received_at": Time(), "pm25": Float(min=0, unit="ug/m3"), "temp": Float(unit="degree C"),
                           "pressure": Float(min=800, max=1200, unit="hPa"), "wind": Float(min=0, unit="m/s")},
                  quiet="2d")

dust = Model(
    "dust",
    observe=Every("6 hours", of=readings),
    features=[
        readings.pm25.last(last="3h"),
        readings.pm25.mean(last=["3h", "6h", "24h", "7d"]),
        readings.pm25.lag("18h", tolerance="2h"),
        readings.pm25.trend(last="6h"),
        readings.wind.last(last="3h"),
        readings.wind.mean(last=["6h", "24h"]),
        readings.temp.last(last="3h"),
        readings.pressure.last(last="3h"),
        Calendar("hour").cyclic(),
        Calendar("weekday"),
        Calendar("day_of_year").cyclic(),
    ],
    target=readings.pm25.at("6h", tolerance="1h"),
    estimator=XGBoost(max_depth=4),
    metric="mae",
    training=Training(test="60d"),
    gates=[Gate("r2", threshold=0.1), Gate.not_worse_than_champion(margin=1.0)],
    policy=Policy(retrain=when.drift() | when.older_than("180d"), cooldown="28d"),
)
