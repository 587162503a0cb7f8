"""`keepfit quarantine` and what `keepfit ingest` says of a load, as a script and as a reader see them."""

from __future__ import annotations

import json
import sys

import pytest

from keepfit.cli import main

DEFINITIONS = """
from keepfit import Events, Expect, Files, Float

sales = Events(
    "sales", Files("sales_*"), entity="who", time="at", columns={"amount": Float(min=0)},
    expect=[Expect.valid(0.9), Expect.volume(min=9, otherwise="warn")],
)
"""
JANUARY = "who,at,amount\na,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,-2\nc,2025-01-03T00:00Z\nd,2025-01-04T00:00Z,4\n"


@pytest.fixture
def keepfit(project, capsys, monkeypatch):
    folder = project(DEFINITIONS, {"sales_1.csv": JANUARY})

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["keepfit", *words, "--project", str(folder), "--as-of", "2025-02-01"])
        try:
            main()
        except SystemExit as stop:
            assert not stop.code, capsys.readouterr()
        return capsys.readouterr().out

    call("ingest")
    return call


def answer(said):
    return json.loads(said)


def test_list_counts_rows_by_table_and_reason(keepfit):
    found = answer(keepfit("quarantine", "list", "sales", "--json"))["quarantine"]
    assert [(one["rows"], one["first_file"], one["first_line"]) for one in found] == [
        (1, "sales_1.csv", 3),
        (1, "sales_1.csv", 4),
    ]
    assert "amount is below 0" in keepfit("quarantine")


def test_show_prints_rows_with_file_line_and_reason(keepfit):
    found = answer(keepfit("quarantine", "show", "sales", "--reason", "below", "--json"))
    assert found["rows"] == [
        {
            "file": "sales_1.csv",
            "line": 3,
            "record": 2,
            "reason": "amount is below 0",
            "raw": {"who": "b", "at": "2025-01-02T00:00Z", "amount": "-2"},
        }
    ]
    assert "1 of 2 rows" in keepfit("quarantine", "show", "sales", "--limit", "1")


def test_rows_that_were_edited_by_hand_are_released(keepfit, tmp_path):
    keepfit("quarantine", "show", "sales", "--to", str(path := tmp_path / "bad.jsonl"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["raw"]["amount"] = 2
    rows[1]["raw"] = {"who": "c", "at": "2025-01-03T00:00Z", "amount": "-3"}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = answer(keepfit("quarantine", "release", "sales", "--from", str(path), "--json"))
    assert (found["rows"], found["released"]) == (2, 1)
    assert [(row["line"], row["reason"]) for row in found["stayed"]] == [(4, "amount is below 0")]
    assert "0 of 1 rows released" in keepfit("quarantine", "release", "sales")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "line 1 is no JSON object"),
        ('{"file": "x.csv", "line": 3}', "x.csv, line 3 is not in the quarantine of sales"),
    ],
)
def test_a_file_that_show_did_not_write_is_refused(keepfit, tmp_path, capsys, text, what):
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(AssertionError, match=what):
        keepfit("quarantine", "release", "sales", "--from", str(tmp_path / "bad.jsonl"))


def test_ingest_says_what_is_not_as_expected_until_it_is_accepted(keepfit):
    said = keepfit("ingest")
    assert "blocks: 50% of the rows read of sales met the contract, at least 90% expected" in said
    assert "warning: the load of sales has 2 rows, at least 9 expected" in said
    (broken, _) = answer(keepfit("ingest", "--json"))["tables"][0]["broken"]
    assert (broken["table"], broken["measured"], broken["bound"], broken["otherwise"]) == ("sales", 0.5, 0.9, "block")
    assert answer(keepfit("ingest", "--accept", "sales", "--json"))["tables"][0]["broken"] == []
