"""`keepfit report` shows a version that was recorded before, and writes nothing but the page it is asked for."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keepfit import clock
from keepfit.cli import main
from keepfit.evidence import Estimate, Evaluation, as_data
from keepfit.project import open_project
from keepfit.stages.registry.tracking import Tracked, training

JUNE, JULY = (clock.to_micros(clock.parse_moment(text)) for text in ("2025-06-01", "2025-07-01"))
EVALUATION = Evaluation(
    task="classification",
    metric="f1",
    threshold=0.5,
    rows={"train": 30, "validation": 5, "test": 6},
    test_from_at=0,
    test_to_at=clock.DAY,
    metrics={"f1": 0.8, "auc": 0.9},
    baseline={"f1": 0.5, "auc": 0.5},
    estimate=Estimate(0.8, 0.7, 0.9, 6),
    intervals={"f1": Estimate(0.8, 0.7, 0.9, 6), "auc": Estimate(0.9, 0.85, 0.95, 6)},
    rivals={"recency (gone)": {"f1": 0.6, "auc": 0.7}},
)
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["keepfit", *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().out

    return run


def recorded(folder: Path, files: dict[str, str], as_of: int) -> None:
    registry = open_project(folder, None, {}).registry
    made = folder / "made"
    made.mkdir(exist_ok=True)
    for name, content in files.items():
        (made / name).write_text(content)
    digests = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
    manifest = json.dumps({"files": digests})
    (made / "artifact.json").write_text(manifest)
    told = Tracked("churn", as_of)
    run = registry.begin(told)
    with training(told, [run]):
        registry.record(run, told, made, hashlib.sha256(manifest.encode()).hexdigest())


def test_a_version_is_shown_beside_its_rivals_and_its_page_is_written_where_it_is_asked_for(
    say: Say, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    assert say("init", str(folder), "--template", "shop", "--as-of", "2025-01-01")[0] == 0
    earlier = {key: value for key, value in as_data(EVALUATION).items() if key not in ("intervals", "rivals")}
    recorded(folder, {"evaluation.json": json.dumps(earlier)}, JUNE)
    files = {"evaluation.json": json.dumps(as_data(EVALUATION)), "evaluation.html": "<!doctype html>\n<p>page</p>"}
    recorded(folder, {**files, "report.json": json.dumps({"numbers": {"test.f1": {"value": 0.8}}})}, JULY)

    code, out = say("report", "--project", str(folder), "--json")
    found = json.loads(out)
    assert (code, found["version"], found["path"]) == (0, "2", None)
    assert found["numbers"] == {"test.f1": {"value": 0.8}}
    assert found["metrics"][0] == {
        "metric": "f1", "value": 0.8, "low": 0.7, "high": 0.9, "baseline": 0.5, "recency": 0.6, "better": "higher",
    }  # fmt: skip

    page = tmp_path / "pages" / "churn.html"
    code, out = say("report", "churn", "--project", str(folder), "--html", str(page))
    assert code == 0 and str(page) in out and "recency" in out
    assert page.read_text() == "<!doctype html>\n<p>page</p>"

    older = json.loads(say("report", "--project", str(folder), "--as-of", "2025-06-15", "--json")[1])
    assert (older["version"], older["metrics"][1]["low"]) == ("1", None)
    code, out = say("report", "--project", str(folder), "--version", "1", "--html", str(page), "--json")
    assert code != 0 and "has no page" in json.loads(out)["what"]
    code, out = say("report", "--project", str(folder), "--as-of", "2025-01-01", "--json")
    assert code != 0 and "keepfit train churn" in json.loads(out)["fix"]
