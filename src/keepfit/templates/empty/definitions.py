"""What the project has, what it predicts, and how good that must stay. `keepfit check` says what is missing."""

from keepfit import Events, Every, Files, Float, Gate, Model, Policy, when

# a table of rows that happen at a time; put its files into data/
sales = Events("sales", Files("sales_*.csv"), entity="customer_id", time="sold_at", columns={"amount": Float(min=0)})

churn = Model(
    "churn",
    observe=Every("1 month", of=sales, active=sales.within("90d")),
    features=[sales.amount.sum(last=["30d", "90d"]), sales.count(last=["30d", "90d"]), sales.time_since_last()],
    target=sales.count(next="30d") == 0,
    metric="auc",
    gates=[Gate("auc", threshold=0.7), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.drift() | when.older_than("90d")),
)
