"""`keepfit ingest` as a script sees it."""

from __future__ import annotations

import json
import subprocess
import sys

DEFINITIONS = """
from keepfit import Events, Files, Float
sales = Events("sales", Files("sales_*.csv"), entity="who", time="at", columns={"amount": Float(min=0)})
"""
GOOD = "who,at,amount\na,2025-01-01T00:00Z,1\nb,2025-01-02T00:00Z,-2\n"


def ran(folder, *options, python=()):
    command = [
        sys.executable,
        *python,
        "-m",
        "keepfit",
        "ingest",
        "--project",
        str(folder),
        "--as-of",
        "2026-01-01",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_refused_file_is_told_with_its_exit_code_after_the_others_were_read(project):
    folder = project(DEFINITIONS, {"sales_1.csv": GOOD, "sales_2.csv": "who,at,amonut\n"})
    done = ran(folder)
    assert done.returncode == 4
    assert "amount is below 0 (1)" in done.stdout
    assert "sales_2.csv has no column 'amount'" in done.stderr and "did you mean 'amonut'?" in done.stderr


def test_json_is_one_object_with_errors_in_it(project):
    folder = project(DEFINITIONS, {"sales_1.csv": GOOD, "sales_2.csv": ""})
    done = ran(folder, "--json")
    (table,) = json.loads(done.stdout)["tables"]
    assert (done.returncode, table["appended"], table["quarantined"]) == (4, 1, 1)
    assert table["errors"][0]["what"] == "sales_2.csv is empty"


def test_nothing_new_is_success(project):
    folder = project(DEFINITIONS, {"sales_1.csv": GOOD})
    assert ran(folder).returncode == ran(folder).returncode == 0


def test_it_loads_nothing_that_computes_features_trains_or_serves(project):
    done = ran(project(DEFINITIONS, {"sales_1.csv": GOOD}), python=("-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "keepfit.stages.ingest" in loaded
    assert loaded & {"numba", "mlflow", "onnxruntime", "scipy", "sklearn", "xgboost"} == set()
