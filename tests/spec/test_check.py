"""Each rule of the definitions: what it finds, where, and the way out; and that all are found in one pass."""

from __future__ import annotations

from typing import Any

import pytest

from keepfit import (
    Calendar,
    Category,
    EachRow,
    Events,
    Every,
    Files,
    Float,
    Gate,
    Integer,
    Length,
    Model,
    Policy,
    Records,
    Sentiment,
    Text,
    col,
    when,
)
from keepfit.errors import DefinitionError
from keepfit.spec.check import InvalidDefinitions, Problem, check
from keepfit.spec.check.models import MODEL_RULES
from keepfit.spec.check.tables import TABLE_RULES, names_are_not_taken
from keepfit.spec.features import Aggregate
from keepfit.spec.rows import RowExpression
from keepfit.spec.window import Window

customers = Records(
    "customers", Files("c.csv"), entity="id", columns={"age": Integer(), "segment": Category(), "note": Text()}
)
sales = Events(
    "sales", Files("s.csv"), entity="id", time="sold_at",
    columns={"amount": Float(), "channel": Category(), "note": Text()},
)  # fmt: skip
monthly = Every("1 month", of=customers)


def churn(**changes: Any) -> Model:
    parts = {"observe": monthly, "features": [sales.count(last="30d")], "target": sales.count(next="30d") == 0}
    return Model("churn", **{**parts, **changes})


def of_model(**changes: Any) -> list[Problem]:
    return check([customers, sales], [churn(**changes)])


def of_events(**changes: Any) -> list[Problem]:
    """Return the problems of a table, whose own model reads nothing of it but rows."""
    parts = {"name": "sales", "source": Files("s.csv"), "entity": "id", "time": "at", "columns": {"amount": Float()}}
    table = Events(**{**parts, **changes})
    return check([customers, table], [churn(features=[table.count()], target=table.count(next="30d") == 0)])


def one(problems: list[Problem]) -> tuple[str, str]:
    """Return what and fix of the only problem, after looking at its place."""
    (problem,) = problems
    assert problem.where.startswith("definitions.py")
    return problem.what, problem.fix


def test_good_definitions_have_no_problem():
    assert of_model() == []
    assert of_events() == []


def test_every_problem_is_reported_at_once_in_the_order_of_the_file():
    broken = Events("sales", Files("s.csv"), entity="id", columns={"amount": Float()}, zone="Europe/Londn")
    model = churn(
        observe=Every("1 mnth", of=customers),
        features=[broken.amonut.sum(last="30x"), broken.count(next="7d")],
        target=broken.count(last="30d") == 0,
        metric="f2",
    )
    found = [problem.what for problem in check([customers, broken], [model])]
    assert found == [
        "events 'sales' have no time",
        "unknown zone 'Europe/Londn'",
        "Feature 'sales_amonut_sum_30x' reads unknown column 'amonut' of sales",
        "Feature 'sales_amonut_sum_30x': '30x' is not a duration; write a whole number and a unit: 30d, 24h, 2w, 15min, 10s",
        "Feature 'sales_count_next_7d' looks into the future",
        "Target 'sales_count_30d_eq_0' looks at no events after t",
        "observe: '1 mnth' is not a grid; write '1 month', '1 week', '1 day' or '6 hours'",
        "metric 'f2' does not fit: the target is a comparison, so a classification",
    ]


def test_all_problems_are_one_error_that_reads_as_all_of_them():
    problems = [Problem("a", "here", "mend a"), Problem("b", "there", "mend b")]
    error = InvalidDefinitions(problems)
    assert isinstance(error, DefinitionError)
    assert str(error) == "a\n  where: here\n  fix:   mend a\nb\n  where: there\n  fix:   mend b"
    assert (error.problems, error.as_dict()["what"]) == (tuple(problems), "a")


def test_every_rule_says_in_a_sentence_what_it_asks_for():
    assert all(rule.__doc__ and rule.__doc__.endswith(".") for rule in (*TABLE_RULES, *MODEL_RULES))


# definitions as a whole


def test_a_project_may_have_no_model():
    assert check([sales], []) == []


def test_two_tables_of_one_name():
    again = Events("sales", Files("t.csv"), entity="id", time="at")
    assert one(check([customers, sales, again], [churn()])) == (
        "two tables are called 'sales'",
        "give each table a name of its own",
    )


def test_two_models_of_one_name():
    what, fix = one(check([customers, sales], [churn(), churn()]))
    assert (what, fix) == ("two models are called 'churn'", "give each model a name of its own")


def test_a_model_that_reads_a_table_which_is_not_at_the_top_level():
    what, fix = one(check([customers], [churn()]))
    assert what == "model 'churn' reads 'sales', which is not at the top level"
    assert "without a leading underscore" in fix


# parts of the wrong kind: reported, not stumbled over


@pytest.mark.parametrize(
    "observe", [customers, "1 month", Every("1 month", of="customers"), EachRow(of=customers), None]
)
def test_observations_of_no_table(observe):
    what, fix = one(of_model(observe=observe))
    assert "does not say which entities are observed" in what
    assert fix == "write Every('1 month', of=<Records or Events>) or EachRow(of=<Events>)"


def test_a_gate_that_was_not_called():
    what, fix = one(of_model(gates=[Gate.not_worse_than_champion]))
    assert "is no Gate" in what
    assert "Gate.not_worse_than_champion()" in fix


@pytest.mark.parametrize("policy", [Policy(retrain=when.drift), None, when.drift()])
def test_a_policy_without_a_condition(policy):
    what, fix = one(of_model(policy=policy))
    assert "has no condition to retrain on" in what
    assert "when.drift() | when.older_than('90d')" in fix


def test_a_source_that_is_a_text():
    assert one(of_events(source="s.csv")) == ("source 's.csv' is no source", "write Files('sales_*.csv')")


def test_a_column_type_that_was_not_called():
    what, fix = one(of_events(columns={"amount": Float}))
    assert what.startswith("column 'amount' has no type")
    assert fix == "call a type: Float(), Category()"


def test_a_derivation_that_is_no_expression():
    what, fix = one(of_events(derive={"twice": "amount * 2"}))
    assert what == "derived column 'twice' is no expression: 'amount * 2'"
    assert "col('a') * 2" in fix


# tables


def test_a_name_that_is_no_word():
    fix = "use letters, digits and underscores, a letter first"
    assert one(of_events(derive={"2nd": col("amount") * 2})) == ("'2nd' cannot be a name", fix)
    assert of_events(name="my sales")[0].what == "'my sales' cannot be a name"


def test_a_column_that_begins_with_an_underscore():
    what, fix = one(of_events(columns={"_order": Float()}))
    assert (what, fix) == ("column '_order' begins with an underscore", "underscored names are keepfit's own")


@pytest.mark.parametrize("name", ["entity", "time", "known"])
def test_a_column_whose_name_is_taken(name):
    what, fix = one(of_events(columns={name: Float(), "amount": Float()}))
    assert what == f"column {name!r} has a name of keepfit's own"
    assert fix == f"rename it: columns={{'measured_{name}': Float(source={name!r})}}"
    what, fix = one(of_events(derive={name: col("amount") * 2}))
    assert fix == f"rename it: derive={{'measured_{name}': ...}}"


def test_the_entity_and_the_time_themselves_may_have_these_names():
    assert of_events(entity="id", time="time", known="known") == []
    assert list(names_are_not_taken(Events("e", Files("e"), entity="entity", columns={"entity": Text()}))) == []
    assert list(names_are_not_taken(Records("r", Files("r"), entity="id", columns={"time": Float()}))) == []


def test_a_derived_column_that_reads_an_unknown_one():
    what, fix = one(of_events(derive={"twice": col("amonut") * 2}))
    assert what == "derived column 'twice' reads unknown column 'amonut'"
    assert fix == "did you mean 'amount'? sales has: amount"


def test_a_column_both_declared_and_derived():
    assert one(of_events(derive={"amount": col("amount") * 2}))[0] == "column 'amount' is declared and derived"


@pytest.mark.parametrize("derivation", [Sentiment("amount"), Length("amount")])
def test_a_number_read_as_text(derivation):
    what, fix = one(of_events(derive={"mood": derivation}))
    assert what == "'mood' reads 'amount' as text, but it is float"
    assert fix == "declare it as Text(), or read another column of sales"


def test_a_derived_column_may_read_the_entity():
    assert of_events(derive={"staff": col("id").startswith("S")}) == []


def test_events_without_a_time():
    what, fix = one(of_events(time=None))
    assert (what, fix) == ("events 'sales' have no time", "add time='<column that says when it happened>'")


def test_events_known_in_two_ways():
    assert one(of_events(known="seen_at", known_after="1d")) == (
        "'sales' declares known and known_after",
        "keep one of them",
    )


@pytest.mark.parametrize("name", ["known_after", "quiet"])
def test_a_delay_that_is_no_duration(name):
    what, fix = one(of_events(**{name: "1 month"}))
    assert what.startswith(f"{name}: '1 month' is not a duration")
    assert "months exist only in Every" in fix


def test_a_zone_that_does_not_exist():
    what, fix = one(of_events(zone="Europe/Londn"))
    assert what == "unknown zone 'Europe/Londn'"
    assert fix.startswith("did you mean 'Europe/London'?")


# models


@pytest.mark.parametrize("feature", [sales.amount, "amount", sales, 3])
def test_a_feature_that_is_no_value_at_t(feature):
    what, fix = one(of_model(features=[sales.count(), feature]))
    assert what == f"feature {feature!r} is not a value at t"
    assert "sales.amount.sum(last='30d')" in fix


def test_a_target_that_is_no_value_at_t():
    assert one(of_model(target=sales.amount, metric="rmse"))[0] == "target sales.amount is not a value at t"


def test_no_features():
    assert one(of_model(features=[])) == ("there are no features", "name at least one: sales.count(last='30d')")


@pytest.mark.parametrize("active", [sales.count(last="90d"), sales, "90d"])
def test_an_activity_that_is_no_condition(active):
    what, fix = one(of_model(observe=Every("1 month", of=customers, active=active)))
    assert "is no condition" in what
    assert "active=sales.within('90d')" in fix


def test_an_unknown_column_of_events():
    what, fix = one(of_model(features=[sales.amonut.sum(last="30d")]))
    assert what == "Feature 'sales_amonut_sum_30d' reads unknown column 'amonut' of sales"
    assert fix == "did you mean 'amount'? sales has: amount, channel, note"


def test_an_unknown_attribute():
    what, fix = one(of_model(features=[customers.agee]))
    assert what == "Feature 'customers_agee' reads unknown column 'agee' of customers"
    assert fix == "did you mean 'age'? customers has: age, note, segment"


def test_an_unknown_column_deep_in_a_feature_and_in_the_condition():
    ratio = sales.count(last="7d") / sales.amonut.count(last="30d")
    active = sales.chanel.count(last="30d") > 0
    found = of_model(features=[ratio], observe=Every("1 month", of=customers, active=active))
    assert [problem.what for problem in found] == [
        "Feature 'sales_count_7d_over_sales_amonut_count_30d' reads unknown column 'amonut' of sales",
        "Condition 'sales_chanel_count_30d_gt_0' reads unknown column 'chanel' of sales",
    ]


@pytest.mark.parametrize("function", ["sum", "mean", "min", "max", "std", "last"])
def test_a_number_made_of_a_category(function):
    what, fix = one(of_model(features=[getattr(sales.channel, function)(last="30d")]))
    assert what == f"Feature 'sales_channel_{function}_30d': {function} of 'channel', which is category"
    assert fix.startswith("derive a number from 'channel', or use one of: count, distinct, share")


def test_a_category_can_be_counted():
    assert of_model(features=[sales.channel.count(last="30d"), sales.channel.time_since_last()]) == []


@pytest.mark.parametrize(
    ("feature", "what"),
    [
        (customers.segment * 2, "Feature 'customers_segment_times_2' cannot use 'segment', which is category"),
        (customers.segment == 1, "Feature 'customers_segment_eq_1' cannot use 'segment', which is category"),
        (customers.note, "Feature 'customers_note' cannot use 'note', which is text"),
    ],
)
def test_an_attribute_that_is_no_number(feature, what):
    fix = "use a category on its own as a feature, and free text through derive={...: Sentiment(...)}"
    assert one(of_model(features=[feature])) == (what, fix)


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (sales.count(last="1 month"), "1 month"),
        (sales.amount.lag("1d", tolerance="soon"), "soon"),
        (sales.amount.lag("0d", tolerance="1h"), "0d"),
    ],
)
def test_a_window_that_is_no_duration(feature, text):
    what, _ = one(of_model(features=[feature]))
    assert what.startswith(f"Feature {feature.name!r}: {text!r} is not a duration")


def test_an_unknown_aggregate():
    what, fix = one(of_model(features=[Aggregate(sales, "amount", "medain", Window(last="30d"))]))
    assert what == "unknown aggregate 'medain'"
    assert fix.startswith("did you mean 'median'? there are: all, any, count")


@pytest.mark.parametrize(
    ("part", "what", "fix"),
    [
        (Calendar("weekdy"), "unknown calendar part 'weekdy'", "did you mean 'weekday'?"),
        (Calendar("hour", zone="Europe/Londn"), "unknown zone 'Europe/Londn'", "did you mean 'Europe/London'?"),
    ],
)
def test_an_unknown_part_of_the_calendar(part, what, fix):
    found, way_out = one(of_model(features=[part]))
    assert found == what
    assert way_out.startswith(fix)


def test_a_grid_that_is_none():
    what, fix = one(of_model(observe=Every("monthly", of=customers)))
    assert what.startswith("observe: 'monthly' is not a grid")
    assert fix == "Every('1 month', of=...)"


@pytest.mark.parametrize(
    "feature",
    [
        sales.count(next="30d"),
        sales.amount.at("24h", tolerance="1h"),
        sales.count(last="30d") - sales.count(next="30d"),
        sales.count(next="30d").named("harmless"),
    ],
)
def test_a_feature_that_looks_into_the_future(feature):
    what, fix = one(of_model(features=[feature]))
    assert what == f"Feature {feature.name!r} looks into the future"
    assert fix == "use last=; what lies after t can only be a target"


def test_a_condition_that_looks_into_the_future():
    active = sales.count(next="30d") > 0
    what, _ = one(of_model(observe=Every("1 month", of=customers, active=active)))
    assert what == "Condition 'sales_count_next_30d_gt_0' looks into the future"


@pytest.mark.parametrize(
    "past", [sales.count(last="30d"), sales.count(), sales.amount.lag("1d", tolerance="1h"), customers.age]
)
def test_a_target_may_be_compared_with_the_past_but_must_look_ahead(past):
    assert of_model(target=sales.amount.sum(next="30d") - past) == []
    what, fix = one(of_model(target=past * 2))
    assert what == f"Target {past.name + '_times_2'!r} looks at no events after t"
    assert fix == "use next= or at(...): sales.count(next='30d'); a target lies in [t, t+h)"


def test_a_target_whose_tolerance_reaches_back_before_t():
    what, fix = one(of_model(target=sales.amount.at("24h", tolerance="25h")))
    assert what == "Target 'sales_amount_at_24h_within_25h' reaches back before t"
    assert "no longer than at" in fix
    assert of_model(target=sales.amount.at("24h", tolerance="24h")) == []


def test_a_target_that_looks_at_no_events():
    what, _ = one(of_model(target=Calendar("weekday") == 0))
    assert what == "Target 'weekday_eq_0' looks at no events after t"


def test_a_table_about_something_else():
    weather = Events("weather", Files("w.csv"), entity="county", time="at", columns={"temp": Float()})
    what, fix = one(check([customers, sales, weather], [churn(features=[weather.temp.mean(last="7d")])]))
    assert what == "weather is about 'county', but observed is 'id'"
    assert "observe entities that weather knows" in fix


def test_two_features_of_one_name():
    what, fix = one(of_model(features=[sales.count(last="30d"), sales.count(last="30 d")]))
    assert (what, fix) == ("two features are called 'sales_count_30d'", "drop one, or rename it with .named('...')")


def test_two_features_that_differ_in_upper_and_lower_case_only():
    what, _ = one(of_model(features=[customers.age.named("Age"), sales.count().named("age")]))
    assert what == "two features are called 'age'"


def test_a_target_named_like_a_feature():
    target = (sales.count(next="30d") == 0).named("bought")
    what, _ = one(of_model(features=[sales.count(last="30d").named("bought")], target=target))
    assert what == "the target and a feature are called 'bought'"


@pytest.mark.parametrize("name", ["my feature", "2nd", "", "a-b", "entity", "t", "Target", "score"])
def test_a_feature_name_that_cannot_be_a_column(name):
    what, fix = one(of_model(features=[customers.age.named(name)]))
    assert (what, fix) == (f"{name!r} cannot be a feature name", "rename it with .named('...')")


@pytest.mark.parametrize("name", ["my model", "churn/eu", "it's"])
def test_a_model_name_that_cannot_be_a_folder(name):
    model = Model(name, monthly, [sales.count()], sales.count(next="1d") == 0)
    assert one(check([customers, sales], [model]))[0] == f"{name!r} cannot be the name of a model"


def test_two_different_values_of_one_name_deep_in_the_features():
    web = Events("web", Files("w.csv"), entity="id", time="at", columns={"sales_amount": Float()})
    web_sales = Events("web_sales", Files("v.csv"), entity="id", time="at", columns={"amount": Float()})
    features = [web.sales_amount.sum(last="7d"), web_sales.amount.sum(last="7d") / customers.age]
    what, _ = one(check([customers, sales, web, web_sales], [churn(features=features)]))
    assert what == "two different values are called 'web_sales_amount_sum_7d'"


def test_one_leaf_in_two_features_is_one_value():
    assert of_model(features=[sales.count(last="7d"), sales.count(last="7d") / 7, sales.count(last="7 d") / 2]) == []


@pytest.mark.parametrize(
    ("changes", "metric", "fix"),
    [
        ({"metric": "f1_score"}, "f1_score", "there are: accuracy, auc"),
        ({"metric": "rmse"}, "rmse", "there are: accuracy, auc"),
        ({"gates": [Gate("presicion", threshold=0.5)]}, "presicion", "did you mean 'precision'?"),
        ({"policy": Policy(when.drift() | when.metric_below("acc", 0.8))}, "acc", "did you mean 'auc'?"),
    ],
)
def test_a_metric_that_does_not_fit_a_classification(changes, metric, fix):
    what, way_out = one(of_model(**changes))
    assert what == f"metric {metric!r} does not fit: the target is a comparison, so a classification"
    assert way_out.startswith(fix)


def test_a_metric_that_does_not_fit_a_regression():
    what, fix = one(of_model(target=sales.amount.sum(next="30d"), metric="f1"))
    assert what == "metric 'f1' does not fit: the target is a number, so a regression"
    assert fix == "there are: mae, mape, r2, rmse, smape"


def test_fairness_across_what_is_no_feature():
    what, fix = one(of_model(features=[customers.segment], gates=[Gate.fair_across("segmnt")]))
    assert what == "Gate.fair_across('segmnt'): no such attribute among the features"
    assert fix == "did you mean 'segment'? the model has: segment"


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (Policy(when.never(), cooldown="2 weeks"), "policy cooldown: '2 weeks'"),
        (Policy(when.never(), probation="ever"), "policy probation: 'ever'"),
        (Policy(when.drift() | when.older_than("90")), "policy older_than: '90'"),
    ],
)
def test_a_delay_of_the_policy_that_is_no_duration(policy, what):
    assert one(of_model(policy=policy))[0].startswith(f"{what} is not a duration")


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        (Policy(when.never(), budget="many"), "policy budget: 'many' is not a rate"),
        (Policy(when.never(), budget=4), "policy budget: 4 is no text"),
        (Policy(when.never(), quiet="at night"), "policy quiet: 'at night' says no hours"),
        (Policy(when.schedule("soon")), "policy schedule: 'soon' is no timetable"),
        (Policy(when.schedule("0 6 1 * *", zone="Mars")), "policy schedule: there is no time zone 'Mars'"),
        (Policy(when.drift(severity="loud")), "policy drift: there is no severity 'loud'"),
        (Policy(when.never() | when.new_labels(0)), "policy new_labels: 0 is no number of labels"),
    ],
)
def test_a_time_or_a_number_of_the_policy_that_is_none(policy, what):
    assert one(of_model(policy=policy))[0].startswith(what)


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        (col("s") * 2, "computes with a text"),
        (col("s") == 5, "compares a text with a number"),
        (col("n").startswith("C"), "asks a number for a prefix"),
        ((col("n") * col("s")) > 1, "computes with a text"),
    ],
)
def test_derivations_of_the_wrong_type_are_refused_before_a_file_is_read(expression: RowExpression, what: str) -> None:
    table = Events(
        "e", Files("e.csv"), entity="k", time="t", columns={"s": Text(), "n": Float()}, derive={"d": expression}
    )
    assert any(what in problem.what for problem in check([table], []))


def test_derivations_of_the_right_type_pass() -> None:
    fine = {"a": col("n") * 2, "b": col("s") == "x", "c": col("s").startswith("C"), "d": col("n") >= 1}
    table = Events("e", Files("e.csv"), entity="k", time="t", columns={"s": Text(), "n": Float()}, derive=fine)
    assert check([table], []) == []


def test_a_time_that_is_declared_as_a_text_is_refused() -> None:
    table = Events("e", Files("e.csv"), entity="k", time="t", columns={"t": Text(source="When")})
    what, fix = one(check([table], []))
    assert what == "'t' is the time of e, but declared as text"
    assert fix == "declare it as Time(source='When'), or leave it out of columns"
