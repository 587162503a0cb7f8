"""`keepfit predict` of a file: the numbers of a request to the bit, nothing half, nothing lost, nothing silently null."""

from __future__ import annotations

import csv
import json
import struct
import subprocess
import sys
import threading
from textwrap import dedent

import httpx
import pytest
from arro3 import io
from arro3.core import RecordBatchReader
from deltalake import write_deltalake
from tests.conftest import at
from tests.stages.serving.world import port_of, wait_until, write_version

from keepfit import clock, loop, predicting
from keepfit.errors import KeepfitError, LakeError, SourceError
from keepfit.project import open_project
from keepfit.stages.serving.app import create_app
from keepfit.stages.serving.outbox import Outbox
from keepfit.stages.serving.server import bind, server
from keepfit.stages.serving.sqlite import SQLiteStore
from keepfit.steps import asked
from keepfit.steps.targets import Target

DEFINITIONS = """
    from keepfit import Category, Events, Every, Files, Float, Input, Model, Records, XGBoost

    shops = Records("shops", Files("shops.csv"), entity="shop", columns={"kind": Category()})
    sales = Events("sales", Files("sales.csv"), entity="shop", time="at", columns={"amount": Float()})
    churn = Model(
        "churn", observe=Every("1 week", of=shops),
        features=[
            sales.amount.sum(last="14d"), sales.count(last="7d"), sales.time_since_last(), shops.kind,
            Input("basket", Float(min=0), past=sales.amount.last()), Input("sort", Category(), past=shops.kind),
        ],
        target=sales.count(next="7d") == 0, metric="auc", estimator=XGBoost(n_estimators=20), gates=[],
    )
"""
NOW = at("2025-06-01")
NAMES = ("sales_amount_sum_14d", "sales_count_7d", "sales_time_since_last", "shops_kind", "basket", "sort")
HEADER = ",".join(("key", *NAMES))
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    days = [(shop, day) for shop in range(40) for day in range(150) if (shop * 7 + day * day) % (3 + shop % 9) == 0]
    start = at("2025-01-01")
    sold = "".join(
        f"s{shop},{clock.from_micros(start + day * clock.DAY + 3600).isoformat()},{(shop * day) % 17 + 0.1}\n"
        for shop, day in days
    )
    kinds = "".join(f"s{shop},{('kiosk', 'hall', 'web')[shop % 3]}\n" for shop in range(40))
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    (folder / "definitions.py").write_text(dedent(DEFINITIONS))
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\n")
    (folder / "data" / "shops.csv").write_text(f"shop,kind\n{kinds}")
    (folder / "data" / "sales.csv").write_text(f"shop,at,amount\n{sold}")
    opened = open_project(folder, None, {})
    loop.run(opened, "churn", NOW)
    return opened


@pytest.fixture(scope="module")
def current(shop, tmp_path_factory):
    """Return the answers to the current observations, with their features, as a file and as rows."""
    path = tmp_path_factory.mktemp("current") / "current.parquet"
    predicting.predict(shop, shop.model("churn"), NOW, Target(path))
    return path, shop.engine.rows([str(path)])


@pytest.fixture(scope="module")
def http(shop):
    """Return a client of the project's server."""
    files = shop.serving("churn")
    store, outbox = SQLiteStore(files.store), Outbox(files.outbox)
    running, listener = server(create_app(files.pointer, store, outbox, now=lambda: NOW)), bind("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port_of(listener)}", timeout=60) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200)
            yield client
    finally:
        running.should_exit = True
        thread.join()
        store.close()
        outbox.close()


def rows_of(shop, path):
    return shop.engine.rows(predicting.scoring.found(shop.lake, str(path)) if path.is_dir() else [str(path)])


def read_csv(path):
    with path.open(newline="") as text:
        return list(csv.DictReader(text))


def score(shop, source, path, *, bad=None, **options):
    return predicting.predict_rows(
        shop, shop.model("churn"), NOW, str(source), Target(path, **options), bad=bad, version=None
    )


def ask(shop, source, path, *, bad=None, **options):
    return predicting.predict_asked(
        shop, shop.model("churn"), NOW, str(source), Target(path, **options), bad=bad, version="1"
    )


def test_a_file_of_any_format_is_answered_as_the_server_answers(shop, current, http, tmp_path):
    path, rows = current
    body = {"rows": [{name: row[name] for name in NAMES} for row in rows]}
    online = http.post("/predict/rows", json=body).json()["answers"]
    assert len({one["score"] for one in online}) > 5
    columns = ", ".join(f'"{name}"' for name in NAMES)
    relation = shop.engine.connection.sql(f"select entity as key, {columns} from '{path}'")
    for name, options in (("a.csv", "format csv"), ("a.jsonl", "format json"), ("a.parquet", "format parquet")):
        shop.engine.connection.execute(f"copy ({relation.sql_query()}) to '{tmp_path / name}' ({options})")
    for write, name in ((io.write_ipc, "a.feather"), (io.write_ipc_stream, "a.arrows")):
        write(RecordBatchReader.from_arrow(relation), str(tmp_path / name))
    write_deltalake(tmp_path / "delta", relation)
    write_deltalake(tmp_path / "by_kind", relation, partition_by=["shops_kind"])
    for source in ("a.csv", "a.jsonl", "a.parquet", "a.feather", "a.arrows", "delta", "by_kind"):
        for to in ("out.parquet", "table", "out.csv") if source == "a.csv" else ("out.parquet",):
            found = score(shop, tmp_path / source, tmp_path / f"of_{source}" / to)
            assert (found["rows"], found["bad"]) == (len(rows), 0)
            target = tmp_path / f"of_{source}" / to
            told = read_csv(target) if to == "out.csv" else rows_of(shop, target)
            scored = {row["key"]: float(row["score"]) for row in told}
            assert scored == {row["entity"]: one["score"] for row, one in zip(rows, online, strict=True)}, source
            assert {str(row["positive"]).lower() for row in told} == {str(one["positive"]).lower() for one in online}
            assert {row["version"] for row in told} == {"1"}
            assert not list(target.parent.glob(".keepfit-*"))


def test_entities_at_moments_and_with_inputs_are_answered_as_the_server_answers(
    shop, current, http, tmp_path, monkeypatch
):
    monkeypatch.setattr(asked, "PIECE", 7)  # so that there are many
    _, rows = current
    pairs = "".join(f"{row['entity']},{clock.from_micros(row['t']).isoformat()}\n" for row in rows[::-1])
    (tmp_path / "pairs.csv").write_text("shop,at\n" + pairs)
    assert ask(shop, tmp_path / "pairs.csv", tmp_path / "pairs.parquet")["rows"] == len(rows)
    scored = rows_of(shop, tmp_path / "pairs.parquet")
    assert [(row["shop"], row["t"], row["score"]) for row in scored] == [
        (row["entity"], row["t"], row["score"]) for row in rows[::-1]
    ]
    sent = [
        {
            "shop": f"s{place % 40}",
            "basket": place * 1.7 if place % 5 else None,
            "sort": ("hall", None, "new")[place % 3],
        }
        for place in range(60)
    ]
    (tmp_path / "sent.jsonl").write_text("".join(json.dumps(one) + "\n" for one in sent))
    ask(shop, tmp_path / "sent.jsonl", tmp_path / "sent.parquet")
    online = http.post("/predict", json=sent).json()["answers"]
    scored = rows_of(shop, tmp_path / "sent.parquet")
    assert [row["score"] for row in scored] == [one["score"] for one in online]
    assert [{name: row[name] for name in NAMES} for row in scored] == [one["features"] for one in online]
    assert len({one["score"] for one in online}) > 4


def test_nothing_that_cannot_be_answered_is_lost(shop, tmp_path, monkeypatch):
    monkeypatch.setattr("keepfit.engines.local.ready.LEAST", 50)
    monkeypatch.setattr("keepfit.engines.local.ready.MOST", 50)
    source, bad, out = tmp_path / "a.csv", tmp_path / "bad.csv", tmp_path / "out.parquet"
    lines = [f"{place},1,{'much' if place % 7 == 3 else 2},3,kiosk,4,hall" for place in range(120)]
    lines[60] = '60,1,2,3,"kiosk'  # opens a quote that nothing closes
    source.write_text("\n".join([HEADER, *lines]))
    with pytest.raises(SourceError, match=r"is not a number: much|line 6"):
        score(shop, source, out)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    found = score(shop, source, out, bad=bad)
    wrong = read_csv(bad)
    assert found["rows"] + found["bad"] == 120 or any(row["place"].startswith("line") for row in wrong)
    assert found["bad"] == len(wrong) > 16
    answered = [int(row["key"]) for row in rows_of(shop, out)]
    numbers = [row for row in wrong if "sales_count_7d is not a number: much" in row["reason"]]
    assert answered == sorted(answered) and len(answered) == found["rows"]
    told = {json.loads(row["row"])["key"]: row["place"] for row in numbers}
    assert set(told) | {str(key) for key in answered} >= {str(place) for place in range(60)}
    assert all(place == f"row {int(key) + 1}" for key, place in told.items() if int(key) < 60)


def test_an_entity_that_is_unknown_and_a_moment_ahead_are_put_aside(shop, tmp_path):
    pairs, bad = tmp_path / "pairs.csv", tmp_path / "bad.csv"
    pairs.write_text(
        "shop,at,basket\ns1,2025-05-01,1\nnobody,2025-05-01,1\ns2,2031-01-01,1\ns3,2025-05-01,-1\ns4,soon,1\n"
    )
    with pytest.raises(SourceError, match="row 2: nothing is known of shop 'nobody'"):
        ask(shop, pairs, tmp_path / "p.csv")
    found = ask(shop, pairs, tmp_path / "p.csv", bad=bad)
    assert (found["rows"], found["bad"]) == (1, 4)
    wrong = {row["place"]: row["reason"] for row in read_csv(bad)}
    assert "nothing is known of shop 'nobody'" in wrong["row 2"] and "lies ahead" in wrong["row 3"]
    assert wrong["row 4"].startswith("basket") and wrong["row 5"].startswith("at")


REFUSED = {
    "a.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "is there already", {}),
    "b.csv": ("key,sales_amount_sum_14\n1,2\n", "has no column 'sales_amount_sum_14d'", {"to": "new.csv"}),
    "c.csv": (f"{HEADER},Score\n1,1,1,1,a,1,b,1\n", "has a column 'Score', which answers have too", {"to": "new.csv"}),
    "d.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "bad.csv is there already", {"to": "new.csv", "bad": "bad.csv"}),
    "e.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "are in one place", {"to": "e.csv", "force": True}),
    "f.parquet": ("this is no Parquet", "f.parquet cannot be read", {"to": "new.csv"}),
    "g.feather": ("this is no Arrow", "g.feather cannot be read", {"to": "new.csv"}),
    "h.doc": ("what is this", "is of no known format", {"to": "new.csv"}),
    "i.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "cannot write 'new.doc'", {"to": "new.doc"}),
    "j.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "cannot be appended to", {"to": "new.csv", "append": True}),
    "k.csv": (f"{HEADER}\n1,1,1,1,a,1,b\n", "is a folder that is no Delta table", {"to": "folder"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_and_leaves_everything_as_it_was(shop, tmp_path, name):
    text, words, options = REFUSED[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for there in ("scores.csv", "bad.csv"):
        (tmp_path / there).write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    asked_for = {"to": "scores.csv"} | options
    bad = tmp_path / asked_for.pop("bad") if "bad" in asked_for else None
    with pytest.raises(KeepfitError, match=words) as raised:
        score(shop, tmp_path / name, tmp_path / str(asked_for.pop("to")), bad=bad, **asked_for)
    assert raised.value.fix
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_keepfit_keeps_is_not_written_over(shop, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(f"{HEADER}\n1,1,1,1,a,1,b\n")
    with pytest.raises(SourceError, match="lies in the project's state") as raised:
        score(shop, source, shop.lake.root / "source" / "sales", force=True)
    assert raised.value.fix


def test_a_delta_table_is_added_to_or_replaced_in_one_commit(shop, tmp_path):
    source, table = tmp_path / "a.csv", tmp_path / "table"
    source.write_text(f"{HEADER}\na,1,2,3,kiosk,1,hall\n")

    def rows(**options):
        score(shop, source, table, **options)
        return len(rows_of(shop, table))

    assert [rows(), rows(append=True), rows(force=True)] == [1, 2, 1]
    assert len(list((table / "_delta_log").glob("*.json"))) == 3
    with pytest.raises(SourceError, match="--append adds to it"):
        rows()
    write_deltalake(tmp_path / "theirs", shop.engine.connection.sql("select 1::BIGINT as score"))
    with pytest.raises(LakeError, match="column 'score' is double and that of theirs is long"):
        score(shop, source, tmp_path / "theirs", append=True)
    assert rows_of(shop, tmp_path / "theirs") == [{"score": 1}]


def vector(places):
    """Return a Delta deletion vector that takes out rows of a file: a roaring bitmap inside the log."""
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(places) - 1, 16) + struct.pack(f"<{len(places)}H", *places)
    content = struct.pack("<iqI", 1681511377, 1, 0) + bitmap
    padded, text = content + b"\0" * (-len(content) % 4), ""
    for (number,) in struct.iter_unpack(">I", padded):
        text += "".join(DIGITS[number // 85**power % 85] for power in range(4, -1, -1))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(content), "cardinality": len(places)}


def test_rows_that_a_deletion_vector_takes_out_of_a_delta_table_are_not_answered(shop, tmp_path):
    feature = ", ".join(f"1.0 as {name}" for name in NAMES if name not in ("shops_kind", "sort"))
    text = f"select range as key, {feature}, 'hall' as shops_kind, 'hall' as sort from range(6)"
    write_deltalake(tmp_path / "theirs", shop.engine.connection.sql(text))
    log = tmp_path / "theirs" / "_delta_log"
    told = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    added = next(one["add"] for one in told if "add" in one)
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7} | {
        f"{kind}Features": ["deletionVectors"] for kind in ("reader", "writer")
    }
    removed = {"path": added["path"], "dataChange": True, "deletionTimestamp": 0}
    said = [{"protocol": protocol}, {"remove": removed}, {"add": added | {"deletionVector": vector([1, 4])}}]
    (log / f"{1:020}.json").write_text("\n".join(map(json.dumps, said)))
    assert score(shop, tmp_path / "theirs", tmp_path / "out.parquet")["rows"] == 4
    assert [row["key"] for row in rows_of(shop, tmp_path / "out.parquet")] == [0, 2, 3, 5]


SCORES = """
import resource, sys, time
from pathlib import Path
from keepfit import artifact
from keepfit.artifact import Predictor
from keepfit.engines.local import LocalEngine, ready, writing
from keepfit.stages.registry.version import Version
from keepfit.steps import scoring
from keepfit.steps.answering import Loaded
from keepfit.steps.aside import Aside
from keepfit.steps.targets import Target

folder, made = Path(sys.argv[1]), Path(sys.argv[1]) / "made" / "1"
version = Version("churn", "1", made, "", 0, 0, None)
by, engine = Loaded(version, artifact.read(made), Predictor.load(made)), LocalEngine(threads=2)
ready.LEAST = ready.MOST = 50_000

def score(name, target):
    rows = scoring.score_rows(engine, by, folder / name, name, target, Aside(None, name))
    print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)

score("small.parquet", Target(folder / "scores.parquet"))
score("large.parquet", Target(folder / "large_scores.parquet"))
write = writing.LocalParts.write

def slow(self, held, *text):
    write(self, held, *text)
    if len(self.files()) == 2:
        print("in the middle", flush=True)
        time.sleep(60)

writing.LocalParts.write = slow
score("large.parquet", Target(folder / "scores.parquet", force=True))
"""


def test_memory_does_not_grow_with_the_rows_and_a_kill_leaves_what_was_there(shop, tmp_path):
    write_version(tmp_path / "made", "1")
    for name, rows in (("small", 100_000), ("large", 1_200_000)):
        features = "random() as sales_amount_sum_30d, random() as sales_count_90d, random() as customers_age"
        query = f"select range as key, {features} from range({rows})"
        shop.engine.connection.execute(f"copy ({query}) to '{tmp_path / name}.parquet'")
    with subprocess.Popen([sys.executable, "-c", SCORES, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        found = [process.stdout.readline().split() for _ in range(3)]
        process.kill()
    (first, small), (second, large) = (map(int, numbers) for numbers in found[:2])
    assert (first, second, found[2]) == (100_000, 1_200_000, ["in", "the", "middle"])
    assert large < small + 100
    assert len(rows_of(shop, tmp_path / "scores.parquet")) == 100_000
