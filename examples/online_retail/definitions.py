"""Which customers of a UK gift-ware wholesaler will buy nothing in the next 30 days? See README.md."""

from itertools import pairwise

from keepfit import Category, Events, Every, Files, Float, Gate, Integer, Key, Model, Policy, Text, XGBoost, col, when
from keepfit.spec.features import Expression

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
        "StockCode": Text(),
        "Description": Text(),
        "Quantity": Integer(nullable=False),
        "UnitPrice": Float(nullable=False, unit="GBP"),
        "Country": Category(),
    },
    derive={
        "cancelled": cancelled,
        "amount": amount,
        # null on a cancellation, because a division by zero is null: counts, sums and times of it see purchases only
        "spent": amount / (1 - cancelled),
    },
    # the same line twice is the same line: an order of two pieces says 2
    key=Key(duplicates="first"),
    quiet="4d",
)


def weeks_bought(weeks: int) -> Expression:
    """In how many of the last `weeks` weeks there was a purchase: a customer's rhythm, whatever the size of the orders."""
    until = [sales.spent.count(last=f"{7 * week}d") for week in range(1, weeks + 1)]
    in_week = [until[0], *(longer - shorter for shorter, longer in pairwise(until))]
    return sum(count > 0 for count in in_week).named(f"weeks_bought_{weeks}w")


churn = Model(
    "churn",
    observe=Every("1 month", of=sales, active=sales.spent.count(last="90d") > 0),
    features=[
        sales.spent.time_since_last(),
        sales.spent.count(last=["30d", "90d"]),
        sales.spent.count().named("sales_spent_count_ever"),
        sales.spent.sum(last="90d"),
        sales.cancelled.sum(last="90d"),
        weeks_bought(13),
        weeks_bought(52),
    ],
    target=sales.spent.count(next="30d") == 0,
    estimator=XGBoost(),
    metric="auc",
    gates=[Gate("auc", threshold=0.70), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.metric_below("auc", 0.68) | when.older_than("90d"), cooldown="28d"),
)
