"""What the dashboard shows: rows of panels in the terms of queries. To add a panel, add a line here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CHOSEN = 'service=~"$service"'
ROUTED = f'{CHOSEN}, route=~"$route"'
VERSIONED = f'{CHOSEN}, version=~"$version"'
INTERVAL = "$__rate_interval"
GREEN, ORANGE, RED = "green", "orange", "red"
DAY_S = 86_400
TOLD = (0.5, 0.95, 0.99)
MEASURED = f'{CHOSEN}, metric=~"$metric"'
EXPECTED = f'{MEASURED}, stage="estimated"'


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes
    ----------
    kind : str
        Grafana's: stat, timeseries or heatmap.
    queries : sequence of (str, str)
        PromQL and the legend of its series.
    unit : str
        Grafana's id of a unit.
    width : int
        Of 24.
    says : str
        What a viewer reads at the panel's title.
    steps : sequence of (float, str)
        From which value on which colour; below the first it is green.
    names : bool
        Whether a stat shows its series' name in place of its value.
    signed : bool
        Whether lines may go below zero, and the axis need not begin there.
    """

    title: str
    kind: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 8
    says: str = ""
    steps: Sequence[tuple[float, str]] = ()
    names: bool = False
    signed: bool = False


def _stat(title: str, query: str, unit: str = "short", legend: str = "", **told: Any) -> Panel:
    return Panel(title, "stat", [(query, legend)], unit, 3, **told)


def _lines(title: str, query: str, legend: str, unit: str = "short", width: int = 8, **told: Any) -> Panel:
    return Panel(title, "timeseries", [(query, legend)], unit, width, **told)


def _heat(title: str, metric: str, of: str, unit: str, **told: Any) -> Panel:
    query = f"sum by (le) (increase({metric}_bucket{{{of}}}[{INTERVAL}]))"
    return Panel(title, "heatmap", [(query, "{{le}}")], unit, 12, **told)


def _rate(metric: str, by: str = "", of: str = CHOSEN) -> str:
    grouped = f"sum by ({by}) " if by else "sum"
    return f"{grouped}(rate({metric}{{{of}}}[{INTERVAL}]))"


def _quantile(q: float, metric: str, by: str = "", of: str = CHOSEN) -> str:
    return f"histogram_quantile({q}, {_rate(f'{metric}_bucket', f'le, {by}' if by else 'le', of)})"


def _mean(metric: str, by: str, of: str) -> str:
    return f"{_rate(f'{metric}_sum', by, of)} / {_rate(f'{metric}_count', by, of)}"


SECONDS = "keepfit_request_duration_seconds"
REQUESTS = _rate("keepfit_requests_total", of=ROUTED)
FAILING = _rate("keepfit_requests_total", of=f'{ROUTED}, status=~"5.."')

NOW = [
    _stat("Champion", f"keepfit_champion_info{{{CHOSEN}}}", legend="{{version}}", names=True, says="The version that answers."),
    _stat("Ready", f"min(keepfit_ready{{{CHOSEN}}})", "bool_yes_no", steps=[(0, RED), (1, GREEN)]),
    _stat("Requests", REQUESTS, "reqps"),
    _stat(
        "Failing", f"({FAILING} or vector(0)) / {REQUESTS}", "percentunit", steps=[(0.001, ORANGE), (0.01, RED)],
        says="Share of answers of 500 and above.",
    ),
    _stat("p99", _quantile(0.99, SECONDS, of=ROUTED), "s", steps=[(0.02, ORANGE), (0.05, RED)]),
    _stat(
        "Store filled", f"max(keepfit_store_age_seconds{{{CHOSEN}}})", "s", steps=[(1.1 * DAY_S, ORANGE), (1.5 * DAY_S, RED)],
        says="Time since a turn of the loop filled the online store; posted events are newer.",
    ),
    _stat("Waiting for the lake", f"sum(keepfit_outbox_backlog{{{CHOSEN}}})", says="Answers of the prediction log."),
    _stat("Alerts", f'count(ALERTS{{{CHOSEN}, alertstate="firing"}}) or vector(0)', steps=[(1, RED)]),
]  # fmt: skip
REQUESTED = [
    _lines("By route and status", _rate("keepfit_requests_total", "route, status", ROUTED), "{{route}} {{status}}", "reqps"),
    Panel(
        "Time to answer by version", "timeseries",
        [(_quantile(q, SECONDS, "version", f'{ROUTED}, version=~"$version"'), f"p{100 * q:.0f} {{{{version}}}}") for q in TOLD],
        "s",
    ),
    _lines("Where its time goes, p99", _quantile(0.99, "keepfit_stage_duration_seconds", "stage"), "{{stage}}", "s"),
    _heat("Time to answer", SECONDS, ROUTED, "s"),
    _lines("Turned away", _rate("keepfit_refused_total", "reason"), "{{reason}}", "reqps", 6),
    _lines("Errors by kind", _rate("keepfit_errors_total", "kind"), "{{kind}}", "reqps", 6),
    Panel(
        "Queue", "timeseries",
        [
            (f"sum(keepfit_queue_length{{{CHOSEN}}})", "waiting"),
            (f"sum(keepfit_requests_in_flight{{{CHOSEN}}})", "in flight"),
            (f"sum(keepfit_queue_limit{{{CHOSEN}}})", "limit"),
            (f"sum(keepfit_connections{{{CHOSEN}}})", "connections"),
        ],
    ),
    _lines("Wait for a turn, p99", _quantile(0.99, "keepfit_queue_wait_seconds"), "p99", "s"),
    _lines("Predictions a request, mean", _mean("keepfit_batch_size", "route", ROUTED), "{{route}}"),
]  # fmt: skip
PREDICTED = [
    _heat("Scores", "keepfit_score", VERSIONED, "percentunit", says="Probabilities of the positive class."),
    _lines("Predictions by version", _rate("keepfit_predictions_total", "version", VERSIONED), "{{version}}", "reqps", 12),
    _lines(
        "Positive decisions",
        f"{_rate('keepfit_positives_total', 'version', VERSIONED)} / {_rate('keepfit_predictions_total', 'version', VERSIONED)}",
        "{{version}}", "percentunit",
    ),
    _lines("Mean score", _mean("keepfit_score", "version", VERSIONED), "{{version}}", "percentunit"),
    _lines("Labels that training has not seen", _rate("keepfit_unknown_categories_total", "feature"), "{{feature}}", "cps"),
]  # fmt: skip
WATCHED = [
    Panel(
        "Metric", "timeseries",
        [
            (f"max by (stage, version) (keepfit_model_metric{{{MEASURED}}})", "{{stage}} v{{version}}"),
            (f"max(keepfit_model_metric_low{{{EXPECTED}}})", "estimated, low"),
            (f"max(keepfit_model_metric_high{{{EXPECTED}}})", "estimated, high"),
            (f'max(keepfit_model_metric_baseline{{{MEASURED}, stage="realised"}})', "constant"),
        ],
        width=12, signed=True, says="On test rows, on matured rows, and estimated before labels mature, as the last turn saw it.",
    ),
    _lines(
        "Drift, PSI", f"topk(10, max by (column) (keepfit_drift_psi{{{CHOSEN}}}))", "{{column}}", width=12,
        says="The ten columns that moved farthest from the reference of the version that answered.",
    ),
    _lines(
        "Expected effect on the loss", f"topk(10, max by (column) (keepfit_drift_effect_ratio{{{CHOSEN}}}))", "{{column}}",
        "percentunit", 6, signed=True,
    ),
    _lines("Columns that drifted", f"max by (severity) (keepfit_drift_alarms{{{CHOSEN}}})", "{{severity}}", width=6),
    Panel(
        "Time since", "timeseries",
        [
            (f"time() - max(keepfit_champion_trained_timestamp_seconds{{{CHOSEN}}})", "champion trained"),
            (f"time() - max(keepfit_last_turn_timestamp_seconds{{{CHOSEN}}})", "last turn"),
        ],
        "s", 6,
    ),
    _lines("Rows of a turn", f"max by (kind) (keepfit_turn_rows{{{CHOSEN}}})", "{{kind}}", width=6),
]  # fmt: skip
FRESH = [
    _lines("Age of the newest event", f"max by (table) (keepfit_event_age_seconds{{{CHOSEN}}})", "{{table}}", "s"),
    _lines("Events posted", _rate("keepfit_events_accepted_total", "table"), "{{table}}", "cps"),
    _lines("Rows of the online store", f"sum by (table) (keepfit_store_rows{{{CHOSEN}}})", "{{table}}"),
    _lines("Answers that wait for the lake", f"sum(keepfit_outbox_backlog{{{CHOSEN}}})", "answers"),
    _lines("The oldest that waits", f"max(keepfit_outbox_age_seconds{{{CHOSEN}}})", "age", "s"),
    _lines(
        "The champion answers since", f"max(time() - keepfit_champion_loaded_timestamp_seconds{{{CHOSEN}}})", "age", "s"
    ),
]
PROCESS = [
    _lines("CPU", f"rate(process_cpu_seconds_total{{{CHOSEN}}}[{INTERVAL}])", "{{instance}}", "percentunit"),
    _lines("Memory", f"process_resident_memory_bytes{{{CHOSEN}}}", "{{instance}}", "bytes"),
    Panel(
        "Open files", "timeseries", [(f"process_open_fds{{{CHOSEN}}}", "open"), (f"process_max_fds{{{CHOSEN}}}", "limit")]
    ),
]  # fmt: skip
ROWS = {
    "Now": NOW, "Requests": REQUESTED, "Predictions": PREDICTED, "Model": WATCHED, "Freshness": FRESH, "Process": PROCESS,
}  # fmt: skip
