"""The dashboard: as Grafana's own types and Prometheus' own parser read it."""

from __future__ import annotations

import json
import subprocess

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, RowPanel
from tests.connect.servers import program

from .world import queries, read

FILE = "grafana/dashboards/keepfit.json"


def within(own: object, others: object, path: str = "") -> list[str]:
    """Return where `others`, what Grafana's types made of a document, lacks something that the document says."""
    if isinstance(own, dict) and isinstance(others, dict):
        return [
            where
            for key, value in own.items()
            for where in (within(value, others[key], f"{path}.{key}") if key in others else [f"{path}.{key}"])
        ]
    if isinstance(own, list) and isinstance(others, list) and len(own) == len(others):
        pairs = zip(own, others, strict=True)
        return [where for at, (one, other) in enumerate(pairs) for where in within(one, other, f"{path}[{at}]")]
    return [] if own == others else [f"{path}: {own!r} != {others!r}"]


def test_grafana_s_types_know_every_word_of_it(place) -> None:
    register_default_plugins()
    own = read(place / FILE)
    read_back = json.loads(JSONEncoder().encode(Dashboard.from_json(own)))
    assert within(own, read_back) == []
    assert len(Dashboard.from_json(own).panels) == len(own["panels"])
    assert any(isinstance(one, RowPanel) for one in Dashboard.from_json(own).panels)


def test_panels_lie_beside_each_other(place) -> None:
    taken: dict[tuple[int, int], str] = {}
    panels = read(place / FILE)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len(taken) == 24 * max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)


def test_prometheus_can_parse_every_query(place, tmp_path) -> None:
    told = [{"record": f"panel:{at}", "expr": query} for at, query in enumerate(queries(place).values())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": told}]}))
    done = subprocess.run(
        [program("promtool"), "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(told)} rules found" in done.stdout


def test_grafana_finds_its_source_and_its_dashboards_where_compose_puts_them(place) -> None:
    grafana = read(place / "compose.yaml")["services"]["grafana"]
    mounted = dict(mount.split(":")[:2] for mount in grafana["volumes"])
    (provider,) = read(place / "grafana/provisioning/dashboards/keepfit.yml")["providers"]
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./grafana/provisioning"] == "/etc/grafana/provisioning"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/{(place / FILE).name}"
    (source,) = read(place / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    variables = {one["name"]: one for one in read(place / FILE)["templating"]["list"]}
    assert set(variables) == {"datasource", "service", "route", "version", "metric"}
    assert variables["datasource"]["current"]["value"] == source["uid"]
