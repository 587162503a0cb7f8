"""Time answers over HTTP beside bare ASGI with ONNX Runtime, FastAPI, BentoML and MLflow: one worker each.

All answer with the same XGBoost model (300 trees of depth 6, 30 features). Peers get ready rows. keepfit gets ready rows
from an artifact folder (`keepfit serve --artifact`), and, with its online store, the key of one of 1,000 customers: it
reads 200 events, computes 30 features, predicts, and logs the answer before it is sent.

The server runs on one core, wrk on another. Servers take turns, in fresh processes; medians of the rounds, and ratios
inside one run: machines are noisy. `cold_s` is from the start of the process to the first good prediction; memory and
CPU are those of the process and its children.

    python bench/serving.py --rounds 3 --seconds 3
    python bench/serving.py --only rows,bare
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

NOW = 1_750_000_000_000_000
DAY = 86_400_000_000
CUSTOMERS = 1000
CONNECTIONS = (1, 8)
NAMES = [f"x{place:02d}" for place in range(30)]
PEERS = Path(__file__).with_name("peers") / "serving.py"
WITH = {
    "bento": ["bentoml", "xgboost-cpu", "pandas", "scikit-learn"],
    "mlflow": ["mlflow", "xgboost-cpu", "pandas", "scikit-learn"],
}
ROUTE = {
    "rows": ("/predict/rows", lambda row: {"rows": [row]}),
    "bare": ("/predict", lambda row: row),
    "fastapi": ("/predict", lambda row: row),
    "bento": ("/predict", lambda row: {"row": row}),
    "mlflow": ("/invocations", lambda row: {"dataframe_records": [row]}),
}
SCRIPT = """
wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"
local bodies = {}
for line in io.lines("%s") do bodies[#bodies + 1] = line end
local place = 0
request = function() place = place %% #bodies + 1; return wrk.format(nil, nil, nil, bodies[place]) end
done = function(summary, latency, requests)
  io.write(string.format("FOUND %%f %%f %%f %%d %%d\\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.requests,
    summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect))
end
"""


def main() -> None:
    """Run the benchmark, or one of keepfit's own processes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3.0, help="of load per server, connections and round")
    options.add_argument("--only", default="features,rows,bare,fastapi,bento,mlflow")
    options.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    options.add_argument("--dir", default="", help=argparse.SUPPRESS)
    options.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.mode:
        MODES[chosen.mode](Path(chosen.dir), chosen.port)
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--mode", "prepare", "--dir", folder], check=True)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen.only.split(",")}
        for name in found:  # peers' environments are made, and bytecode is written, before anything is timed
            _measure(name, Path(folder), 0)
        for _ in range(chosen.rounds):
            for name, runs in found.items():
                runs.append(_measure(name, Path(folder), chosen.seconds))
                print(name, {key: round(value, 2) for key, value in runs[-1].items()}, file=sys.stderr, flush=True)
    _show(found)


def _command(name: str, folder: Path, port: int) -> list[str]:
    if name == "features":
        return [sys.executable, __file__, "--mode", name, "--dir", str(folder), "--port", str(port)]
    if name == "rows":
        return [sys.executable, "-m", "keepfit", "serve", "--artifact", str(folder / "ready"), "--port", str(port)]
    arguments = [str(PEERS), name, str(folder), str(port)]
    if name not in WITH:
        return [sys.executable, *arguments]
    packages = [part for package in WITH[name] for part in ("--with", package)]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return ["uv", "run", "--quiet", "--no-project", "--python", version, *packages, "python", *arguments]


def _measure(name: str, folder: Path, seconds: float) -> dict[str, float]:
    bodies = folder / f"{name}.jsonl"
    path = ROUTE[name][0] if name in ROUTE else "/predict"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cores = sorted(os.sched_getaffinity(0))
    log = (folder / f"{name}.log").open("w")
    began = time.perf_counter()
    command = ["taskset", "-c", str(cores[0]), *_command(name, folder, port)]
    # a second start reads the bytecode that the first has written
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)
    try:
        url = f"http://127.0.0.1:{port}{path}"
        _first_answer(url, bodies.read_bytes().splitlines()[0], process, folder / f"{name}.log")
        found = {"cold_s": time.perf_counter() - began}
        if seconds:
            _wrk(url, bodies, 4, 1.0, cores[-1])
            for connections in CONNECTIONS:
                before = _cpu(process.pid)
                rate, p50, p99, requests = _wrk(url, bodies, connections, seconds, cores[-1])
                spent = _cpu(process.pid) - before
                found |= {f"rps_{connections}": rate, f"p50_{connections}": p50, f"p99_{connections}": p99}
                found[f"cpu_us_{connections}"] = 1e6 * spent / requests
        found["rss_mb"] = sum(_resident(pid) for pid in _tree(process.pid)) / 1e6
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()
    return found


def _first_answer(url: str, body: bytes, process: subprocess.Popen, log: Path) -> None:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read()
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"no answer from {url}:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.01)


def _wrk(url: str, bodies: Path, connections: int, seconds: float, core: int) -> list[float]:
    script = bodies.with_suffix(".lua")
    script.write_text(SCRIPT % bodies)
    threads = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    told = subprocess.run([*threads, "-s", str(script), url], capture_output=True, text=True, check=True).stdout
    rate, p50, p99, requests, errors = map(float, re.search(r"^FOUND (.*)$", told, re.MULTILINE)[1].split())
    if errors:
        raise SystemExit(f"{errors:.0f} of {requests:.0f} answers of {url} were errors:\n{told}")
    return [rate, p50, p99, requests]


def _tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _cpu(pid: int) -> float:
    spent = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[11:13] for one in _tree(pid)]
    return sum(int(ticks) for one in spent for ticks in one) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _show(found: dict[str, list[dict[str, float]]]) -> None:
    columns = list(next(iter(found.values()))[0])
    print(f"{'median':10}" + "".join(f"{name:>10}" for name in columns))
    for name, runs in found.items():
        print(f"{name:10}" + "".join(f"{statistics.median(run[column] for run in runs):10.2f}" for column in columns))
    rows = found.get("rows")
    for name in (name for name in found if rows and name not in ("rows", "features")):
        ratios = [one["rps_8"] / other["rps_8"] for one, other in zip(rows, found[name], strict=True)]
        print(f"ready rows, 8 connections: {statistics.median(ratios):.2f} times the requests of {name}")


def _prepare(folder: Path, _: int) -> None:
    """Write the store, both artifacts, the peers' files and the requests."""
    import xgboost
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    from keepfit import artifact
    from keepfit.stages.serving.online import OnlineFeatures
    from keepfit.stages.serving.sqlite import SQLiteStore

    model, (customers, orders, visits) = _definition()
    store, rng = SQLiteStore(folder / "online.sqlite"), np.random.default_rng(7)
    keys = np.array([f"{key}" for key in range(CUSTOMERS)], object)
    for table in (orders, visits):
        store.replace(table, _events(table, keys, rng), NOW)
    store.replace_records(customers, {"entity": keys, "age": rng.integers(18, 90, CUSTOMERS).astype(float)})
    online, names = OnlineFeatures(model, store), tuple(feature.name for feature in model.features)
    matrix = artifact.RowEncoder(names, {})([tuple(online.features(key, NOW).row.values()) for key in keys])
    assert matrix.shape[1] == len(NAMES)
    target = (rng.random(CUSTOMERS) < 1 / (1 + np.exp(-matrix[:, 1] / 100 + 2))).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": 6, "min_child_weight": 0, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=target), num_boost_round=300)
    onnx = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, len(names)]))], target_opset=15)
    content = onnx.SerializeToString()
    made = artifact.Artifact(model, names, {}, 0.5, 0.5, {}, {})
    digest = artifact.write(made, {"model.onnx": content}, folder / "1")
    artifact.write_pointer(artifact.Pointer("churn", "1", "1", digest), folder / "churn.json")
    shutil.copytree(folder / "1", folder / "ready")
    (folder / "model.onnx").write_bytes(content)
    booster.feature_names = NAMES  # of the same length, for peers that ask for names
    booster.save_model(folder / "model.ubj")
    ready = [np.nan_to_num(row).tolist() for row in matrix]
    (folder / "row.json").write_text(json.dumps(dict(zip(NAMES, ready[0], strict=True))))
    for peer, (_, body) in ROUTE.items():
        named = names if peer == "rows" else NAMES
        lines = [json.dumps(body(dict(zip(named, row, strict=True)))) for row in ready]
        (folder / f"{peer}.jsonl").write_text("\n".join(lines) + "\n")
    lines = [json.dumps({"customer_id": int(key)}) for key in keys]
    (folder / "features.jsonl").write_text("\n".join(lines) + "\n")
    store.close()


def _definition() -> tuple[Any, tuple[Any, ...]]:
    from keepfit import Events, Every, Files, Float, Integer, Model, Records

    key = {"customer_id": Integer()}
    customers = Records("customers", Files("c.csv"), entity="customer_id", columns={**key, "age": Integer()})
    columns = {name: {**key, **{each: Float() for each in each_of}} for name, each_of in COLUMNS.items()}
    orders, visits = (
        Events(name, Files("e.csv"), entity="customer_id", time="at", columns=each) for name, each in columns.items()
    )
    features = [customers.age]
    for column in (orders.amount, orders["items"], orders.discount):
        features += [*column.sum(last=["7d", "30d"]), *column.mean(last=["30d", "90d"])]
    for column in (visits.pages, visits.seconds, visits.clicks):
        features += [*column.max(last=["7d", "30d"]), *column.std(last=["30d", "90d"])]
    features += [*orders.count(last=["30d", "90d"]), visits.count(last="30d"), orders.time_since_last()]
    features += [orders.amount.mean(last="30d") / orders.amount.mean(last="90d")]
    target = orders.count(next="30d") == 0
    return Model("churn", observe=Every("1 month", of=customers), features=features, target=target), (
        customers,
        orders,
        visits,
    )


COLUMNS = {"orders": ("amount", "items", "discount"), "visits": ("pages", "seconds", "clicks")}


def _events(table: Any, keys: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return 100 events of each customer in the last 90 days; columns in the order in which `publish` writes them."""
    time_ = np.sort(NOW - rng.integers(1, 90 * DAY, (len(keys), 100)), axis=1).ravel()
    values = {name: rng.gamma(2, 10, len(time_)) for name in sorted(COLUMNS[table.name])}
    return {"entity": np.repeat(keys, 100), "time": time_, "known": time_, **values}


def _features(folder: Path, port: int) -> None:
    from keepfit.stages.serving.app import create_app
    from keepfit.stages.serving.outbox import Outbox
    from keepfit.stages.serving.server import run_server
    from keepfit.stages.serving.sqlite import SQLiteStore

    store, outbox = SQLiteStore(folder / "online.sqlite"), Outbox(folder / "outbox.sqlite")
    run_server(create_app(folder / "churn.json", store, outbox, now=lambda: NOW), "127.0.0.1", port)


MODES = {"prepare": _prepare, "features": _features}

if __name__ == "__main__":
    main()
