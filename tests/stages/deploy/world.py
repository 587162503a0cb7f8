"""The folder of a small shop's service, the service itself as the command runs it, and what its files say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import yaml
from tests.stages.serving.world import NOW, fill, wait_until

from keepfit import clock, deploying
from keepfit.artifact import swap, watched_of
from keepfit.evidence import Drift, as_data
from keepfit.evidence.watched import Measured, Watched
from keepfit.project import Project, open_project
from keepfit.stages.deploy.compose.panels import INTERVAL
from keepfit.stages.serving.sqlite import SQLiteStore

DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Gate, Integer, Model, Policy, Records, when
from names import CHURN

customers = Records(
    "customers", Files("customers.csv"), entity="customer_id",
    columns={"customer_id": Integer(), "age": Integer(), "segment": Category()},
)
sales = Events(
    "sales", Files("sales.csv"), entity="customer_id", time="sold_at",
    columns={"customer_id": Integer(), "amount": Float(min=0)},
)
churn = Model(
    CHURN, observe=Every("1 month", of=customers), target=sales.count(next="30d") == 0,
    features=[sales.amount.sum(last="30d"), sales.count(last="90d"), customers.age], metric="f1",
    gates=[Gate("auc", threshold=0.7), Gate.calibrated(0.05)],
    policy=Policy(when.metric_below("f1", 0.8) | when.estimated_below("f1", 0.75) | when.drift() | when.older_than("90d")),
)
"""
METRIC = re.compile(r"\b((?:keepfit|process)_[a-z_]+|up)\b")


def shop(root: Path, store: str | None = None) -> Project:
    """Write a project and return it; with an online store, if one is named."""
    folder = root / "shop"
    (folder / "data").mkdir(parents=True)
    (folder / "tools").mkdir()
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "names.py").write_text('CHURN = "churn"\n')
    (folder / "tools" / "__init__.py").write_text("")
    (folder / "keepfit.yaml").write_text(yaml.safe_dump({"serving": {"store": store}, "profiles": {"prod": {}}}))
    return open_project(folder, None, {})


def deployed(project: Project, place: Path, **options) -> dict:
    """Write the folder."""
    return deploying.deploy(project, project.model("churn"), "compose", place, **options)


def secrets(place: Path) -> None:
    """Follow the first step of the folder's README."""
    (step,) = re.findall(r"^```sh\n(mkdir .*?)^```$", (place / "README.md").read_text(), re.M | re.S)
    subprocess.run(["bash", "-euc", step], cwd=place, check=True, capture_output=True)


def bearer(place: Path, name: str) -> dict[str, str]:
    """Return the header that shows a token of the folder."""
    return {"Authorization": f"Bearer {(place / 'secrets' / name).read_text()}"}


def read(path: Path) -> dict:
    """Return what a YAML or JSON file holds."""
    return json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())


def queries(place: Path) -> dict[str, str]:
    """Return the queries of the dashboard by panel, as Grafana would send them with everything chosen."""
    found = {}
    for panel in read(place / "grafana/dashboards/keepfit.json")["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"].replace(INTERVAL, "1m").replace("$service", "churn")
            found[f"{panel['title']} {target['refId']}"] = re.sub(r"\$(route|version|metric)", ".*", text)
    return found


def rules(place: Path) -> list[dict]:
    """Return the rules."""
    files = sorted((place / "rules").glob("*.yml"))
    return [rule for path in files for group in read(path)["groups"] for rule in group["rules"]]


def metrics(texts: Sequence[str]) -> set[str]:
    """Return the names of the server's metrics that PromQL names."""
    return {name for text in texts for name in METRIC.findall(re.sub(r'"[^"]*"', "", text))}


def see(project: Project, f1: float) -> None:
    """Leave what a turn that saw version 1 leaves for the server."""
    metrics = [
        Measured("1", "evaluation", "f1", 0.9, 900, 0.88, 0.92, 0.5), Measured("1", "realised", "f1", f1, 900, baseline=0.5),
        Measured("1", "estimated", "f1", 0.85, 900, 0.8, 0.9, 0.9),
    ]  # fmt: skip
    moved = Drift("sales_count_90d", "ks", 0.3, 0.2, 0.5, False, 900, chance=0.5, relative_effect=0.01)
    trained = int(time.time()) * clock.SECOND  # Prometheus has no other clock
    seen = Watched(
        "churn", NOW, version="1", trained_at=trained, metrics=tuple(metrics), watched="1", columns=3, alarms={"info": 3},
        drift=(moved,), rows={"known": 9_000, "appended": 10, "quarantined": 0, "predicted": 900}, new_labels=40,
    )  # fmt: skip
    swap(watched_of(project.serving("churn").pointer), json.dumps(as_data(seen)).encode())


@contextmanager
def running(words: Sequence[str], cwd: Path, **options) -> Iterator[subprocess.Popen]:
    """Run a program until the block ends."""
    with (cwd / f"{Path(words[0]).name}.log").open("ab") as log:
        process = subprocess.Popen(list(map(str, words)), cwd=cwd, stdout=log, stderr=log, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def service(project: Project, place: Path, port: int) -> Iterator[subprocess.Popen]:
    """Run `keepfit serve` on loopback with the settings of compose.yaml, its store filled by hand."""
    files = project.serving("churn")
    files.store.parent.mkdir(parents=True, exist_ok=True)
    with closing(SQLiteStore(files.store)) as store:
        fill(store)
        store.note_filled(NOW)
    words = [
        sys.executable,
        "-m",
        "keepfit",
        "serve",
        "churn",
        "--no-warm",
        "--port",
        str(port),
        "--as-of",
        "2025-06-01",
    ]
    told = read(place / "compose.yaml")["services"]["service"]["environment"]
    own = {name: text.replace("/run/secrets", str(place / "secrets")) for name, text in told.items()}
    environment = {name: text for name, text in os.environ.items() if not name.startswith("KEEPFIT")}
    with running(words, project.folder, env=environment | own) as process:
        wait_until(lambda: process.poll() is not None or _answers(f"http://127.0.0.1:{port}/livez"), 60)
        assert process.poll() is None, (project.folder / f"{Path(words[0]).name}.log").read_text()
        yield process


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
