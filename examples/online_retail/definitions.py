"""Which customers of a UK gift-ware wholesaler will buy nothing in the next 30 days? See README.md."""

from itertools import pairwise

from keepfit import (
    Category,
    Events,
    Every,
    Files,
    Float,
    Gate,
    Integer,
    Key,
    Model,
    Policy,
    Text,
    Training,
    XGBoost,
    col,
    when,
)
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
        "price": col("UnitPrice") / (1 - cancelled),
        "domestic": (col("Country") == "United Kingdom") * 1,
    },
    # the same line twice is the same line: an order of two pieces says 2
    key=Key(duplicates="first"),
    quiet="4d",
)

purchases = sales.cancelled == 0


def by_week(weeks: int) -> list[Expression]:
    """Return the lines bought in each of the last weeks, the newest first."""
    until = [sales.spent.count(last=f"{7 * week}d") for week in range(1, weeks + 1)]
    return [until[0], *(longer - shorter for shorter, longer in pairwise(until))]


def weeks_bought(weeks: int) -> Expression:
    """In how many of the last `weeks` weeks there was a purchase: a customer's rhythm, whatever the size of the orders."""
    return sum(lines > 0 for lines in by_week(weeks)).named(f"weeks_bought_{weeks}w")


def rhythm(half_life: int) -> Expression:
    """The same of a year, each week weighted by half for every `half_life` weeks that it lies back."""
    weeks = enumerate(by_week(52))
    return sum((lines > 0) * 0.5 ** (week / half_life) for week, lines in weeks).named(f"rhythm_{half_life}w")


idle, tenure = sales.spent.time_since_last(), sales.spent.time_since_first()
orders, lines, spent = sales.InvoiceNo.distinct(where=purchases), sales.spent.count(), sales.spent.sum()
gap = (tenure - idle) / (orders - 1)
articles = sales.StockCode.distinct(where=purchases)

churn = Model(
    "churn",
    observe=Every("1 month", of=sales, active=sales.spent.count(last="90d") > 0),
    features=[
        # recency, frequency, monetary value; each now and ever
        idle.named("idle_days"),
        tenure.named("tenure_days"),
        sales.InvoiceNo.distinct(last="30d", where=purchases).named("orders_30d"),
        sales.InvoiceNo.distinct(last="90d", where=purchases).named("orders_90d"),
        orders.named("orders_ever"),
        sales.spent.count(last="90d").named("lines_90d"),
        lines.named("lines_ever"),
        sales.spent.sum(last="90d").named("spent_90d"),
        spent.named("spent_ever"),
        # rhythm: how regularly, and whether the next order is overdue
        [weeks_bought(weeks) for weeks in (4, 8, 13, 26, 52)],
        [rhythm(half_life) for half_life in (8, 26)],
        (weeks_bought(52) / (tenure / 7).clip(1, 52)).named("weeks_bought_share"),
        gap.named("mean_gap_days"),
        (idle / gap).named("overdue"),
        (sales.spent.time_since_first(last="14d") - sales.spent.time_since_last(last="14d")).named("burst_days"),
        # what they buy: size, breadth and price of the orders, what came back
        (spent / orders).named("spent_per_order"),
        sales.StockCode.distinct(last="90d", where=purchases).named("articles_90d"),
        (articles / lines).named("articles_per_line"),
        sales.price.median().named("price_median"),
        sales.cancelled.sum().named("cancelled_ever"),
        sales.domestic.last().named("domestic"),
    ],
    target=sales.spent.count(next="30d") == 0,
    estimator=XGBoost(max_depth=2, min_child_weight=20, subsample=0.7, colsample_bytree=0.5),
    metric="auc",
    training=Training(folds=4),
    gates=[Gate("auc", threshold=0.70), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.metric_below("auc", 0.68) | when.older_than("90d"), cooldown="28d"),
)
