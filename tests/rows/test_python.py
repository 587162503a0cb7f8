"""A Python function as a derived column: found again by name, called with Arrow arrays, held to its type and its row."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from arro3.core import Array, ChunkedArray, DataType

from keepfit import Boolean, Category, Events, Files, Float, Integer, Python, Text
from keepfit.errors import DefinitionError, RequestError, SourceError
from keepfit.project import load_definitions
from keepfit.rows.contract import check_row
from keepfit.rows.python import Values, array, derive_one, resolve
from keepfit.spec.codec import _fields, _rebuild, encode_table, fingerprint

COLUMNS = {"amount": Float(), "items": Integer(), "gift": Boolean(), "channel": Category(), "note": Text()}
NOON = "2025-06-01T12:00:00Z"


def risk(amount, channel):
    """Return a float for each row, from two columns."""
    return np.asarray(amount) * np.array([2.0 if one == "web" else 1.0 for one in channel])


def kinds(amount, items, gift, channel, who):
    """Return what each column looks like to numpy and as a list."""
    columns = (amount, items, gift, channel, who)
    return [" ".join(f"{np.asarray(one).dtype}:{one[0]!r}" for one in columns)]


def events(derivation):
    return Events("sales", Files("*"), entity="who", time="at", columns=COLUMNS, derive={"risk": derivation})


def one(derivation, **row):
    return derive_one("risk", events(derivation), {"who": "B1", **row})


def test_a_function_gets_an_array_for_each_column_it_reads_in_their_order():
    assert one(Python(risk, reads=["amount", "channel"]), amount=3.0, channel="web") == 6.0
    assert one(Python(risk, reads=["amount", "channel"]), amount=None, channel="web") is None


def test_arrays_look_alike_whether_or_not_a_value_is_missing():
    seen = Python(kinds, reads=["amount", "items", "gift", "channel", "who"], returns=Text())
    full = one(seen, amount=3.0, items=2, gift=True, channel="web")
    assert full == "float64:3.0 float64:2 float64:True object:'web' object:'B1'"
    assert one(seen) == "float64:None float64:None float64:None object:None object:'B1'"


def test_arrays_speak_the_arrow_interface():
    values = Values(array([1.0, None], Float()), Float())
    assert Array.from_arrow(values).to_pylist() == [1.0, None]
    assert (len(values), list(values), values.arrow.type) == (2, [1.0, None], DataType.float64())


RETURNED = {
    "a list": ([1, None], Float(), 1.0),
    "a tuple": ((True,), Float(), 1.0),
    "numpy floats": (np.array([1.5]), Float(), 1.5),
    "numpy scalars": ([np.int64(3)], Integer(), 3),
    "not a number": (np.array([np.nan]), Float(), None),
    "an overflow": (np.array([np.inf]), Float(), None),
    "whole floats": (np.array([3.0]), Integer(), 3),
    "truths": (np.array([True]), Boolean(), True),
    "zero and one": ([0.0], Boolean(), False),
    "labels": (np.array(["a"]), Category(), "a"),
    "objects": (np.array([None], dtype=object), Category(), None),
    "an Arrow array": (Array([1.5], type=DataType.float32()), Float(), 1.5),
    "Arrow texts": (Array(["x"], type=DataType.large_utf8()), Category(), "x"),
    "Arrow chunks": (ChunkedArray([Array([1.0], type=DataType.float64())]), Float(), 1.0),
}
given_back = None


def back(amount):
    """Return what the test put in."""
    return given_back[: len(amount)] if isinstance(given_back, list) else given_back


@pytest.mark.parametrize(("result", "returns", "value"), RETURNED.values(), ids=RETURNED)
def test_any_column_may_come_back(monkeypatch, result, returns, value):
    monkeypatch.setitem(globals(), "given_back", result)
    found = one(Python(back, reads=["amount"], returns=returns), amount=1.0)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("result", "returns", "says"),
    [
        ((1.0, 2.0), Float(), "returned 2 values for 1 rows"),
        (3.0, Float(), "returned a float, not a column"),
        (np.array([[1.0]]), Float(), "returned an array of 2 dimensions"),
        (["x"], Float(), "returned 'x', which is not a number"),
        ([0.5], Integer(), "returned 0.5, which is not a whole number"),
        ([2], Boolean(), "returned 2, which is neither yes nor no"),
        ([1], Category(), "returned 1, which is not a text"),
        ([7.0], Float(max=1), "returned 7.0, which is above 1"),
        (["c"], Category(values=["a", "b"]), "returned 'c', which is not one of a, b"),
        ([None], Float(nullable=False), "returned null, and its type is not nullable"),
    ],
)
def test_what_is_no_column_of_the_declared_type_is_refused_by_name(monkeypatch, result, returns, says):
    monkeypatch.setitem(globals(), "given_back", result)
    with pytest.raises(SourceError) as refused:
        one(Python(back, reads=["amount"], returns=returns), amount=1.0)
    assert says in refused.value.what and ":back " in refused.value.what
    assert refused.value.where == "definitions.py, Events 'sales', derived column 'risk'"


def broken(amount):
    """Raise."""
    return 1 / 0


def test_a_posted_event_is_refused_where_the_function_fails():
    sent = {"who": "B1", "at": NOON, "amount": "3"}
    assert check_row(events(Python(risk, reads=["amount", "channel"])), sent)["risk"] == 3.0
    with pytest.raises(RequestError, match="broken raised ZeroDivisionError: division by zero") as refused:
        check_row(events(Python(broken, reads=["amount"])), sent)
    assert refused.value.http_status == 422
    assert re.search(r"derived column 'risk', line \d+ of test_python.py$", refused.value.where)


def test_a_posted_event_waits_until_the_function_is_the_declared_one():
    declared = Python(f"{__name__}:risk", reads=["amount", "channel"], source="0" * 64)
    with pytest.raises(RequestError, match="its source differs") as refused:
        check_row(events(declared), {"who": "B1", "at": NOON, "amount": "3"})
    assert refused.value.http_status == 503


def test_a_long_column_shows_its_first_values():
    assert repr(Values(array([*range(20)], Integer()), Integer())) == "integer[0, 1, 2, 3, 4, 5, 6, 7, ...]"


def test_a_declaration_is_data_that_tells_an_edit_of_the_function():
    derivation = Python(risk, reads=["amount", "channel"], returns=Float(max=1e6))
    again = _rebuild(_fields(derivation), {})
    assert vars(again) == vars(derivation)
    assert derivation.function == f"{__name__}:risk" and len(derivation.source) == 64
    edited = fingerprint(encode_table(events(Python(derivation.function, derivation.reads, source="0" * 64))))
    assert edited != fingerprint(encode_table(events(derivation)))


def test_a_function_is_refused_whose_columns_are_not_those_it_reads():
    with pytest.raises(TypeError, match=r"risk\(amount, channel\) cannot be called with amount"):
        Python(risk, reads=["amount"])


def test_a_table_knows_the_type_of_what_a_function_returns():
    table = events(Python(risk, reads=["amount", "channel"], returns=Category(values=["low", "high"])))
    assert table.type_of("risk") == Category(values=("low", "high"))


# functions of a project


DEFINITIONS = """
from keepfit import Events, Files, Float, Python
from scoring import score

def risk(amount):
    return [FACTOR * one for one in amount]

sales = Events("sales", Files("s.csv"), entity="who", time="at", columns={"amount": Float()},
               derive={"risk": Python(risk, reads=["amount"]), "score": Python(score, reads=["amount"])})
"""
SCORING = "def score(amount):\n    return [one + FACTOR for one in amount]\n"
counter = itertools.count()


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a project's definitions with another factor; forget them afterwards."""
    place = tmp_path / f"project_{next(counter)}"
    place.mkdir()

    def write(factor, folder=place):
        folder.mkdir(exist_ok=True)
        (folder / "definitions.py").write_text(DEFINITIONS.replace("FACTOR", str(factor)))
        (folder / "scoring.py").write_text(SCORING.replace("FACTOR", str(factor)))
        return folder

    yield write
    for name in ("definitions", "scoring"):
        sys.modules.pop(name, None)


def derived(table):
    return [derive_one(name, table, {"amount": 10.0}) for name in table.derive]


def test_functions_of_definitions_and_of_a_module_beside_it_are_found(folder):
    (table,) = load_definitions(folder(2)).tables
    assert [table.derive[name].function for name in table.derive] == ["definitions:risk", "scoring:score"]
    assert derived(table) == [20.0, 12.0]


def test_definitions_loaded_again_see_their_edited_modules(folder):
    load_definitions(folder(2))
    (table,) = load_definitions(folder(3)).tables
    assert derived(table) == [30.0, 13.0]


def test_two_projects_do_not_mix_their_modules(folder, tmp_path):
    load_definitions(folder(2))
    (table,) = load_definitions(folder(5, tmp_path / "other")).tables
    assert derived(table) == [50.0, 15.0]


def test_a_process_that_runs_since_before_an_edit_finds_the_function_of_now(folder):
    load_definitions(folder(2))
    (now,) = load_definitions(folder(3)).tables
    load_definitions(folder(2))
    folder(3)
    assert derived(now) == [30.0, 13.0]


def test_a_process_that_never_ran_the_definitions_finds_them_where_it_works(folder, monkeypatch):
    (table,) = load_definitions(folder(7)).tables
    for name in ("definitions", "scoring"):
        del sys.modules[name]
    monkeypatch.chdir(folder(7))
    resolve.cache_clear()
    assert derived(table) == [70.0, 17.0]


def test_a_server_derives_from_the_written_definitions_alone(folder):
    place = folder(8)
    (table,) = load_definitions(place).tables
    (place / "table.json").write_text(json.dumps(encode_table(table)))
    code = (
        "import json; from keepfit.spec.codec import _rebuild; from keepfit.rows.contract import check_row;"
        "table = _rebuild(json.load(open('table.json')), {}); import sys; assert 'definitions' not in sys.modules;"
        f"print(check_row(table, dict(who='B1', at='{NOON}', amount=2))['risk'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout == "16.0\n"


def test_a_function_that_is_not_the_declared_one_is_refused(folder):
    (old,) = load_definitions(folder(11)).tables
    load_definitions(folder(12))
    with pytest.raises(DefinitionError, match="definitions:risk is not what it was when it was declared"):
        derived(old)


def test_a_function_that_is_gone_is_refused(folder):
    (old,) = load_definitions(folder(13)).tables
    (folder(13) / "definitions.py").write_text("")
    with pytest.raises(DefinitionError, match="has no function 'risk'"):
        derived(old)


def test_definitions_that_fail_leave_what_was_loaded(folder):
    place = folder(2)
    load_definitions(place)
    before = sys.modules["definitions"]
    (place / "definitions.py").write_text("import scoring\nnothing")
    with pytest.raises(DefinitionError, match="NameError"):
        load_definitions(place)
    assert sys.modules["definitions"] is before
