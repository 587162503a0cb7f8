"""The Grafana dashboard as Grafana reads it; `panels.py` says what is on it."""

from __future__ import annotations

import json
from typing import Any

from keepfit.stages.deploy.compose.panels import CHOSEN, GREEN, ROWS, Panel

SCHEMA = 41  # of Grafana 12; what an older Grafana cannot read of it is left out there
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
HEIGHTS = {"Now": 4}
HEIGHT = 8
JSON = dict[str, Any]
OPTIONS: dict[str, JSON] = {
    "stat": {
        "colorMode": "value",
        "graphMode": "none",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "legend": {"show": True},
    },
}


def dashboard(model: str, metric: str = "") -> bytes:
    """Return the dashboard as JSON; the model is the value of `service` that is shown at first, and the metric that of `metric`."""
    said = {
        "uid": "keepfit-serving",
        "title": "keepfit: serving",
        "tags": ["keepfit"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "annotations": {"list": [_promotions()]},
        "templating": {"list": _variables(model, metric)},
        "panels": _placed(),
    }
    return (json.dumps(said, indent=1) + "\n").encode()


def _placed() -> list[JSON]:
    """Return rows and panels in their places: from left to right, and down where a row of them is full."""
    made: list[JSON] = []
    top = 0
    for title, panels in ROWS.items():
        row = {"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "panels": []}
        made.append({**row, "gridPos": _place(0, top, WIDTH, 1)})
        top, left, height = top + 1, 0, HEIGHTS.get(title, HEIGHT)
        for panel in panels:
            if left + panel.width > WIDTH:
                top, left = top + height, 0
            made.append(_panel(panel, len(made) + 1, _place(left, top, panel.width, height)))
            left += panel.width
        top += height
    return made


def _place(left: int, top: int, width: int, height: int) -> JSON:
    return {"x": left, "y": top, "w": width, "h": height}


def _panel(panel: Panel, number: int, place: JSON) -> JSON:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [_target(panel, at) for at in range(len(panel.queries))],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": OPTIONS[panel.kind] | _own(panel),
    }


def _target(panel: Panel, at: int) -> JSON:
    query, legend = panel.queries[at]
    return {
        "refId": chr(ord("A") + at),
        "datasource": SOURCE,
        "expr": query,
        "legendFormat": legend or "__auto",
        # of a heatmap, Grafana takes Prometheus' cumulative buckets apart
        "format": "heatmap" if panel.kind == "heatmap" else "time_series",
        "instant": panel.kind == "stat",
        "range": panel.kind != "stat",
    }


def _own(panel: Panel) -> JSON:
    if panel.kind == "heatmap":
        return {"yAxis": {"unit": panel.unit}}
    return {"textMode": "name" if panel.names else "auto"} if panel.kind == "stat" else {}


def _defaults(panel: Panel) -> JSON:
    steps = [{"value": value, "color": colour} for value, colour in panel.steps]
    first: list[JSON] = [{"value": None, "color": GREEN}]
    told: JSON = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": first + steps}}
    if panel.kind == "timeseries":
        told |= {"color": {"mode": "palette-classic"}, "custom": {"fillOpacity": 8, "showPoints": "never"}}
        told |= {} if panel.signed else {"min": 0}
    elif panel.kind == "stat":
        told |= {"color": {"mode": "thresholds"}}
    return told


def _variables(model: str, metric: str) -> list[JSON]:
    source: JSON = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}
    source["current"] = {"text": "Prometheus", "value": "prometheus"}
    return [
        source,
        _variable("service", "label_values(keepfit_ready, service)", model),
        _variable("route", f"label_values(keepfit_requests_total{{{CHOSEN}}}, route)"),
        _variable("version", f"label_values(keepfit_predictions_total{{{CHOSEN}}}, version)"),
        _variable("metric", f"label_values(keepfit_model_metric{{{CHOSEN}}}, metric)", metric),
    ]


def _variable(name: str, query: str, chosen: str | None = None) -> JSON:
    every = chosen is None
    return {
        "name": name,
        "type": "query",
        "label": name.capitalize(),
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": every,
        "includeAll": every,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]} if every else {"text": chosen, "value": chosen},
    }


def _promotions() -> JSON:
    return {
        "name": "Promotions",
        "enable": True,
        "iconColor": "purple",
        "datasource": SOURCE,
        "expr": f"changes(keepfit_champion_loaded_timestamp_seconds{{{CHOSEN}}}[1m]) > 0",
    }
