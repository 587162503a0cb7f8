"""What is promised under load: promotions and kills cost no answer, mix none, and the log has each once."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, suppress

import httpx
import pytest

from keepfit import tables
from keepfit.artifact import write_pointer
from keepfit.project import open_project
from keepfit.stages.serving.outbox import drain, forget
from keepfit.stages.serving.sqlite import SQLiteStore

from .process import process
from .world import fill, promote, wait_until, write_version

pytestmark = pytest.mark.slow
CONNECTIONS, PROMOTIONS, KILLS = 4, 20, 2
LUA = """
wrk.method, wrk.body = "POST", '{"customer_id": 17}'
wrk.headers["Content-Type"] = "application/json"
"""
DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Model
sales = Events("sales", Files("sales_*.csv"), entity="who", time="sold_at", columns={"amount": Float(min=0)})
churn = Model("churn", observe=Every("1 month", of=sales), features=[sales.count(last="90d")], target=sales.count(next="30d") == 0)
"""
# the loop's side of the log, which says before each step what it is about to do
COLLECT = """
import sys, time
from functools import partial
from pathlib import Path
from keepfit import steps
from keepfit.project import open_project
from keepfit.steps import recording

def told(name, step):
    def said(*arguments, **options):
        print(name, flush=True)
        time.sleep(0.02)
        return step(*arguments, **options)
    return said

project = open_project(Path(sys.argv[1]), None, {})
recording.drain, recording.forget = told("drain", partial(recording.drain, limit=50)), told("forget", recording.forget)
type(project.records).append = told("append", type(project.records).append)
steps.collect_requests(project, project.model("churn"))
print("done", flush=True)
"""


class Clients:
    """Clients that ask as fast as they are answered, and keep what they get, until they are told to stop or fail."""

    def __init__(self, url, count=2):
        self.answers, self.failures, self._stop = [], [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(url,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self, url):
        with httpx.Client(base_url=url, timeout=60) as http:
            while not self._stop.is_set():
                try:
                    answer = http.post("/predict", json={"customer_id": 17})
                except httpx.TransportError as error:
                    return self.failures.append(error)
                if answer.status_code == 200:
                    self.answers.append(answer.json())
                else:
                    self.failures.append(answer.text)

    def wait(self, count):
        """Wait until they have so many answers more."""
        wanted = len(self.answers) + count
        wait_until(lambda: len(self.answers) >= wanted or self.failures)

    def end(self):
        """Return the answers that they got, and what failed."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.answers, self.failures


def moved(outbox):
    """Return every row of the log."""
    found = []
    while (batch := drain(outbox)) is not None:
        found += batch.rows
        forget(outbox, batch.transaction)
    return found


def stocked(root):
    with closing(SQLiteStore(root / "online.sqlite")) as store:
        fill(store)


def test_twenty_promotions_under_load_drop_and_mix_no_answer(tmp_path):
    pointers = [write_version(tmp_path, version, bias) for version, bias in (("1", -2.0), ("2", 2.0))]
    write_pointer(pointers[0], tmp_path / "churn.json")
    stocked(tmp_path)
    (tmp_path / "load.lua").write_text(LUA)
    program = shutil.which("wrk")
    assert program, "wrk is not installed: apt-get install wrk"
    outbox = tmp_path / "outbox.sqlite"
    with process(tmp_path, outbox) as (_, url), httpx.Client(base_url=url, timeout=60) as http:
        load = [
            program,
            "-t1",
            f"-c{CONNECTIONS}",
            "-d600s",
            "--timeout",
            "60s",
            "-s",
            str(tmp_path / "load.lua"),
            f"{url}/predict",
        ]
        with subprocess.Popen(load, stdout=subprocess.PIPE, text=True) as wrk:
            clients = Clients(url)
            try:
                for turn in range(PROMOTIONS):
                    pointer = pointers[(turn + 1) % 2]
                    write_pointer(pointer, tmp_path / "churn.json")
                    wait_until(lambda wanted=pointer.version: http.get("/readyz").json()["version"] == wanted)
                    clients.wait(20)
            finally:
                answers, failures = clients.end()
                wrk.send_signal(signal.SIGINT)
                said = wrk.communicate()[0]
    assert not failures and "Non-2xx" not in said and "Socket errors" not in said, (failures, said)
    asked = int(re.search(r"(\d+) requests in", said)[1])
    rows = moved(outbox)
    by_id = {row["request_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    # what wrk had asked when it was stopped is in the log, but not among its answers
    assert asked > PROMOTIONS and 0 <= len(rows) - len(answers) - asked <= CONNECTIONS
    assert len({(row["version"], row["score"], row["positive"]) for row in rows}) == 2
    assert {(row["version"], row["positive"]) for row in rows} == {("1", False), ("2", True)}
    assert len({answer["request_id"] for answer in answers}) == len(answers)
    for answer in answers:
        row = by_id[answer["request_id"]]
        assert (answer["version"], answer["score"], answer["positive"]) == (
            row["version"],
            row["score"],
            row["positive"],
        )


def test_every_answer_is_in_the_lake_once_whoever_is_killed(tmp_path, project):
    """The server is killed under load, and the loop between any two of its steps; both begin again."""
    folder, lottery = project(DEFINITIONS, {"sales_1.csv": "who,sold_at,amount\n"}), random.Random(4)
    opened = open_project(folder, None, {})
    outbox = opened.serving("churn").outbox
    promote(tmp_path, "1")
    stocked(tmp_path)
    answers, died = [], Counter()
    for _ in range(KILLS):
        with process(tmp_path, outbox) as (running, url):
            clients = Clients(url)
            clients.wait(lottery.randint(40, 120))
            os.kill(running.pid, signal.SIGKILL)
            wait_until(lambda found=clients: found.failures)  # they ask until one is not answered
            got, failures = clients.end()
        assert failures and all(isinstance(one, httpx.TransportError) for one in failures)
        answers += got
        died[collect(folder, kill_at=lottery.randint(2, 7))] += 1
    assert died["drain"] + died["append"] + died["forget"] == KILLS
    assert collect(folder) == "done"
    found = opened.engine.rows(opened.records.parquet_files(tables.PREDICTIONS.name))
    ids = Counter(row["request_id"] for row in found)
    assert max(ids.values()) == 1
    assert {answer["request_id"] for answer in answers} <= ids.keys()
    scores = {row["request_id"]: row["score"] for row in found}
    assert all(scores[answer["request_id"]] == answer["score"] for answer in answers)
    # what was logged and not received is what two clients had asked when the server died
    assert len(answers) <= len(found) <= len(answers) + 2 * KILLS


def collect(folder, kill_at=None):
    """Have the log moved to the lake by a process, which is killed in a step; return the last one that it began."""
    command = [sys.executable, "-c", COLLECT, str(folder)]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for place, line in enumerate(running.stdout, start=1):
            last = line.strip()
            if place == kill_at:
                break
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGKILL) if kill_at else None
    return last
