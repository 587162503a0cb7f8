"""Which bridges will be rated lower at their next inspection?"""

from keepfit import Category, EachRow, Events, Files, Float, Gate, Integer, Model, Policy, Records, Watch, XGBoost, when

bridges = Records("bridges", Files("bridges.csv"), entity="bridge_id", columns={"material": Category()})
inspections = Events("inspections", Files("inspections_*.csv"), entity="bridge_id", time="inspected_at",
                     columns={"deck": Integer(min=0, max=9), "traffic": Float(min=0, unit="vehicles/day"),
                              "corrosion": Float(min=0, unit="mm"), "age": Float(min=0, unit="years")},
                     quiet="62d")

decay = Model(
    "decay",
    observe=EachRow(of=inspections),
    features=[
        inspections.deck.last(),
        inspections.deck.mean(last="1900d"),
        inspections.traffic.last(),
        inspections.corrosion.last(),
        inspections.age.last(),
        bridges.material,
    ],
    target=(inspections.deck.last() - inspections.deck.first(next="800d") > 0).named("rated_lower"),
    estimator=XGBoost(max_depth=3),
    metric="auc",
    gates=[Gate("auc", threshold=0.6), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.metric_below("auc", 0.6) | when.drift() | when.older_than("730d"), cooldown="180d"),
    watch=Watch(every="1 month"),    # a day has few inspections, and nothing can be told of two rows
)
