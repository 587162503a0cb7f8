"""Nothing lost, nothing twice: an ingest that stops anywhere leaves each file whole or not there, and the next one goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress

import deltalake
import pytest

from keepfit import Events, Evolution, Files, Float, Integer, Key, Records, tables
from keepfit.engines.local import LocalEngine, parts
from keepfit.lake import Lake
from keepfit.stages.ingest import pending

DECLARED = """
from keepfit import Events, Evolution, Files, Float, Integer, Key, Records

BUYS = Events(
    "buys",
    Files("buys_*.csv"),
    entity="who",
    time="at",
    columns={"number": Integer(), "amount": Float(min=0)},
    key=Key("number", duplicates="first"),
    evolution=Evolution(appear="add"),
)
PEOPLE = Records("people", Files("people_*.csv"), entity="who", columns={"age": Integer(min=0)})
"""
BUYS = Events(
    "buys",
    Files("buys_*.csv"),
    entity="who",
    time="at",
    columns={"number": Integer(), "amount": Float(min=0)},
    key=Key("number", duplicates="first"),
    evolution=Evolution(appear="add"),
)
PEOPLE = Records("people", Files("people_*.csv"), entity="who", columns={"age": Integer(min=0)})


def buys(file):
    """Return three good rows, one that breaks a bound, and one that repeats the number of the file before."""
    first, more, header = 3 * file, "", "who,at,number,amount"
    if file == 1:
        more, header = ",x", f"{header},coupon"
    amounts = [(first, 1), (first + 1, 2), (first + 2, 3), (first + 3, -1), (first - 1, 9)]
    rows = [f"w{number},2025-01-01T00:00Z,{number},{amount}{more}\n" for number, amount in amounts]
    return f"{header}\n{''.join(rows)}"


class World:
    """Files of which some are ingested; then one changes and others come.

    Attributes
    ----------
    before, after : dict
        Who is in each file, before and after the ingest.
    bad : dict
        How many rows of each file are bad for each reason.
    """

    def __init__(self, desk, files):
        self.desk = desk
        desk.write("buys_0.csv", buys(0))
        desk.write("people_1.csv", "who,age\nw1,30\nw2,40\nw3,-1\n")
        desk.ingest(BUYS, PEOPLE)
        for file in range(1, files):
            desk.write(f"buys_{file}.csv", buys(file))
        desk.write("people_1.csv", "who,age\nw1,31\nw4,50\nw5,-2\n")
        first = {"buys_0.csv": ["w0", "w1", "w2", "w-1"]}
        more = {f"buys_{file}.csv": [f"w{3 * file + row}" for row in range(3)] for file in range(1, files)}
        self.before = {"people_1.csv": ["w1", "w2"], **first}
        self.after = {"people_1.csv": ["w1", "w4"], **first, **more}
        self.bad = {("people_1.csv", "age is below 0"): 2}  # of each content one
        for file in range(files):
            self.bad[f"buys_{file}.csv", "amount is below 0"] = 1
            if file:
                self.bad[f"buys_{file}.csv", f"repeats number of buys_{file - 1}.csv, record 3"] = 1

    def copied(self, place):
        """Return a desk of the same files, with a copy of the lake and an engine of its own."""
        shutil.copytree(self.desk.lake.root, place)
        return type(self.desk)(self.desk.data, Lake(place), LocalEngine(threads=1))

    def require_whole(self, desk):
        """Require that each file is there as it was, as it is or not at all, and no bad row is there twice."""
        held = in_files(desk)
        assert held.keys() >= self.before.keys()
        for file, rows in held.items():
            assert rows in (self.before.get(file), self.after[file]), file
        for which, rows in in_quarantine(desk).items():
            assert rows <= self.bad[which], which

    def require_all(self, desk):
        """Require that the next ingest completes it."""
        desk.ingest(BUYS, PEOPLE)
        assert (in_files(desk), in_quarantine(desk)) == (self.after, self.bad)
        assert not any(done.files for done in desk.ingest(BUYS, PEOPLE))


def in_files(desk):
    found = {}
    for row in sorted([*desk.rows(BUYS), *desk.rows(PEOPLE)], key=lambda row: row["_order"]):
        found.setdefault(row["_file"], []).append(row["who"])
    return found


def in_quarantine(desk):
    return dict(Counter((row["file"], row["reason"]) for row in desk.rows(tables.QUARANTINE)))


def strays(desk):
    """Return the parts that no version names, and the tables that are left in the engine."""
    left = [name for (name,) in desk.engine.connection.execute("select table_name from duckdb_tables()").fetchall()]
    for name in ("source/buys", "source/people"):
        versions = range(desk.lake.version(name) + 1)
        named = {file for version in versions for file in desk.lake.parquet_files(name, version)}
        left += [str(path) for path in desk.lake.folder(name).rglob("*.parquet") if str(path) not in named]
    return left


class Stop:
    """Stops an ingest at one of its writes, before or after it is done."""

    def __init__(self, at, when):
        self.at, self.when, self.seen, self.lock = at, when, 0, threading.Lock()

    def watch(self, patch, owner, name):
        true = getattr(owner, name)

        def watched(*arguments, **options):
            with self.lock:
                self.seen += 1
                here = self.seen == self.at
            if here and self.when == "before":
                raise KeyboardInterrupt
            done = true(*arguments, **options)
            if here:
                raise KeyboardInterrupt
            return done

        patch.setattr(owner, name, watched)

    def everywhere(self, patch):
        patch.setattr(pending, "BATCH_FILES", 1)
        for owner, name in [
            (Lake, "append"),
            (deltalake.DeltaTable, "create_write_transaction"),
            (deltalake.table.TableAlterer, "add_columns"),
        ]:
            self.watch(patch, owner, name)
        if self.when == "before":  # who wrote a part can only remove it if told where
            self.watch(patch, parts, "write")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_ingest_stopped_at_any_write_leaves_nothing_half_and_goes_on(desk, tmp_path, monkeypatch, when):
    world, stop = World(desk, files=3), Stop(0, when)
    while stop.seen >= stop.at:
        stop, again = Stop(stop.at + 1, when), world.copied(tmp_path / str(stop.at))
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            stop.everywhere(patch)
            again.ingest(BUYS, PEOPLE)
        world.require_whole(again)
        assert strays(again) == []
        world.require_all(again)
    assert stop.at > 8


NURSERY = (
    """
import os, signal, sys, time
from pathlib import Path
import keepfit.connect.local, keepfit.engines.local.check, keepfit.engines.local.settle
from keepfit.connect import Place
from keepfit.engines.local import LocalEngine
from keepfit.lake import Lake
from keepfit.stages.ingest import ingest, pending
"""
    + DECLARED
    + """
pending.BATCH_FILES = 1
END = 4102444800000000

def born(data, root):
    child = os.fork()
    if child == 0:
        try:
            place = Place(Path(data), Path(root) / "landing", {})
            done = ingest(LocalEngine(threads=1), Lake(Path(root)), place, [BUYS, PEOPLE], END)
            os._exit(1 if any(one.errors for one in done) else 0)
        finally:
            os._exit(2)
    return child

for line in sys.stdin:
    data, root, processes, seconds = line.split()
    begun = time.monotonic()
    children = [born(data, root) for _ in range(int(processes))]
    if seconds != "-":
        time.sleep(float(seconds))
        for child in children:
            os.kill(child, signal.SIGKILL)
    ends = [os.waitpid(child, 0)[1] for child in children]
    print(time.monotonic() - begun, *map(os.waitstatus_to_exitcode, ends), flush=True)
"""
)


@contextmanager
def nursery(data):
    """Give a function that ingests in processes of their own, and kills them after some seconds.

    They are forked from one that has loaded everything, so that a kill falls into the ingest and not into an import.
    """
    command = [sys.executable, "-W", "ignore", "-c", NURSERY]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, **options) as process:

        def ingest(desk, processes=1, seconds="-"):
            print(data, desk.lake.root, processes, seconds, file=process.stdin, flush=True)
            took, *ends = process.stdout.readline().split()
            return float(took), list(map(int, ends))

        yield ingest
        process.stdin.close()


@pytest.mark.slow
def test_an_ingest_killed_at_any_moment_leaves_nothing_half_and_goes_on(desk, tmp_path):
    world, lottery, cut = World(desk, files=5), random.Random(4), 0
    with nursery(desk.data) as ingest:
        clean = world.copied(tmp_path / "clean")
        seconds, ends = ingest(clean)
        assert ends == [0]
        for kill in range(20):
            again = world.copied(tmp_path / str(kill))
            _, ends = ingest(again, seconds=seconds * (kill + lottery.random()) / 20)
            cut += ends == [-9]
            world.require_whole(again)
            world.require_all(again)
    assert cut > 10, "the promise was not put to the test"


def test_two_ingests_at_once_add_each_row_once(desk):
    world = World(desk, files=3)
    with nursery(desk.data) as ingest:
        _, ends = ingest(desk, processes=2)
    assert ends == [0, 0]
    world.require_all(desk)
