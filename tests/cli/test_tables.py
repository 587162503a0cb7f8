"""`tables` and its words, as a user calls them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from keepfit.cli import main

DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Model, Records

people = Records("people", Files("people.csv"), entity="who", columns={"town": Category()})
sales = Events("sales", Files("sales_*.csv"), entity="who", time="at", quiet="2d",
               columns={"amount": Float(min=0, max=500, unit="EUR")})
later = Events("later", Files("later_*.csv"), entity="who", time="at", columns={"x": Float()})
spend = Model("spend", observe=Every("1 month", of=people), features=[sales.count(last="30d")],
              target=sales.amount.sum(next="30d"))
"""
JANUARY = """
who,at,amount
a,2025-01-02T00:00:00Z,10
a,2025-01-03T00:00:00Z,
b,2025-01-20T00:00:00Z,30
b,2025-01-21T00:00:00Z,-1
"""
FILES = {
    "sales_01.csv": JANUARY,
    "people.csv": "who,town\na,Rome\nb,\n",
    "later_1.csv": "who,at,x\na,2099-01-01T00:00:00Z,1\n",
}


@pytest.fixture
def keepfit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, project: Any) -> Any:
    """Return a function that runs a command on a small project and returns (exit code, output)."""
    folder = project(DEFINITIONS, FILES)

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


@pytest.fixture
def loaded(keepfit: Any) -> Any:
    """Return the project after two ingests: as of February, and as of March with one more file."""
    keepfit("ingest", "--as-of", "2025-02-01")
    (keepfit.folder / "data" / "sales_02.csv").write_text("who,at,amount\na,2025-02-02T00:00:00Z,40\n")
    (keepfit.folder / "data" / "people.csv").write_text("who,town\na,Rome\nb,Oslo\nc,Oslo\n")
    keepfit("ingest", "--as-of", "2025-03-01")
    return keepfit


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["table"]: one for one in found["tables"]}


def test_tables_says_what_there_is_before_anything_was_ingested(keepfit: Any) -> None:
    code, found = keepfit("tables", "--json")
    assert code == 0
    assert [(one["table"], one["kind"], one["version"]) for one in found["tables"]] == [
        ("people", "records", None),
        ("sales", "events", None),
        ("later", "events", None),
    ]
    assert "not ingested yet" in keepfit("tables")[1]


def test_tables_lists_source_tables_and_keepfits_own(loaded: Any) -> None:
    _, found = loaded("tables", "--json")
    tables = by_name(found)
    assert list(tables) == ["people", "sales", "later", "files", "quality", "quarantine"]
    sales = tables["sales"]
    stored = list((loaded.folder / ".keepfit/dev/lake/source/sales").glob("*.parquet"))
    assert {
        name: sales[name] for name in ("kind", "version", "rows", "from_at", "to_at", "parquet_files", "source_files")
    } == {
        "kind": "events",
        "version": 2,
        "rows": 4,
        "from_at": "2025-01-02T00:00:00Z",
        "to_at": "2025-02-02T00:00:00Z",
        "parquet_files": 2,
        "source_files": 2,
    }
    assert sales["bytes"] == sum(path.stat().st_size for path in stored)
    assert sales["columns"] == {"who": "VARCHAR", "at": "TIMESTAMP WITH TIME ZONE", "amount": "DOUBLE"}
    assert (tables["people"]["rows"], tables["people"]["version"], tables["later"]["rows"]) == (3, 2, 0)
    _, text = loaded("tables")
    assert "2025-01-02 - 2025-02-02" in text and "quarantine" in text


def test_tables_as_of_a_moment_are_as_they_were_then(loaded: Any) -> None:
    _, found = loaded("tables", "--as-of", "2025-02-15", "--json")
    then = by_name(found)
    assert (then["sales"]["version"], then["sales"]["rows"], then["sales"]["source_files"]) == (1, 3, 1)
    assert (then["people"]["version"], then["people"]["rows"]) == (1, 2)
    assert (then["files"]["rows"], then["quarantine"]["rows"]) == (2, 1)
    _, found = loaded("tables", "--as-of", "2025-02-01", "--json")
    assert by_name(found)["sales"]["rows"] == 3
    code, found = loaded("tables", "--as-of", "2024-12-01", "--json")
    assert code == 0
    assert by_name(found)["sales"]["problem"] == "sales did not exist at 2024-12-01"


def test_rows_known_later_are_not_seen_in_a_version_that_holds_them(loaded: Any) -> None:
    _, found = loaded("tables", "show", "sales", "--as-of", "2025-02-01", "--version", "2", "--json")
    assert (found["version"], found["summary"]["extent"]["rows"]) == (2, 3)


def test_history_lists_the_versions_of_a_table(loaded: Any) -> None:
    _, found = loaded("tables", "history", "people", "--json")
    begun, first, second = found["versions"]
    assert (begun["version"], begun["operation"], begun["files_added"]) == (0, "create", 0)
    assert (first["version"], first["as_of"], first["operation"], first["rows_added"]) == (
        1,
        "2025-02-01T00:00:00Z",
        "append",
        2,
    )
    assert (second["operation"], second["files_added"], second["files_removed"], second["rows_added"]) == (
        "replace",
        1,
        1,
        1,
    )
    assert second["readable"] and second["written_at"].endswith("Z")
    _, until = loaded("tables", "history", "people", "--as-of", "2025-02-15", "--json")
    assert [one["version"] for one in until["versions"]] == [0, 1]
    assert "replace" in loaded("tables", "history", "people")[1]


def test_show_tells_each_column_and_some_rows(loaded: Any) -> None:
    code, found = loaded("tables", "show", "sales", "--rows", "2", "--json")
    assert code == 0
    amount = found["summary"]["columns"][2]
    assert (amount["name"], amount["nulls"], amount["quantiles"]) == ("amount", 1, [10, 10, 30, 40, 40])
    assert found["declared"]["amount"] == {"type": "float", "unit": "EUR", "min": 0, "max": 500, "role": ""}
    assert found["quarantine"] == {"rows": 1, "reasons": {"amount is below 0": 1}}
    assert len(found["sample"]) == 2 and "_known" not in found["sample"][0]
    _, text = loaded("tables", "show", "sales")
    assert "float [EUR]" in text and "25.0%" in text and "amount is below 0 (1)" in text and "sales_01.csv" in text


def test_show_reads_an_old_version(loaded: Any) -> None:
    _, found = loaded("tables", "show", "people", "--version", "1", "--json")
    assert (found["version"], found["as_of"], found["summary"]["extent"]["rows"]) == (1, "2025-02-01T00:00:00Z", 2)
    code, text = loaded("tables", "show", "people", "--version", "9")
    assert code == 4 and "versions are 0 to 2" in text


def test_show_draws_a_page_that_needs_nothing_else(loaded: Any, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "sales.html"
    code, text = loaded("tables", "show", "sales", "--to", str(page))
    assert code == 0 and str(page) in text.replace("\n", "")
    html = page.read_text()
    assert "<script" not in html and "amount is below 0" in html and "sales_02.csv" in html


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (("show", "sale"), "there is no table 'sale'", "did you mean 'sales'?"),
        (("history", "nothing"), "there is no table 'nothing'", "there are: "),
        (("sales",), "unknown command 'sales'; to see a table: keepfit tables show sales", ""),
        (("vacuum", "--keep", "a while"), "'a while' is not a duration", ""),
        (("vacuum", "--keep", "0d"), "'0d' is not a duration; write at least 1s", ""),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_what_is(
    loaded: Any, words: tuple[str, ...], what: str, fix: str
) -> None:
    code, found = loaded("tables", *words, "--json")
    assert code in (2, 4)
    assert what in found["what"] and fix in found["fix"]


def test_options_of_the_group_hold_for_its_words(loaded: Any) -> None:
    _, text = loaded("tables", "--as-of", "2025-02-15", "history", "sales")
    assert "2025-02-01" in text and "2025-03-01" not in text


def test_a_vacuum_frees_what_is_old_and_says_what_it_would_free(loaded: Any) -> None:
    stored = loaded.folder / ".keepfit/dev/lake/source/people"
    _, young = loaded("tables", "vacuum", "--json")
    assert young["bytes"] == 0
    assert "nothing to remove" in loaded("tables", "vacuum")[1]
    later = ("--as-of", "2090-01-01")
    _, dry = loaded("tables", "vacuum", "--dry-run", *later, "--json")
    people = next(one for one in dry["tables"] if one["table"] == "source/people")
    assert (people["files"], people["orphans"], people["lost"]) == (1, 0, [1])
    assert people["bytes"] == dry["bytes"] > 0 and len(list(stored.glob("*.parquet"))) == 2
    assert "freed" in loaded("tables", "vacuum", *later)[1]
    assert len(list(stored.glob("*.parquet"))) == 1
    _, text = loaded("tables", "history", "people")
    assert "vacuumed" in text
    code, text = loaded("tables", "show", "people", "--version", "1")
    assert code == 4 and "can no longer be read" in text and "versions that can be read: 0, 2" in text
    assert loaded("tables", "show", "people", "--json")[1]["summary"]["extent"]["rows"] == 3


def test_a_vacuum_waits_for_nobody_and_says_that_another_is_at_work(loaded: Any) -> None:
    from filelock import FileLock

    with FileLock(loaded.folder / ".keepfit/dev/lock"):
        code, text = loaded("tables", "vacuum")
    assert code == 3 and "another keepfit command is at work" in text
