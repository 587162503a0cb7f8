"""Will a customer be unhappy with an order that has just been delivered? See README.md."""

from keepfit import (
    Calendar,
    Category,
    EachRow,
    Events,
    Files,
    Float,
    Gate,
    Integer,
    Key,
    Length,
    Lookup,
    Model,
    Policy,
    Records,
    Text,
    Time,
    XGBoost,
    col,
    when,
)

ZONE = "America/Sao_Paulo"
ID = "[0-9a-f]{32}"
person = Text(pattern=ID)

# a customer_id is one per order; the person is customer_unique_id
customers = Records(
    "customers",
    Files("olist_customers_dataset.csv"),
    entity="customer_id",
    columns={
        "customer_id": Text(pattern=ID),
        "customer_unique_id": person,
        "customer_state": Category(pattern="[A-Z]{2}"),
    },
    key=Key("customer_id"),
)

of_customer = Lookup(customers, on="customer_id", take=["customer_unique_id", "customer_state"])

orders = Events(
    "orders",
    Files("olist_orders_dataset.csv"),
    entity="customer_unique_id",
    time="order_purchase_timestamp",
    zone=ZONE,
    columns={
        "order_id": Text(pattern=ID, unique=True),
        "customer_id": Text(pattern=ID, nullable=False),
    },
    # order_status is that of the day of the export: a feature of it would know the future
    lookup=of_customer,
    quiet="60d",
)

# the same file once more, by the moments at which an order arrived and at which it was promised to
deliveries = Events(
    "deliveries",
    Files("olist_orders_dataset.csv"),
    entity="customer_unique_id",
    time="arrived",
    zone=ZONE,
    # an order that never arrived goes to quarantine
    columns={
        "customer_id": Text(pattern=ID, nullable=False),
        "arrived": Time(source="order_delivered_customer_date"),
    },
    lookup=of_customer,
    quiet="60d",
)
promises = Events(
    "promises",
    Files("olist_orders_dataset.csv"),
    entity="customer_unique_id",
    time="promised",
    known="ordered",
    zone=ZONE,
    columns={
        "customer_id": Text(pattern=ID, nullable=False),
        "promised": Time(source="order_estimated_delivery_date"),
        "ordered": Time(source="order_purchase_timestamp"),
    },
    lookup=of_customer,
    quiet="60d",
)

of_order = Lookup(orders, on="order_id", take=["customer_unique_id", "order_purchase_timestamp"])

items = Events(
    "items",
    Files("olist_order_items_dataset.csv"),
    entity="customer_unique_id",
    time="order_purchase_timestamp",
    zone=ZONE,
    columns={
        "order_id": Text(pattern=ID, nullable=False),
        "order_item_id": Integer(min=1, nullable=False),
        "seller_id": Text(pattern=ID),
        "price": Float(min=0, unit="BRL"),
        "freight": Float(min=0, unit="BRL", source="freight_value"),
    },
    key=Key("order_id", "order_item_id"),
    lookup=of_order,
    quiet="60d",
)

payments = Events(
    "payments",
    Files("olist_order_payments_dataset.csv"),
    entity="customer_unique_id",
    time="order_purchase_timestamp",
    zone=ZONE,
    columns={
        "order_id": Text(pattern=ID, nullable=False),
        "payment_sequential": Integer(min=1, nullable=False),
        "kind": Category(
            source="payment_type",
            values=("credit_card", "boleto", "voucher", "debit_card"),
            sentinels=("not_defined",),
        ),
        "instalments": Integer(source="payment_installments", min=0),
        "value": Float(source="payment_value", min=0, unit="BRL"),
    },
    key=Key("order_id", "payment_sequential"),
    lookup=of_order,
    quiet="60d",
)

message = col("message").lower()

reviews = Events(
    "reviews",
    Files("olist_order_reviews_dataset.csv"),
    entity="customer_unique_id",
    # the score stands when the customer has answered
    time="review_answer_timestamp",
    zone=ZONE,
    columns={
        "review_id": Text(pattern=ID, nullable=False),
        "order_id": Text(pattern=ID, nullable=False),
        "score": Integer(source="review_score", min=1, max=5, nullable=False),
        "title": Text(source="review_comment_title"),
        "message": Text(source="review_comment_message"),
    },
    derive={
        "size": Length("message"),
        "missing_parcel": message.contains("não recebi") | message.contains("nao recebi"),
        "unhappy": col("score") <= 2,
    },
    # one review may stand for several orders
    key=Key("review_id", "order_id"),
    lookup=Lookup(orders, on="order_id", take=["customer_unique_id"]),
    quiet="60d",
)

complaint = Model(
    "complaint",
    observe=EachRow(of=deliveries),
    features=[
        # how long it took, and how late it was: the promised day of an order that is in time has not come yet
        orders.time_since_last(),
        promises.time_since_last(last="90d"),
        orders.count(last="90d"),
        deliveries.count(last="90d"),
        items.count(last="90d"),
        items.price.sum(last="90d"),
        items.freight.sum(last="90d"),
        items.seller_id.distinct(last="90d"),
        payments.instalments.max(last="90d"),
        payments.kind.share("boleto", last="90d"),
        deliveries.customer_state.share("SP", last="1d"),
        reviews.unhappy.sum(),
        reviews.missing_parcel.sum(),
        reviews.size.mean(),
        Calendar("month", zone=ZONE),
        Calendar("weekday", zone=ZONE),
    ],
    target=reviews.unhappy.max(next="30d") > 0,
    estimator=XGBoost(max_depth=3),
    metric="auc",
    gates=[Gate("auc", threshold=0.6), Gate.not_worse_than_champion()],
    policy=Policy(retrain=when.older_than("90d"), cooldown="28d"),
)
