"""Which bridges of Massachusetts will be rated lower in next year's inventory? See README.md."""

from keepfit import (
    Category,
    EachRow,
    Events,
    Files,
    Float,
    Gate,
    Integer,
    Key,
    Model,
    Policy,
    Text,
    Time,
    XGBoost,
    col,
    when,
)


def rating() -> Integer:
    """Return a column of ratings: 9 is excellent, 0 is failed, empty does not apply."""
    return Integer(min=0, max=9)


def year(header: str) -> Integer:
    """Return a column of years; 0 is unknown, or never."""
    return Integer(source=header, min=1600, max=2100, sentinels=(0,))


age, since_rebuilt = col("year") - col("built"), col("year") - col("rebuilt")

bridges = Events(
    "bridges",
    Files("ma_bridge_condition_*.csv.gz"),
    entity="bridgeID",
    time="data_year",
    # the inventory of a year is due at the federal agency in spring
    known_after="90d",
    zone="America/New_York",
    columns={
        "bridgeID": Text(pattern="[A-Z][0-9]{4}[0-9A-Z]"),
        "data_year": Time(format="%Y"),
        "year": Integer(source="data_year"),
        "built": year("year_built"),
        "rebuilt": year("year_rebuilt"),
        "deck": rating(),
        "superstructure": rating(),
        "substructure": rating(),
        "culvert": rating(),
        # rows without it are padding: the bridge was not rated yet, or no longer
        "min_health": Integer(min=0, max=9, nullable=False),
        # 0 is "not computed" until 2004
        "health_index": Float(source="total_health_index", sentinels=(0, -1), max=1.2),
        "area": Float(min=0, unit="m2", sentinels=(0,)),
        "nhs": Integer(source="national_highway_system", min=0, max=1),
        "town": Category(),
    },
    derive={
        # a division by zero is null: some years lie in the future of their row
        "age": age / (age >= 0),
        "since_rebuilt": since_rebuilt / (since_rebuilt >= 0),
    },
    key=Key("bridgeID", "data_year"),
    # one row a year
    quiet="400d",
)

worst = bridges.min_health

decay = Model(
    "decay",
    observe=EachRow(of=bridges),
    features=[
        worst.last(),
        bridges.deck.last(last="300d"),
        bridges.superstructure.last(last="300d"),
        bridges.substructure.last(last="300d"),
        bridges.culvert.last(last="300d"),
        bridges.health_index.last(last="300d"),
        (worst.last() - worst.lag("365d", tolerance="120d")).named("change_1y"),
        worst.mean(last="1900d"),
        worst.std(last="3700d"),
        worst.max(last="3700d"),
        bridges.health_index.trend(last="1900d"),
        bridges.age.last(),
        bridges.since_rebuilt.last(),
        bridges.area.last(),
        bridges.nhs.last(),
    ],
    target=worst.drop(next="365d", by=0),
    estimator=XGBoost(max_depth=4),
    metric="auc",
    gates=[Gate("auc", threshold=0.6), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.older_than("365d"), cooldown="300d"),
)
