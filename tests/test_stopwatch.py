"""What each stage took, as JSON lines that a kill does not spoil."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.conftest import at

from keepfit.stopwatch import Stopwatch, append_line

JUNE = at("2025-06-01")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_stage_is_one_line_with_its_turn_and_rows(tmp_path):
    log, heard = tmp_path / "metrics" / "stages.jsonl", []
    watch = Stopwatch(JUNE, "churn", log, heard.append)
    with watch.stage("features") as stage:
        stage.rows(100, 12)
    with watch.stage("promote"):
        pass
    first, second = lines(log)
    assert {name: first[name] for name in ("as_of", "model", "stage", "rows_in", "rows_out", "failed")} == {
        "as_of": "2025-06-01T00:00:00Z", "model": "churn", "stage": "features", "rows_in": 100, "rows_out": 12, "failed": None,
    }  # fmt: skip
    assert (second["stage"], second["rows_in"], second["rows_out"]) == ("promote", None, None)
    assert 0 <= first["seconds"] < 5
    assert heard == ["features", "promote"]


def test_seconds_of_one_stage_add_up_and_lines_do_not(tmp_path):
    watch = Stopwatch(JUNE, log=tmp_path / "stages.jsonl")
    for _ in range(2):
        with watch.stage("predict"):
            pass
    assert list(watch.seconds) == ["predict"]
    assert len(lines(tmp_path / "stages.jsonl")) == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_stage_that_raises_is_told_with_what_it_raised(tmp_path, error):
    watch = Stopwatch(JUNE, log=tmp_path / "stages.jsonl")
    with pytest.raises(error), watch.stage("train"):
        raise error
    assert lines(tmp_path / "stages.jsonl")[0]["failed"] == error.__name__


def test_the_line_after_a_torn_one_is_whole(tmp_path):
    path = tmp_path / "stages.jsonl"
    append_line(path, {"stage": "ingest"})
    with path.open("a") as file:
        file.write('{"stage": "tra')  # a disk that was full, a machine that lost its power
    append_line(path, {"stage": "watch"})
    first, torn, last = path.read_text().splitlines()
    assert (json.loads(first), torn, json.loads(last)) == ({"stage": "ingest"}, '{"stage": "tra', {"stage": "watch"})


def test_two_processes_append_whole_lines(tmp_path):
    path = tmp_path / "stages.jsonl"
    code = (
        "import sys; from pathlib import Path; from keepfit.stopwatch import append_line\n"
        "for place in range(200): append_line(Path(sys.argv[1]), {'who': sys.argv[2], 'place': place, 'pad': 'x' * 500})"
    )
    made = [subprocess.Popen([sys.executable, "-c", code, str(path), who]) for who in "ab"]
    assert [one.wait(timeout=60) for one in made] == [0, 0]
    found = lines(path)
    for who in "ab":
        assert [one["place"] for one in found if one["who"] == who] == list(range(200))


def test_the_peak_of_memory_holds_what_was_held():
    code = (
        "from keepfit.stopwatch import peak_memory\n"
        "before = peak_memory(); held = bytearray(b'x') * 100_000_000; print(before, peak_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 1_000_000 < before < after
    assert after - before >= 90_000_000
