"""Of whom nothing is known: answered only where a training set can hold such an observation."""

from __future__ import annotations

import dataclasses

import pytest

from keepfit import EachRow, Every, Float, Input, Model
from keepfit.stages.serving.unknown import stand_ins

from .world import churn, customers, promote, sales, serving

amount = Input("amount", Float(min=0), past=sales.amount.last())
discount = Input("discount", Float(), past=customers.age)


def checkout(*features) -> Model:
    """Return a model that is asked at each sale."""
    return dataclasses.replace(churn, observe=EachRow(of=sales), features=features, target=sales.count(next="30d") > 1)


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        (churn, None),
        (dataclasses.replace(churn, observe=Every("1 day", of=sales), features=[customers.age]), None),
        (checkout(customers.age, customers.age + 1), frozenset()),
        (checkout(customers.age, amount, amount / 2, discount), frozenset({"amount"})),
        # the least that training ever saw is 1: the row itself
        (checkout(customers.age, sales.count(last="90d")), None),
        (checkout(amount, amount / sales.amount.mean(last="90d")), None),
    ],
)
def test_the_definition_says_whether_there_can_be_an_observation_without_a_past(model, needed):
    assert stand_ins(model) == needed


def test_a_first_row_is_answered_before_it_comes_if_the_request_says_what_it_would(tmp_path):
    promote(tmp_path, "1", model=checkout(customers.age, amount, amount + 1))
    with serving(tmp_path) as served:
        served.wait()
        before = served.predict(customer_id=99, amount=12.5)
        assert before.status_code == 200
        # as the training has that row: the event is there, and the past says what the request said
        event = {"customer_id": 99, "sold_at": "2025-05-31T23:59:59Z", "amount": 12.5}
        missing = served.predict(customer_id=99)
        assert missing.status_code == 404 and "send amount as well" in missing.json()["fix"]
        assert served.http.post("/events", json=event).status_code == 202
        after = served.predict(customer_id=99)
        assert before.json()["features"] == after.json()["features"] == {
            "customers_age": None, "amount": 12.5, "amount_plus_1": 13.5,
        }  # fmt: skip
        many = served.http.post("/predict", json=[{"customer_id": 98, "amount": 1}, {"customer_id": 97}]).json()
        assert ["score" in one for one in many["answers"]] == [True, False]


def test_who_can_have_no_such_observation_is_a_404_that_says_what_to_do(tmp_path):
    promote(tmp_path, "1", model=checkout(customers.age, sales.count(last="90d"), amount))
    with serving(tmp_path) as served:
        served.wait()
        found = served.predict(customer_id=99, amount=12.5)
        assert found.status_code == 404
        assert found.json()["fix"] == "POST its row of sales to /events first: churn is observed at each"
