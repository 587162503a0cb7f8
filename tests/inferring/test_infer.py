"""From files that nobody has described to a definition that checks and ingests them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest


def ran(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "keepfit", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)


def stations(folder: Path) -> list[Path]:
    """Write three stations' hours: units in headers, one without a column, empty values, a sentinel, one bad number."""
    lottery = random.Random(5)
    folder.mkdir(parents=True)
    paths = []
    for number in range(3):
        names = ["From Date", "PM2.5 (ug/m3)", *(["Ozone (ug/m3)"] if number < 2 else []), "wind"]
        rows = []
        for hour in range(400):
            moment = f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00:00"
            dust = (
                "" if lottery.random() < 0.1 else "-999" if lottery.random() < 0.05 else f"{lottery.uniform(5, 90):.2f}"
            )
            other = [f"{lottery.uniform(1, 60):.1f}"] if number < 2 else []
            rows.append(",".join([moment, dust, *other, lottery.choice(["N", "NE", "S"])]))
        paths.append(folder / f"site_{number}.csv")
        paths[-1].write_text("\n".join([",".join(names), *rows]) + "\n")
    return paths


def test_unknown_files_become_a_project_that_checks_and_ingests(tmp_path):
    paths = stations(tmp_path / "raw")
    project = tmp_path / "project"
    project.mkdir()
    found = ran("infer", *paths, "--project", project, "--zone", "UTC", "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    written = (project / "definitions.py").read_text()
    assert 'unit="ug/m3"' in written and "-999" in written and 'vanish="ignore"' in written
    assert ran("check", "--project", project, cwd=tmp_path).returncode == 0
    done = ran("ingest", "--project", project, "--as-of", "2025-01-01", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (table,) = json.loads(done.stdout)["tables"]
    assert (table["rows_read"], table["appended"], len(table["files"])) == (1200, 1200, 3)


def test_a_definition_that_is_there_is_never_overwritten(tmp_path):
    (path, *_) = stations(tmp_path / "raw")
    (tmp_path / "definitions.py").write_text("# mine\n")
    refused = ran("infer", path, "--to", tmp_path / "definitions.py", cwd=tmp_path)
    assert refused.returncode != 0
    assert (tmp_path / "definitions.py").read_text() == "# mine\n"


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    refused = ran("infer", path, "--to", tmp_path / "definitions.py", cwd=tmp_path)
    assert refused.returncode != 0
    assert "odd.csv" in refused.stderr and "Traceback" not in refused.stderr
