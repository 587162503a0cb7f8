"""Leaks that a definition alone would be: `check` refuses them before a row is read."""

from __future__ import annotations

import pytest

from keepfit.project import load_definitions

TABLES = """
from keepfit import *
people = Records("people", Files("people.csv"), entity="who", columns={"age": Integer()})
sales = Events("sales", Files("sales*.csv"), entity="who", time="at", columns={"amount": Float()})
past, target = sales.count(last="30d"), sales.count(next="14d") == 0
monthly = Every("1 month", of=people)
"""

REFUSED = {
    "a feature of the next days": ("[sales.amount.sum(next='7d')], target", "looks into the future"),
    "a feature at a later moment": ("[sales.amount.at('24h', tolerance='1h')], target", "looks into the future"),
    "a ratio with the future in it": ("[past / sales.count(next='7d')], target", "looks into the future"),
    "the target among the features": ("[past, (sales.count(next='14d') == 0).named('gone')], target", "the future"),
    "a target of the past": ("[past], sales.count(last='30d') == 0", "looks at no events after t"),
    "a target of two pasts in a ratio": ("[past], sales.count(last='7d') / past", "looks at no events after t"),
    "a target that is an attribute": ("[past], people.age > 30", "looks at no events after t"),
    "a target that reaches back": ("[past], sales.amount.at('1h', tolerance='2h')", "reaches back before t"),
    "a target of the calendar": ("[past], Calendar('month') > 6", "looks at no events"),
}


@pytest.mark.parametrize(("parts", "words"), REFUSED.values(), ids=REFUSED)
def test_a_leak_in_a_definition_is_refused(tmp_path, parts, words):
    (tmp_path / "definitions.py").write_text(f"{TABLES}\nmodel = Model('m', monthly, {parts})\n")
    assert any(words in problem.what for problem in load_definitions(tmp_path).problems())


def test_a_condition_that_knows_who_will_come_is_refused(tmp_path):
    observe = "Every('1 month', of=people, active=sales.count(next='7d') > 0)"
    (tmp_path / "definitions.py").write_text(f"{TABLES}\nmodel = Model('m', {observe}, [past], target)\n")
    assert any("looks into the future" in problem.what for problem in load_definitions(tmp_path).problems())
