"""`features`, `preview` and what `plan` says of changed features, as a user calls them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from keepfit.cli import main
from keepfit.clock import parse_moment, to_micros
from keepfit.project import open_project
from keepfit.stages.features import versions

DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Input, Model, Records

people = Records("people", Files("people.csv"), entity="who", columns={"town": Category()})
sales = Events("sales", Files("sales.csv"), entity="who", time="at", quiet="99d",
               columns={"amount": Float(), "channel": Category()})
spend = Model(
    "spend",
    observe=Every("1 month", of=people),
    features=[
        sales.amount.sum(last="30d", where=sales.channel == "web"),
        sales.count(last="30d", by="channel", top=2),
        people.town,
        Input("basket", Float(), past=sales.amount.last()),
    ],
    target=sales.amount.sum(next="30d"),
)
"""
SALES = "who,at,amount,channel\n" + "".join(
    f"{who},2025-0{month}-0{day}T00:00:00Z,{month * day},{'web' if day % 2 else 'shop'}\n"
    for who in "ab"
    for month in (1, 2, 3)
    for day in range(1, 9)
)
PEOPLE = "who,town\na,Rome\nb,\n"
AS_OF = ("--as-of", "2025-04-01")


@pytest.fixture
def keepfit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, project: Any) -> Any:
    """Return a function that runs a command on a small project and returns (exit code, output)."""
    folder = project(DEFINITIONS, {"sales.csv": SALES, "people.csv": PEOPLE})

    def call(*words: str) -> tuple[int, Any]:
        monkeypatch.setattr(sys, "argv", ["keepfit", *words, "--project", str(folder)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        found = capsys.readouterr()
        return code, json.loads(found.out) if "--json" in words else found.out + found.err

    call.folder = folder  # type: ignore[attr-defined]
    return call


def test_features_are_listed_with_meaning_window_source_and_type(keepfit: Any) -> None:
    code, found = keepfit("features", "--json")
    assert (code, found["version"]) == (0, 1)
    first, grouped, town, basket = found["features"]
    assert first == {
        "name": "sales_amount_sum_30d_where_channel_eq_web",
        "meaning": "sum of amount of sales in the last 30d where channel == 'web'",
        "window": "30d",
        "source": "sales",
        "type": "number",
    }
    assert grouped["name"] == "sales_count_30d_channel_*"
    assert "2 most frequent values of channel in training rows" in grouped["meaning"]
    assert (town["type"], town["source"]) == ("category", "people")
    assert basket["source"] == "sales, request"
    assert found["target"]["name"] == "sales_amount_sum_next_30d"
    _, text = keepfit("features")
    assert "sum of amount of sales in the last 30d where channel == 'web'" in text.replace("\n", " ")


def test_preview_needs_rows_and_says_how_to_get_them(keepfit: Any) -> None:
    code, text = keepfit("preview", *AS_OF)
    assert code == 4 and "fix:   run `keepfit ingest`" in text


def test_preview_shows_the_values_of_an_entity(keepfit: Any) -> None:
    keepfit("ingest", *AS_OF)
    code, found = keepfit("preview", "--entity", "a", *AS_OF, "--json")
    assert code == 0
    assert found["values"] == {
        "sales_amount_sum_30d_where_channel_eq_web": 3.0 * (3 + 5 + 7),
        "sales_count_30d_channel_shop": 4.0,
        "sales_count_30d_channel_web": 3.0,
        "people_town": "Rome",
        "basket": 24.0,
    }
    code, text = keepfit("preview", "--entity", "zoe", *AS_OF)
    assert code == 4 and "nothing is known of who 'zoe'" in text and "a, b" in text


def test_preview_draws_distributions(keepfit: Any, tmp_path: Path) -> None:
    keepfit("ingest", *AS_OF)
    page = tmp_path / "drawn.html"
    code, found = keepfit("preview", *AS_OF, "--to", str(page), "--json")
    assert (code, found["rows"], found["t"]) == (0, 2, "2025-04-01")
    town = found["distributions"]["people_town"]
    assert (town["nulls"], town["edges"], town["counts"]) == (1, ["Rome"], [1])
    shop = found["distributions"]["sales_count_30d_channel_shop"]
    assert shop["quantiles"] == [4, 4, 4, 4, 4] and sum(shop["counts"]) == 2
    html = page.read_text()
    assert html.count("<svg") == 5 and "sum of amount of sales" in html and "<script" not in html
    _, text = keepfit("preview", *AS_OF)
    assert "█" in text and "Rome 100%" in text


def test_plan_says_what_changed_in_the_features_and_what_that_costs(keepfit: Any) -> None:
    keepfit("ingest", *AS_OF)
    _, before = keepfit("plan", *AS_OF, "--json")
    assert before["feature_set"]["version"] == 1 and len(before["feature_set"]["added"]) == 4
    project = open_project(keepfit.folder, None, os.environ)
    assert versions.enter(project.engine, project.records, project.model(), to_micros(parse_moment("2025-04-01"))) == 1
    _, same = keepfit("plan", *AS_OF, "--json")
    assert same["feature_set"]["version"] == 1 and len(same["feature_set"]["unchanged"]) == 4
    path = keepfit.folder / "definitions.py"
    path.write_text(
        path.read_text().replace("        people.town,\n", "        sales.count(),\n").replace("top=2", "top=3")
    )
    _, found = keepfit("plan", *AS_OF, "--json")
    change = found["feature_set"]
    assert change["version"] == 2 and change["fingerprint"] != same["feature_set"]["fingerprint"]
    assert (change["added"], change["removed"]) == (["sales_count"], ["people_town"])
    assert change["changed"] == ["sales_count_30d_channel"] and len(change["unchanged"]) == 2
    _, text = keepfit("plan", *AS_OF)
    assert "2 to compute, 2 reused where no row came since; the model is retrained" in text


def test_a_changed_table_changes_the_features_that_read_it_and_no_others(keepfit: Any) -> None:
    keepfit("ingest", *AS_OF)
    project = open_project(keepfit.folder, None, os.environ)
    versions.enter(project.engine, project.records, project.model(), to_micros(parse_moment("2025-04-01")))
    path = keepfit.folder / "definitions.py"
    path.write_text(path.read_text().replace('"amount": Float()', '"amount": Float(min=0)'))
    _, found = keepfit("plan", *AS_OF, "--json")
    assert found["feature_set"]["unchanged"] == ["people_town"]
