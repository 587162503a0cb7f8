"""`keepfit check` asks the library of holidays, once it is installed, whether it knows a country."""

from __future__ import annotations

import sys

import pytest

from keepfit.inspecting import unknown_holidays
from keepfit.kernel import calendar
from keepfit.project import open_project
from keepfit.spec.check import InvalidDefinitions

DEFINITIONS = """
from keepfit import Events, Every, Files, Holiday, Model
sales = Events("sales", Files("sales_*.csv"), entity="who", time="sold_at")
churn = Model("churn", Every("1 month", of=sales), [{features}], sales.count(next="30d") == 0)
"""


@pytest.fixture
def problems(project, monkeypatch):
    """Return a function from features to the problems of their holidays, and what `keepfit check` ends with."""

    def found(features):
        from keepfit.cli import main

        folder = project(DEFINITIONS.replace("{features}", features), {})
        monkeypatch.setattr(sys, "argv", ["keepfit", "check", "--project", str(folder)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return unknown_holidays(open_project(folder, None, {})), code

    calendar._holidays.cache_clear()
    yield found
    calendar._holidays.cache_clear()


@pytest.mark.parametrize("country", ["'XX'", "'GB', 'ZZ'", "'gb'", "'utils'"])
def test_a_country_that_has_no_holidays(problems, capsys, country):
    pytest.importorskip("holidays")
    (problem,), code = problems(f"Holiday({country}), Holiday({country}) + 1")
    assert problem.what.startswith("no holidays are known for Holiday(")
    assert problem.where == "definitions.py, Model 'churn'"
    assert "use an ISO 3166 code such as 'GB'" in problem.fix
    assert (code, problem.what in capsys.readouterr().err) == (2, True)


def test_a_country_that_has_holidays(problems):
    pytest.importorskip("holidays")
    assert problems("Holiday('GB'), Holiday('DE', 'BY', zone='Europe/Berlin')") == ([], 0)


def test_without_the_library_the_fix_says_how_to_install_it(problems, monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    (problem,), code = problems("Holiday('GB')")
    assert problem.what == "Holiday('GB') needs a library that is not installed"
    assert (problem.fix, code) == ("pip install 'keepfit[holidays]'", 2)


def test_without_a_holiday_the_library_is_not_asked_for(problems, monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert problems("sales.count()") == ([], 0)


def test_a_holiday_of_no_country_is_refused_with_the_definitions(project):
    folder = project(DEFINITIONS.replace("{features}", "Holiday(None)"), {})
    with pytest.raises(InvalidDefinitions, match="names no country"):
        open_project(folder, None, {})
