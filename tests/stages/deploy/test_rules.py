"""Alerts and routes, held by Prometheus' and Alertmanager's own tools: each alert fires when it shall, and not before."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from tests.connect.servers import program

from .world import read, rules

JOB = 'job="keepfit", service="churn", instance="service:8000"'


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
}  # fmt: skip


def alerts(place: Path) -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules(place) if "alert" in rule}


def held(place: Path, folder: Path, name: str, series: dict[str, str], minutes: int, *, fires: bool) -> None:
    """Let promtool run the rules over series, and hold whether the alert fires."""
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1}] if fires else []
    test = {
        "rule_files": [str(place / "rules/keepfit.yml")],
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
    assert f"{len(rules(place))} rules found" in done.stdout


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
