from keepfit import Category, Events, Every, Files, Float, Gate, Integer, Model, Policy, Records, Sentiment, Text, XGBoost, when

customers = Records("customers", Files("customers.csv"), entity="customer_id",
                    columns={"age": Integer(min=0, max=120), "segment": Category()})
sales = Events("sales", Files("sales_*.csv"), entity="customer_id", time="sold_at",
               columns={"amount": Float(min=0), "channel": Category()})
feedback = Events("feedback", Files("feedback_raw_*.csv"), entity="customer_id", time="written_at",
                  columns={"text": Text()}, derive={"sentiment": Sentiment("text")})

churn = Model(
    "churn",
    observe=Every("1 month", of=customers, active=sales.within("90d")),
    features=[
        sales.amount.sum(last=["7d", "30d", "90d"]),
        sales.count(last=["30d", "90d"]),
        sales.time_since_last(),
        sales.amount.mean(last="30d") / sales.amount.mean(last="90d"),
        feedback.sentiment.mean(last="90d"),
        customers.age, customers.segment,
    ],
    target=sales.count(next="30d") == 0,
    estimator=XGBoost(),
    metric="f1",
    gates=[Gate("f1", threshold=0.80), Gate.not_worse_than_champion(), Gate.fair_across("segment", ratio=0.75)],
    policy=Policy(retrain=when.metric_below("f1", 0.80) | when.drift() | when.older_than("90d"), cooldown="14d"),
)
