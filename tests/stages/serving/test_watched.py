"""What a turn saw is told at a scrape: as soon as the file is there, until it is gone, and whatever is in it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.connect.servers import program

from keepfit.artifact import swap, watched_of
from keepfit.evidence import CONCEPT, CRITICAL, Drift, as_data
from keepfit.evidence.watched import Measured, Watched
from keepfit.stages.serving import watched
from keepfit.stages.serving.watched import Following, textfile

NOW = 1_767_225_600_000_000


def seen(**told) -> Watched:
    metrics = (
        Measured("2", "realised", "f1", 0.81, 400, baseline=0.5),
        Measured("2", "estimated", "f1", 0.8, 500, 0.7, 0.9, 0.83),
    )
    drift = (
        Drift("age", "ks", 0.31, 0.2, 0.1, True, 500, severity=CRITICAL, chance=0.001, relative_effect=0.12),
        Drift("concept", "surprise", 0.0, 1.0, 0.5, False, 400, kind=CONCEPT, chance=0.5),
    )
    alarms = {"info": 1, "warning": 0, "critical": 1}
    found = {"version": "3", "trained_at": NOW, "metrics": metrics, "watched": "2", "columns": 2, "alarms": alarms}
    return Watched("churn", NOW, **({**found, "drift": drift, "rows": {"known": 9}, "new_labels": 7} | told))


def told(page: str) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(page)
        for one in family.samples
    }


def test_a_turn_in_prometheus_words() -> None:
    undefined = Measured("2", "realised", "auc", float("nan"), 400)
    found = told(textfile(seen(metrics=(*seen().metrics, undefined))).decode())
    assert found["keepfit_last_turn_timestamp_seconds", "churn"] == NOW / 1e6
    assert found["keepfit_champion_trained_timestamp_seconds", "churn", "3"] == NOW / 1e6
    assert found["keepfit_model_metric", "f1", "churn", "realised", "2"] == 0.81
    assert found["keepfit_model_metric_high", "f1", "churn", "estimated", "2"] == 0.9
    assert found["keepfit_model_metric_baseline", "f1", "churn", "realised", "2"] == 0.5
    # what is not known is not told, and what inputs mean has no two samples
    assert not [key for key in found if "auc" in key and key[0] != "keepfit_model_metric_rows"]
    assert ("keepfit_drift_psi", "concept", "churn", "2") not in found
    assert found["keepfit_drift_psi", "age", "churn", "2"] == 0.31
    assert found["keepfit_drift_severity", "age", "churn", "2"] == 2
    assert (
        found["keepfit_drift_alarms", "churn", "critical"]
        == found["keepfit_drift_severity", "concept", "churn", "2"] + 1
    )
    assert (found["keepfit_turn_rows", "known", "churn"], found["keepfit_new_labels", "churn"]) == (9, 7)


def test_prometheus_own_linter_has_nothing_to_say() -> None:
    done = subprocess.run([program("promtool"), "check", "metrics"], input=textfile(seen()), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_server_follows_the_file(tmp_path: Path, caplog) -> None:
    path = watched_of(tmp_path / "churn.json")
    assert path.name == "churn.watched.json"
    following = Following(path)
    assert following.current() is None
    assert all(not values for _, _, _, values in following.gauges())
    for blocked in (False, True):
        swap(path, json.dumps(as_data(seen(blocked=blocked))).encode())
        assert following.current() == seen(blocked=blocked)
    # what cannot be read is said once, and what was known stays
    swap(path, b"{")
    assert following.current() == following.current() == seen(blocked=True)
    assert len(caplog.records) == 1
    path.unlink()
    assert following.current() is None


def test_a_file_is_read_once_a_change(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "churn.watched.json"
    swap(path, json.dumps(as_data(seen())).encode())
    following, read = Following(path), []
    monkeypatch.setattr(watched, "from_data", lambda kind, data: read.append(data) or seen())
    for _ in range(3):
        following.current()
    assert len(read) == 1
    os.utime(path, ns=(1, 1))
    following.current()
    assert len(read) == 2
