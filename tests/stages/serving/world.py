"""A small shop, versions of its model made by hand, and a real server for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import uvicorn
from onnx import TensorProto, helper, numpy_helper

from keepfit import Category, Events, Every, Files, Float, Integer, Model, Records, artifact, clock
from keepfit.artifact import Artifact, Pointer, write_pointer
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.held import Held
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.protection import Protection
from keepfit.stages.serving.server import bind, server
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.stages.serving.store import OnlineStore

DAY = clock.DAY
NOW = clock.to_micros(clock.parse_moment("2025-06-01"))

customers = Records(
    "customers", Files("customers.csv"), entity="customer_id",
    columns={"customer_id": Integer(), "age": Integer(), "segment": Category()},
)  # fmt: skip
sales = Events(
    "sales", Files("sales.csv"), entity="customer_id", time="sold_at",
    columns={"customer_id": Integer(), "amount": Float(min=0)},
)  # fmt: skip
churn = Model(
    "churn",
    observe=Every("1 month", of=customers),
    features=[sales.amount.sum(last="30d"), sales.count(last="90d"), customers.age],
    target=sales.count(next="30d") == 0,
)
revenue = Model(
    "revenue", observe=Every("1 month", of=customers), features=churn.features, target=sales.amount.sum(next="30d")
)


def onnx(bias: float, features: int = 3) -> bytes:
    """Return sigmoid(0.01 * sum of the features, null as 0, + bias) as the last column of the only output."""
    constants = {
        "zero": np.zeros(1, np.float32), "weights": np.full((features, 1), 0.01, np.float32),
        "bias": np.array([bias], np.float32), "one": np.ones(1, np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("IsNaN", ["x"], ["null"]),
        helper.make_node("Where", ["null", "zero", "x"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, features])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])]
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(model.SerializeToString())


def write_version(
    root: Path, version: str, bias: float = 0.0, model: Model = churn, width: int = 3, trees: bytes | None = None
) -> Pointer:
    """Write a version's artifact and return the pointer to it, not yet written."""
    names = tuple(feature.name for feature in model.features)
    made = Artifact(model, names, {}, 0.5, 0.3, {"as_of": "2025-06-01", "seed": 7}, {})
    files = {"model.onnx": onnx(bias, width)} | ({"trees.npz": trees} if trees else {})
    digest = artifact.write(made, files, root / version)
    return Pointer(model.name, version, version, digest)


def promote(root: Path, version: str, bias: float = 0.0, **options) -> Pointer:
    """Write a version and make it the champion."""
    pointer = write_version(root, version, bias, **options)
    write_pointer(pointer, root / "churn.json")
    return pointer


def fill(store: OnlineStore) -> None:
    """Customer 17 bought twice in the last month; 18 is only a record."""
    rows = {
        "entity": np.array(["17", "17"], object),
        "time": np.array([NOW - 20 * DAY, NOW - 5 * DAY]),
        "known": np.array([NOW - 20 * DAY, NOW - 5 * DAY]),
        "amount": np.array([19.5, 30.0]),
    }
    store.replace(sales, rows, NOW)
    store.replace_records(customers, {"entity": np.array(["17", "18"], object), "age": np.array([40.0, np.nan])})


class Far(SQLiteStore):
    """A store behind a network that can be made to hang: from the `slow_from`th read on, until it is there again."""

    remote = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.slow_from, self._left, self._here = threading.Event(), 1, 0, threading.Event()
        self._here.set()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have reads hang; `asked` is set once one does."""
        self._left = self.slow_from
        self._here.clear()
        try:
            yield
        finally:
            self._here.set()

    def read(self, entity: str) -> Held:
        """Read when the network is there."""
        self._left -= 1
        if self._left <= 0 and not self._here.is_set():
            self.asked.set()
            assert self._here.wait(20)
        return super().read(entity)


@dataclass
class Served:
    """A running server."""

    http: httpx.Client
    root: Path
    store: OnlineStore
    outbox: Outbox
    process: uvicorn.Server

    def predict(self, **body) -> httpx.Response:
        """POST /predict."""
        return self.http.post("/predict", json=body)

    def wait(self, status: int = 200) -> None:
        """Wait until /readyz answers with a status."""
        wait_until(lambda: self.http.get("/readyz").status_code == status)


def wait_until(holds, seconds: float = 180.0) -> None:
    """Wait until something holds; the first server of a machine compiles its kernel."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


@contextmanager
def serving(
    root: Path,
    refresh_s: float = 0.02,
    now: int = NOW,
    protection: Protection | None = None,
    store: OnlineStore | None = None,
    *,
    filled: bool = True,
) -> Iterator[Served]:
    """Serve the shop below `root` on a free port of loopback, from SQLite or from a store of the caller's."""
    own, outbox = SQLiteStore(root / "online.sqlite"), Outbox(root / "outbox.sqlite")
    store = store or own
    if filled:
        fill(store)
    app = create_app(root / "churn.json", store, outbox, now=lambda: now, refresh_s=refresh_s, protection=protection)
    running, listener = server(app), bind("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=60) as http:
            yield Served(http, root, store, outbox, running)
    finally:
        running.should_exit = True
        thread.join()
        listener.close()
        own.close()
        outbox.close()


def port_of(listener: socket.socket) -> int:
    """Return the port a socket listens at."""
    return int(listener.getsockname()[1])
