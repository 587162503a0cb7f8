"""Two sets of files side by side: what stops arriving, becomes texts or is new is told, not left out."""

from __future__ import annotations

import json

import pytest

from keepfit.begin import begin
from keepfit.cli import main

NOW = 1_767_225_600_000_000  # 2026-01-01


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    begin(tmp_path / "project", "empty", "dev", NOW, 7)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["keepfit", "drift", *words, "--project", "project", "--as-of", "2026-01-01"])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def written(path, header, row, rows=400):
    path.write_text("\n".join([header, *(row(number) for number in range(rows))]) + "\n")


def test_a_column_that_stops_arriving_is_the_clearest_drift(say, tmp_path):
    written(tmp_path / "before.csv", "x,y,z,same", lambda i: f"{i % 37},{i % 11},{i % 5},{i % 3}")
    written(tmp_path / "now.csv", "x,y,same,more", lambda i: f",{'hello' if i % 2 else i % 11},{i % 3},1")
    code, out = say("before.csv", "now.csv", "--json", "--to", "drift_summary.csv")
    assert code == 0
    found = json.loads(out)
    severity = {one["column"]: one["severity"] for one in found["drift"]}
    assert severity == {"x": "critical", "y": "critical", "z": "critical", "same": "info"}
    assert found["changed"] == {
        "x": "number before, label now",
        "y": "number before, label now",
        "z": "number before, missing now",
    }
    assert found["new"] == ["more"]
    (half,) = (one for one in found["drift"] if one["column"] == "y")
    assert half["measures"]["missingness"] == pytest.approx(0.5)
    header, *rows = (tmp_path / "drift_summary.csv").read_text().splitlines()
    assert header.startswith("severity,kind,column") and len(rows) == 4


def test_what_is_not_there_says_what_can_be_named(say):
    code, out = say("nowhere.parquet", "neither")
    assert code != 0
    assert "there is no file or table 'nowhere.parquet'" in out
