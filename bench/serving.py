"""Time one prediction over HTTP beside a plain FastAPI server that is handed ready features.

Both answer with the same XGBoost model (300 trees of depth 6, 30 features) for one of 1,000 customers, over one
keep-alive connection. keepfit reads the customer's 50 to 200 events, computes the features, predicts with ONNX Runtime
and logs the answer; the peer parses 30 numbers with pydantic and calls XGBoost. They take turns in fresh processes.
Machines are noisy: read the medians and the ratio.

    python bench/serving.py --rounds 2 --seconds 2
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

NOW = 1_750_000_000_000_000
DAY = 86_400_000_000
CUSTOMERS = 1000


def main() -> None:
    """Run the benchmark, or one of its processes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--seconds", type=float, default=2.0, help="of load per server and round")
    options.add_argument("--mode", choices=MODES, help=argparse.SUPPRESS)
    options.add_argument("--dir", default="", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.mode:
        MODES[chosen.mode](Path(chosen.dir))
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(_command("prepare", folder), check=True)
        found = {mode: [] for mode in ("keepfit", "peer")}
        for _ in range(chosen.rounds):
            for mode, runs in found.items():
                runs.append(_measure(mode, folder, chosen.seconds))
    _show(found)


def _command(mode: str, folder: str) -> list[str]:
    return [sys.executable, __file__, "--mode", mode, "--dir", folder]


def _measure(mode: str, folder: str, seconds: float) -> dict[str, float]:
    began = time.perf_counter()
    process = subprocess.Popen(_command(mode, folder), stdout=subprocess.PIPE, text=True)
    try:
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not _ask(connection, b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n").startswith(b"HTTP/1.1 200"):
                time.sleep(0.005)
            ready = time.perf_counter() - began
            requests = [_request(body) for body in json.loads(Path(folder, f"{mode}.json").read_text())]
            _load(connection, requests, 0.5)
            spent = _load(connection, requests, seconds)
        resident = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    milliseconds = sorted(1e3 * each for each in spent)
    return {
        "p50_ms": statistics.median(milliseconds),
        "p99_ms": milliseconds[int(len(milliseconds) * 0.99)],
        "requests_per_s": len(spent) / sum(spent),
        "cold_start_s": ready,
        "rss_mib": resident / 2**20,
    }


def _request(body: dict[str, object]) -> bytes:
    content = json.dumps(body).encode()
    head = f"Content-Type: application/json\r\nContent-Length: {len(content)}"
    return f"POST /predict HTTP/1.1\r\nHost: bench\r\n{head}\r\n\r\n".encode() + content


def _load(connection: socket.socket, requests: list[bytes], seconds: float) -> list[float]:
    spent, end, place = [], time.perf_counter() + seconds, 0
    while (began := time.perf_counter()) < end:
        answer = _ask(connection, requests[place % len(requests)])
        spent.append(time.perf_counter() - began)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        place += 1
    return spent


def _ask(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + body


def _show(found: dict[str, list[dict[str, float]]]) -> None:
    middle = {
        mode: {name: statistics.median(run[name] for run in runs) for name in runs[0]} for mode, runs in found.items()
    }
    print(f"{'':16}{'keepfit':>10}{'peer':>10}{'ratio':>8}")
    for name, own in middle["keepfit"].items():
        print(f"{name:16}{own:10.3f}{middle['peer'][name]:10.3f}{own / middle['peer'][name]:8.2f}")


def _prepare(folder: Path) -> None:
    """Write the store, the artifact and the requests of both servers."""
    import xgboost
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    from keepfit import artifact
    from keepfit.stages.serving.online import OnlineFeatures
    from keepfit.stages.serving.store import SQLiteStore

    model, (customers, orders, visits) = _definition()
    store, rng = SQLiteStore(folder / "online.sqlite"), np.random.default_rng(7)
    keys = np.array([f"{key}" for key in range(CUSTOMERS)], object)
    for table in (orders, visits):
        store.replace(table, _events(table, keys, rng), NOW)
    store.replace_records(customers, {"entity": keys, "age": rng.integers(18, 90, CUSTOMERS).astype(float)})
    online, names = OnlineFeatures(model, store), tuple(feature.name for feature in model.features)
    matrix = np.vstack([artifact.encode(online.features(key, NOW).columns, names, {}) for key in keys])
    target = (rng.random(CUSTOMERS) < 1 / (1 + np.exp(-matrix[:, 1] / 100 + 2))).astype(float)
    settings = {"objective": "binary:logistic", "max_depth": 6, "min_child_weight": 0, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=target), num_boost_round=300)
    booster.save_model(folder / "peer.ubj")
    onnx = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, len(names)]))], target_opset=15)
    made = artifact.Artifact(model, names, {}, 0.5, 0.5, {}, {})
    digest = artifact.write(made, {"model.onnx": onnx.SerializeToString()}, folder / "1")
    artifact.write_pointer(artifact.Pointer("churn", "1", "1", digest), folder / "churn.json")
    ready = [{name: None if np.isnan(x) else float(x) for name, x in zip(names, row, strict=True)} for row in matrix]
    (folder / "peer.json").write_text(json.dumps(ready))
    (folder / "keepfit.json").write_text(json.dumps([{"customer_id": int(key)} for key in keys]))
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
    """Return 25 to 100 events of each customer in the last 90 days."""
    counts = rng.integers(25, 101, len(keys))
    time = np.concatenate([np.sort(NOW - rng.integers(1, 90 * DAY, count)) for count in counts])
    # in the order in which `publish` writes them
    values = {name: rng.gamma(2, 10, counts.sum()) for name in sorted(COLUMNS[table.name])}
    return {"entity": np.repeat(keys, counts), "time": time, "known": time, **values}


def _keepfit(folder: Path) -> None:
    from keepfit.stages.serving.app import create_app
    from keepfit.stages.serving.outbox import Outbox
    from keepfit.stages.serving.server import run_server
    from keepfit.stages.serving.store import SQLiteStore

    store, outbox = SQLiteStore(folder / "online.sqlite"), Outbox(folder / "outbox.sqlite")
    app = create_app(folder / "churn.json", store, outbox, now=lambda: NOW)
    run_server(app, "127.0.0.1", 0, lambda port: print(port, flush=True))


def _peer(folder: Path) -> None:
    import xgboost
    from fastapi import FastAPI
    from pydantic import BaseModel, create_model

    from keepfit.stages.serving.server import run_server

    booster = xgboost.Booster({"nthread": 1}, model_file=folder / "peer.ubj")
    names = list(json.loads((folder / "peer.json").read_text())[0])
    Row = create_model("Row", **{name: (float | None, None) for name in names})
    app = FastAPI()

    class Answer(BaseModel):
        score: float
        positive: bool

    @app.post("/predict")
    async def predict(row: Row) -> Answer:
        matrix = np.array([[getattr(row, name) for name in names]], np.float32)
        score = float(booster.inplace_predict(matrix)[0])
        return Answer(score=score, positive=score >= 0.5)

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    run_server(app, "127.0.0.1", 0, lambda port: print(port, flush=True))


MODES = {"prepare": _prepare, "keepfit": _keepfit, "peer": _peer}

if __name__ == "__main__":
    main()
