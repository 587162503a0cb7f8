"""Maryland's bridges as the US inventory knew them in 2007 and 2017. No model: see README.md."""

from keepfit import Category, Csv, Events, Evolution, Expect, Files, Float, Integer, Key, Text, Time


def condition(header: str) -> Integer:
    """Return a rating: 9 is excellent, 0 is failed; N does not apply."""
    return Integer(source=header, min=0, max=9, sentinels=("N",))


def code(header: str) -> Category:
    """Return a coded item as the Recording and Coding Guide has it."""
    return Category(source=header)


inventory = Events(
    "inventory",
    # text stands between apostrophes
    Files("MD{year:%y}.txt.gz", format=Csv(quote="'")),
    entity="bridge",
    time="year",
    # the inventory of a year is due in spring
    known_after="90d",
    zone="America/New_York",
    columns={
        # blanks stand before it, and are no part of it
        "bridge": Text(source="STRUCTURE_NUMBER_008"),
        "year": Time(),
        # 1 is the road on the bridge; 2 and letters are roads below it
        "record": Category(source="RECORD_TYPE_005A", pattern="[12A-Z]", nullable=False),
        "deck": condition("DECK_COND_058"),
        "superstructure": condition("SUPERSTRUCTURE_COND_059"),
        "substructure": condition("SUBSTRUCTURE_COND_060"),
        "channel": condition("CHANNEL_COND_061"),
        "culvert": condition("CULVERT_COND_062"),
        "waterway": condition("WATERWAY_EVAL_071"),
        "scour": code("SCOUR_CRITICAL_113"),
        "material": code("STRUCTURE_KIND_043A"),
        "design": code("STRUCTURE_TYPE_043B"),
        "county": code("COUNTY_CODE_003"),
        "crosses": Text(source="FEATURES_DESC_006A"),
        "traffic": Integer(source="ADT_029", unit="vehicles/day", min=0),
        "trucks": Float(source="PERCENT_ADT_TRUCK_109", unit="%", min=0, max=100),
        "built": Integer(source="YEAR_BUILT_027", min=1700, max=2100),
        # 0 is never
        "rebuilt": Integer(source="YEAR_RECONSTRUCTED_106", min=1700, max=2100, sentinels=(0,)),
        "length": Float(source="STRUCTURE_LEN_MT_049", unit="m", min=0, sentinels=(0,)),
        "width": Float(source="DECK_WIDTH_MT_052", unit="m", min=0, sentinels=(0,)),
        # 99.9 is more than the guide's field can hold
        "capacity": Float(source="OPERATING_RATING_064", unit="t", min=0, sentinels=(99.9,)),
        "sufficiency": Float(source="SUFFICIENCY_RATING", min=0, max=100),
        # only the newer file has it
        "class": Category(source="CAT10", values=("G", "F", "P")),
    },
    # three bridges stand there twice, from two agencies
    key=Key("bridge", "year", "record", duplicates="first"),
    evolution=Evolution(vanish="ignore"),
    expect=[Expect.valid(0.99), Expect.complete("traffic", 0.95)],
    # one file a decade
    quiet="4000d",
)
