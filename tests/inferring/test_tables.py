"""What several files are taken for, and that what is written holds."""

from __future__ import annotations

import gzip
import json
import os
import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from keepfit import clock
from keepfit.errors import ProjectError, SourceError
from keepfit.inferring import Wish, infer
from keepfit.inferring.patterns import Names
from keepfit.project import open_project
from keepfit.stages.ingest import ingest

DATA = os.environ.get("KEEPFIT_DATA")
AS_OF = clock.to_micros(clock.parse_moment("2100-01-01"))


def guess(tmp_path: Path, *paths: Path, **wish) -> tuple[dict, str]:
    """Return what is told, and what is written."""
    project = tmp_path / "project"
    found = infer(paths, Wish(project, **wish), lambda _: None)
    return found, (project / "definitions.py").read_text()


def ingested(tmp_path: Path) -> dict[str, tuple[int, int]]:
    """Return rows read and appended of each table of the project, once it checks."""
    project = open_project(tmp_path / "project", None, {})
    assert project.definitions.problems() == []
    into = project.engine, project.lake, project.sources
    return {one.table: (one.rows_read, one.appended) for one in ingest(*into, project.definitions.tables, AS_OF)}


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def hours(number: int) -> list[str]:
    return [f"{datetime(2024, 1, 1) + timedelta(hours=place)}" for place in range(number)]


def test_station_files_with_differing_headers_are_one_table(tmp_path):
    lottery = random.Random(3)
    folder = tmp_path / "raw" / "air"
    folder.mkdir(parents=True)
    for place, station in enumerate(["AS002", "BR010", "DL040", "GJ008"]):
        dust = ["PM2.5 (ug/m3)", "pm25 [ug/m3]", "PM 2.5 (ug/m3)", "PM2.5"][place]
        extra = ["NO2 (ppb)"] if place % 2 else []
        lines = [",".join(["From Date", dust, *extra, "Wind Dir"])]
        for hour in hours(200):
            value = lottery.choice(["", "NA", "-999", *[f"{lottery.uniform(1, 300):.2f}"] * 27])
            lines.append(
                ",".join([hour, value, *(f"{lottery.uniform(0, 50):.1f}" for _ in extra), lottery.choice("NESW")])
            )
        (folder / f"{station}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    write(folder, stations__csv="code,city\nAS002,Guwahati\nBR010,Patna\nDL040,Delhi\nGJ008,Surat\n", README__md="#\n")
    found, text = guess(tmp_path, folder, zone="Asia/Kolkata")
    air, stations = found["tables"]
    assert (air["name"], air["kind"], air["pattern"]) == ("air", "Events", "{station}.csv.gz")
    assert (air["entity"], air["time"]) == ("station", "from_date")
    assert (stations["kind"], stations["entity"]) == ("Records", "code")
    assert 'aliases=["pm25 [ug/m3]", "PM 2.5 (ug/m3)", "PM2.5"], unit="ug/m3", min=0, max=1000,' in text.replace(
        "\n            ", " "
    )
    assert 'sentinels=["NA", -999]' in text
    assert "in 2 of 4 files" in text and 'Evolution(vanish="ignore")' in text
    assert 'zone="Asia/Kolkata"' in text and 'data: "' in (tmp_path / "project" / "keepfit.yaml").read_text()
    assert ingested(tmp_path) == {"air": (800, 800), "stations": (4, 4)}


def test_the_model_in_the_comments_is_one(tmp_path):
    rows = "\n".join(f"{'ab'[place % 2]},{hour},{place % 17}" for place, hour in enumerate(hours(60)))
    guess(tmp_path, write(tmp_path / "raw", sales__csv=f"shop_id,sold_at,amount\n{rows}\n"))
    path = tmp_path / "project" / "definitions.py"
    head, _, model = path.read_text().partition("# A model to begin with: ")
    path.write_text(head + "\n".join(line.removeprefix("# ").removeprefix("#") for line in model.splitlines()[1:]))
    project = open_project(tmp_path / "project", None, {})
    assert project.definitions.problems() == []
    assert project.definitions.models[0].name == "sales_model"


def test_a_moment_may_be_split_and_zones_told_by_offsets(tmp_path):
    split = "\n".join(f"{place},2024,1,{1 + place // 24},{place % 24},s{place % 3}" for place in range(72))
    zoned = "\n".join(f"{hour.replace(' ', 'T')}+01:00,d{place % 3},1.5" for place, hour in enumerate(hours(30)))
    pair = "\n".join(f"{1 + place // 24:02}.01.2024;{place % 24:02}:30;m{place % 2};{place},5" for place in range(72))
    folder = write(
        tmp_path / "raw",
        split__csv=f"n,year,month,day,hour,site\n{split}\n",
        zoned__csv=f"at,device,value\n{zoned}\n",
        pair__csv=f"Date;Time;meter;kWh\n{pair}\n",
    )
    found, text = guess(tmp_path, folder)
    assert {one["name"]: (one["entity"], one["time"]) for one in found["tables"]} == {
        "split": ("site", "happened"),
        "zoned": ("device", "at"),
        "pair": ("meter", "happened"),
    }
    assert 'Time(source=("year", "month", "day", "hour"), format="%Y %m %d %H")' in text
    assert 'Time(source=("Date", "Time"), format="%d.%m.%Y %H:%M")' in text
    assert 'format=Csv(delimiter=";")' in text and 'decimal=","' in text
    assert text.count("zone=") == 2
    assert ingested(tmp_path) == {"split": (72, 72), "zoned": (30, 30), "pair": (72, 72)}


def test_formats_of_all_kinds_are_looked_at(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    records = [{"user": f"u{place % 5}", "at": f"2024-01-{1 + place:02}T00:00:00Z", "n": place} for place in range(20)]
    (folder / "lines.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    (folder / "array.json").write_text(json.dumps([{**one, "of_array": 1} for one in records]))
    (folder / "inside.json").write_text(
        json.dumps({"data": {"rows": [{**one, "a": 1, "b": 2, "c": 3} for one in records]}})
    )
    duckdb.sql(f"copy (select 's' || range % 3 as sensor, timestamptz '2024-01-01 00:00:00Z' + interval (range) hour as at,"
               f" range / 2 as v from range(30)) to '{folder / 'readings.parquet'}'")  # fmt: skip
    found, text = guess(tmp_path, folder)
    assert {one["name"]: one["entity"] for one in found["tables"]} == {
        "array": "user",
        "inside": "user",
        "lines": "user",
        "readings": "sensor",
    }
    assert 'Json(records="data.rows")' in text and "zone=" not in text
    assert ingested(tmp_path) == {"array": (20, 20), "inside": (20, 20), "lines": (20, 20), "readings": (30, 30)}


def test_records_that_repeat_are_told_where_their_time_is(tmp_path):
    orders = "\n".join(f"o{place},c{place % 9},{hour}" for place, hour in enumerate(hours(40)))
    payments = "\n".join(f"o{place % 40},{place % 3},{place}.5" for place in range(60))
    folder = write(
        tmp_path / "raw",
        orders__csv=f"order_id,customer_id,ordered_at\n{orders}\n",
        payments__csv=f"order_id,part,amount\n{payments}\n",
    )
    _, text = guess(tmp_path, folder)
    assert 'orders knows when: Events(..., time="ordered_at", lookup=Lookup(orders, on="order_id"' in text
    assert ingested(tmp_path)["payments"][0] == 60


def test_a_year_in_the_names_of_files_is_their_time(tmp_path):
    old, new = ("".join(f"b{place},{place % of}\n" for place in range(50)) for of in (9, 8))
    found, text = guess(
        tmp_path, write(tmp_path / "raw", MD07__txt="bridge_id,deck\n" + old, MD17__txt="bridge_id,deck\n" + new)
    )
    assert found["tables"][0]["pattern"] == "MD{reported:%y}.txt" and 'time="reported"' in text
    assert ingested(tmp_path) == {"raw": (100, 100)}


@pytest.mark.parametrize(
    ("names", "others", "pattern"),
    [
        (["a/sales_01.csv", "a/sales_02.csv"], ["a/stock.csv"], "a/sales_*.csv"),
        (["sales_2024_01.csv", "sales_2025_02.csv"], [], "sales_*.csv"),
        (["AS002.csv", "BR010.csv"], ["stations.csv"], "[A-Z][A-Z]0[0-9][0-9].csv"),
        (["x/1.csv", "y/1.csv"], ["1.csv"], "*/1.csv"),
        (["one.csv"], ["two.csv"], "one.csv"),
    ],
)
def test_a_pattern_matches_the_files_of_a_table_and_no_others(names, others, pattern):
    assert Names(tuple(sorted(names))).pattern([*names, *others]) == pattern


def test_nothing_is_overwritten_and_settings_that_are_there_are_kept(tmp_path):
    folder = write(tmp_path / "project" / "data", sales__csv="shop,at,n\na,2024-01-01,1\n", more__csv="x,y\n1,2\n")
    guess(tmp_path, folder / "sales.csv")
    settings = (tmp_path / "project" / "keepfit.yaml").read_text()
    assert "data: data  # raw files" in settings
    with pytest.raises(ProjectError, match=r"definitions\.py is there already"):
        guess(tmp_path, folder / "more.csv")
    infer([folder / "more.csv"], Wish(tmp_path / "project", to=tmp_path / "project" / "more.py"), lambda _: None)
    assert (tmp_path / "project" / "keepfit.yaml").read_text() == settings
    assert '"more",' in (tmp_path / "project" / "more.py").read_text()
    outside = write(tmp_path / "elsewhere", a__csv="x,y\n1,2\n")
    with pytest.raises(ProjectError, match="lies outside the data folder"):
        infer([outside], Wish(tmp_path / "project", to=tmp_path / "other.py"), lambda _: None)


def test_what_cannot_be_read_is_told_and_the_others_are_written(tmp_path):
    folder = write(tmp_path / "raw", good__csv="shop,at\na,2024-01-01\n", empty__csv="")
    (folder / "torn.csv.gz").write_bytes(b"no gzip")
    found, _ = guess(tmp_path, folder)
    assert [one["what"].partition(" ")[0] for one in found["unread"]] == ["empty.csv", "torn.csv.gz"]
    assert [one["name"] for one in found["tables"]] == ["good"]
    with pytest.raises(SourceError, match=r"there is no file none\.csv"):
        infer([tmp_path / "none.csv"], Wish(tmp_path / "p"), lambda _: None)
    with pytest.raises(ProjectError, match="the files make 2 tables, and --name is one"):
        write(folder, other__csv="x,y,z\n1,2,3\n")
        infer([folder], Wish(tmp_path / "q", name="air"), lambda _: None)


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="KEEPFIT_DATA is not set")
@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("india_caaqms", {"india_caaqms": (580_054, 0.999), "stations_info": (18, 1)}),
        ("online_retail", {"online_retail": (541_909, 0.75)}),  # a quarter of the sales have no customer
        ("maryland_nbi", {"maryland_nbi": (11_590, 0.99)}),
        ("beijing_multisite_air_quality", {"prsa_data": (420_768, 0.999)}),
        (
            "olist_sample",
            {
                "customers": (5_685, 1), "order_items": (5_856, 0.99), "order_payments": (6_212, 0.99), "orders": (5_685, 1),
                "order_reviews": (5_751, 1), "product_category_name_translation": (71, 1), "products": (4_061, 0.99),
                "sellers": (1_366, 1),
            },
        ),
    ],
)  # fmt: skip
def test_real_files_become_a_project_that_ingests_them(tmp_path, name, tables):
    guess(tmp_path, Path(DATA or "", name))
    done = ingested(tmp_path)
    assert {table: rows for table, (rows, _) in done.items()} == {table: rows for table, (rows, _) in tables.items()}
    for table, (rows, appended) in done.items():
        assert appended >= tables[table][1] * rows - 1, table
