"""Which customers of a UK gift-ware wholesaler will buy nothing in the next 30 days? See README.md."""

from keepfit import Events, Every, Files, Float, Gate, Integer, Model, Policy, Text, XGBoost, col, when

cancelled = col("InvoiceNo").startswith("C")
amount = col("Quantity") * col("UnitPrice")

sales = Events(
    "sales",
    Files("online_retail_*.csv.gz"),
    entity="CustomerID",
    time="InvoiceDate",
    zone="Europe/London",
    columns={
        "CustomerID": Integer(),
        "InvoiceNo": Text(nullable=False),
        "Quantity": Integer(nullable=False),
        "UnitPrice": Float(nullable=False),
    },
    derive={
        "cancelled": cancelled,
        "amount": amount,
        # null on a cancellation, because a division by zero is null: counts, sums and times of it see purchases only
        "spent": amount / (1 - cancelled),
    },
    quiet="4d",
)

churn = Model(
    "churn",
    observe=Every("1 month", of=sales, active=sales.spent.count(last="90d") > 0),
    features=[
        sales.spent.time_since_last(),
        sales.spent.count(last=["30d", "60d", "90d"]),
        sales.spent.count().named("sales_spent_count_ever"),
        sales.spent.sum(last=["30d", "90d"]),
        sales.spent.mean(last="90d"),
        sales.cancelled.sum(last="90d"),
    ],
    target=sales.spent.count(next="30d") == 0,
    estimator=XGBoost(),
    metric="f1",
    gates=[Gate("auc", threshold=0.70), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.metric_below("auc", 0.65) | when.drift() | when.older_than("90d"), cooldown="28d"),
)
