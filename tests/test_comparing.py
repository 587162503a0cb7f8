"""Two sets of files side by side: what stops arriving, becomes texts or is new is told, not left out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from keepfit.begin import begin
from keepfit.cli import main

FILES = ["before.csv", "day.csv"]
NOW = 1_767_225_600_000_000  # 2026-01-01


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    begin(tmp_path / "project", "empty", "dev", NOW, 7)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["keepfit", "drift", "--project", "project", "--as-of", "2026-01-01", *words])
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
    assert "no project is here" not in out


def test_files_are_compared_where_there_is_no_project(tmp_path):
    written(tmp_path / "before.csv", "x,s", lambda i: f"{i % 37},{'ab'[i % 2]}")
    written(tmp_path / "now.csv", "x,s", lambda i: f"{i % 37 + 20},{'ab'[i % 2]}")
    code = "import sys; from keepfit.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", code, "drift", "before.csv", "now.csv", "--json"]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [one["column"] for one in json.loads(ran.stdout)["drift"] if one["significant"]] == ["x"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before.csv", "now.csv"]
    loaded = set(ran.stderr.split())
    assert not loaded & {"deltalake", "mlflow", "numba", "onnxruntime", "pandas", "scipy", "sklearn"}


def test_a_table_of_no_project_says_where_to_look(say, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    _, out = say("sales", "sales", "--project", "elsewhere")
    assert "there is no file or table 'sales'" in out
    assert "no project is here: --project FOLDER" in out


def test_counts_of_hours_add_up_to_those_of_the_day(say, tmp_path):
    row = "{},{}".format
    written(tmp_path / "before.csv", "x,s", lambda i: row(i % 37, "abc"[i % 3]))
    written(tmp_path / "day.csv", "x,s", lambda i: row(i * i % 41, "abd"[i % 3]), rows=300)
    for hour in range(3):
        some = range(hour * 100, hour * 100 + 100)
        written(
            tmp_path / f"hour_{hour}.csv", "x,s", lambda i, some=some: row(some[i] ** 2 % 41, "abd"[some[i] % 3]), 100
        )
        reference = ["before.csv", "--reference-to", "known.json"] if not hour else ["known.json"]
        code, _ = say(*reference[:1], f"hour_{hour}.csv", *reference[1:], "--current-to", f"counted_{hour}.json")
        assert code == 0
    added, whole = (json.loads(say(*words, "--json")[1]) for words in (["known.json", "counted_*.json"], FILES))
    assert added["drift"] == whole["drift"]
    assert added["current"]["rows"] == whole["current"]["rows"] == 300
    assert added["changed"] == whole["changed"] == {}


def test_counts_that_cannot_be_compared_are_refused(say, tmp_path):
    for name, step in (("before", 37), ("day", 41)):
        written(tmp_path / f"{name}.csv", "x", lambda i, step=step: f"{i % step}")
        say(f"{name}.csv", "before.csv", "--reference-to", f"{name}.json")
    code, out = say("before.json", "day.json")
    assert code != 0
    assert "counted in different bins" in out and "day.json" in out
    (tmp_path / "other.json").write_text('{"x": 1}')
    assert "holds no counts" in say("before.json", "other.json")[1]
    (tmp_path / "other.json").write_text("[1, 2]")
    assert "holds no counts" in say("other.json", "before.json")[1]
    assert "CSV and counts are mixed" in say("before.csv", "day.*")[1]
    code, out = say("before.csv", "day.csv", "--current-to", "day.txt")
    assert code != 0
    assert "name a file that ends in .json" in out
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("nothing", ["", "x\n"])
def test_files_without_a_row_are_refused_and_no_quiet_day(say, tmp_path, nothing):
    written(tmp_path / "before.csv", "x", lambda i: f"{i % 37}")
    (tmp_path / "now.csv").write_text(nothing)
    code, out = say("before.csv", "now.csv")
    assert code == 4 and "there is no row to compare" in out and "where: now.csv" in out


def test_what_an_alarm_is_says_how_far_it_must_be_without_a_past(say, tmp_path):
    written(tmp_path / "before.csv", "x", lambda i: f"{i % 37}", 20_000)
    written(tmp_path / "now.csv", "x", lambda i: f"{i % 37 + 2 * (i % 2)}", 20_000)
    code, out = say("before.csv", "now.csv", "--html", "page.html")
    assert code == 0 and "a chance below 0.05 with a psi of 0.1 or more" in out
    assert "<0.001" in out and "info" in out and "warning" not in out  # certain, and too small to tell of
    page = (tmp_path / "page.html").read_text()
    assert "with a PSI of 0.1 or more" in page and "of sampling alone" in page and "the model's own past" not in page


def test_the_page_of_files_tells_of_all_columns_together_beside_them(say, tmp_path):
    for name, sign in (("before", 1), ("now", -1)):  # x and y each as before, but no longer alike
        written(tmp_path / f"{name}.csv", "x,y", lambda i, sign=sign: f"{i % 37 - 18},{sign * (i % 37 - 18)}")
    code, _ = say("before.csv", "now.csv", "--multivariate", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert code == 0 and "None of 2 columns drifted" in page
    assert "Rows of now can be told from those of then by all columns together" in page
