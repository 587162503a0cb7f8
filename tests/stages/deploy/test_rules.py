"""Alerts and routes, held by Prometheus' and Alertmanager's own tools: each alert fires when it shall, and not before."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from tests.connect.servers import program

from .world import read, rules

JOB = 'job="keepfit", service="churn", instance="service:8000"'
OLD = f'keepfit_champion_trained_timestamp_seconds{{{JOB}, model="churn", version="2"}}'


class Case(NamedTuple):
    """An alert: after so many minutes of these series it fires, and of those it does not."""

    minutes: int
    fires: dict[str, str]
    quiet: dict[str, str]


def requests(status: str, values: str) -> dict[str, str]:
    return {f'keepfit_requests_total{{{JOB}, route="/predict", status="{status}"}}': values}


def refused(reason: str, values: str) -> dict[str, str]:
    return {f'keepfit_refused_total{{{JOB}, reason="{reason}"}}': values}


def seconds(within_50_ms: int) -> dict[str, str]:
    name = f'keepfit_request_duration_seconds_bucket{{{JOB}, route="/predict", version="1", le="%s"}}'
    return {name % "0.05": f"0+{within_50_ms}x40", name % "0.1": "0+100x40", name % "+Inf": "0+100x40"}


def unknown(labels: int, predictions: int) -> dict[str, str]:
    return {
        f'keepfit_unknown_categories_total{{{JOB}, feature="segment"}}': f"0+{labels}x200",
        f'keepfit_predictions_total{{{JOB}, model="churn", version="1"}}': f"0+{predictions}x200",
    }


def gauge(name: str, value: float) -> dict[str, str]:
    return {f"{name}{{{JOB}}}": f"{value}x60"}


def watched(name: str, value: float, **labels: str) -> dict[str, str]:
    """Return a series of what a turn saw of version 2, which is the champion."""
    told = "".join(f', {label}="{word}"' for label, word in ({"version": "2"} | labels).items())
    champion = f'keepfit_champion_trained_timestamp_seconds{{{JOB}, model="churn", version="2"}}'
    return {f'{name}{{{JOB}, model="churn"{told}}}': f"{value}x60", champion: "0x60"}


def metric(value: float, end: str = "", stage: str = "realised", **labels: str) -> dict[str, str]:
    return watched(f"keepfit_model_metric{end}", value, **({"stage": stage, "metric": "f1"} | labels))


def drifted(psi: float, severity: int, **labels: str) -> dict[str, str]:
    found = {"psi": psi, "severity": severity}
    return {
        series: values
        for name, value in found.items()
        for series, values in watched(f"keepfit_drift_{name}", value, **({"column": "age"} | labels)).items()
    }


CASES = {
    "KeepfitDown": Case(2, gauge("up", 0), gauge("up", 1)),
    "KeepfitRestarting": Case(
        15, {f"process_start_time_seconds{{{JOB}}}": "1+1x20"}, {f"process_start_time_seconds{{{JOB}}}": "1x9 2x20"}
    ),
    "KeepfitNotReady": Case(3, gauge("keepfit_ready", 0), gauge("keepfit_ready", 1)),
    "KeepfitDegraded": Case(6, gauge("keepfit_champion_refused", 1), gauge("keepfit_champion_refused", 0)),
    "KeepfitFailing": Case(
        15,
        requests("200", "0+95x30") | requests("500", "0+5x30"),
        requests("200", "0+95x30") | requests("503", "0+5x30") | requests("422", "0+50x30"),
    ),
    "KeepfitSlow": Case(20, seconds(within_50_ms=95), seconds(within_50_ms=100)),
    "KeepfitRefusing": Case(15, refused("queue", "0+60x30"), refused("queue", "0x30") | refused("forbidden", "0+60x30")),
    "KeepfitUnauthorized": Case(20, refused("unauthorized", "0+60x40"), refused("unauthorized", "0+1x40")),
    "KeepfitStaleFeatures": Case(20, gauge("keepfit_store_age_seconds", 130_000), gauge("keepfit_store_age_seconds", 90_000)),
    "KeepfitOutboxStuck": Case(20, gauge("keepfit_outbox_age_seconds", 130_000), gauge("keepfit_outbox_age_seconds", 0)),
    "KeepfitUnknownCategories": Case(120, unknown(10, 100), unknown(1, 100)),
    # the champion is version 2: what was seen of the one before it is over
    "KeepfitMetric": Case(10, metric(0.79), metric(0.8) | metric(0.5, version="1") | metric(0.04, metric="ece")),
    "KeepfitEstimate": Case(10, metric(0.74, "_high", "estimated"), metric(0.76, "_high", "estimated")),
    "KeepfitDrift": Case(10, drifted(0.2, 1), drifted(0.3, 0) | drifted(0.19, 1, column="sum") | drifted(3, 2, version="1")),
    "KeepfitDriftCritical": Case(10, drifted(0.1, 2), drifted(3, 1)),
    # trained 122 days before these series begin, in 1970: 90 and the month until the next turn
    "KeepfitOld": Case(10, {OLD: f"{-122 * 86400}x60"}, {OLD: f"{-100 * 86400}x60"}),
    "KeepfitBlocked": Case(10, watched("keepfit_turn_blocked", 1), watched("keepfit_turn_blocked", 0)),
}  # fmt: skip


def alerts(place: Path) -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules(place) if "alert" in rule}


def held(place: Path, folder: Path, name: str, series: dict[str, str], minutes: int, *, fires: bool) -> None:
    """Let promtool run the rules over series, and hold whether the alert fires."""
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1}] if fires else []
    test = {
        "rule_files": [str(path) for path in sorted((place / "rules").glob("*.yml"))],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [{
                "expr": f'max by (alertname) (ALERTS{{alertname="{name}", alertstate="firing"}})',
                "eval_time": f"{minutes}m", "exp_samples": expected,
            }],
        }],
    }  # fmt: skip
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run([program("promtool"), "test", "rules", folder / "test.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_when_it_shall_and_not_otherwise(place, tmp_path, name: str) -> None:
    case = CASES[name]
    held(place, tmp_path, name, case.fires, case.minutes, fires=True)
    held(place, tmp_path, name, case.quiet, case.minutes, fires=False)
    if "for" in alerts(place)[name]:
        held(place, tmp_path, name, case.fires, 0, fires=False)


def test_a_new_label_among_few_predictions_is_no_alert(place, tmp_path) -> None:
    held(place, tmp_path, "KeepfitUnknownCategories", unknown(1, 1), 120, fires=False)


def test_every_alert_is_tested_and_says_how_bad_it_is_and_what_to_do(place) -> None:
    assert set(alerts(place)) == set(CASES)
    bounded = {(rule["alert"], rule["labels"].get("metric")) for rule in rules(place) if "alert" in rule}
    assert {("KeepfitMetric", "f1"), ("KeepfitMetric", "auc"), ("KeepfitMetric", "ece")} <= bounded
    for name, rule in alerts(place).items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name


def test_prometheus_accepts_its_configuration(place, tmp_path) -> None:
    token = place / "secrets/metrics_token"
    text = (place / "prometheus.yml").read_text().replace("/run/secrets/metrics_token", str(token))
    (tmp_path / "prometheus.yml").write_text(text.replace("rules/", f"{place}/rules/"))
    done = subprocess.run(
        [program("promtool"), "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(map(int, re.findall(r"(\d+) rules found", done.stdout))) == len(rules(place))


def test_alertmanager_accepts_its_configuration_and_tells_nobody_until_it_is_said_whom(place) -> None:
    amtool, config = program("amtool"), f"--config.file={place / 'alertmanager.yml'}"
    checked = subprocess.run([amtool, "check-config", place / "alertmanager.yml"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for severity in ("critical", "warning"):
        words = [amtool, "config", "routes", "test", config, "--verify.receivers=nobody", f"severity={severity}"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    receivers = {one["name"] for one in read(place / "alertmanager.yml")["receivers"]}
    assert receivers == {"nobody", "webhook", "slack", "email"}
    assert "password:" not in (place / "alertmanager.yml").read_text()
