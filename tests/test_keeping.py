"""What models and training sets were built from is there after every vacuum."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keepfit import actions, clock, keeping, tables
from keepfit.errors import LakeError
from keepfit.lake import Lake
from keepfit.project import Project, open_project

DEFINITIONS = """
from keepfit import Category, Events, Every, Files, Float, Model, Records

people = Records("people", Files("people.csv"), entity="who", columns={"town": Category()})
sales = Events("sales", Files("sales.csv"), entity="who", time="at", quiet="99d", columns={"amount": Float()})
spend = Model("spend", observe=Every("1 week", of=people), features=[sales.amount.sum(last="30d"), people.town],
              target=sales.amount.sum(next="7d"))
"""
SALES = "who,at,amount\n" + "".join(
    f"p{who},2025-{month:02}-{day:02}T00:00:00Z,{who * day % 7 + month}\n"
    for who in range(12)
    for month in range(1, 13)
    for day in range(1, 29, 3)
)
FAR = clock.to_micros(clock.parse_moment("2090-01-01"))
DAY = clock.DAY


def at(text: str) -> int:
    return clock.to_micros(clock.parse_moment(text))


def people(town: str) -> str:
    return "who,town\n" + "".join(f"p{who},{town}\n" for who in range(12))


@pytest.fixture
def opened(project: Any) -> Project:
    """Return a small project in which nothing was ingested."""
    folder = project(DEFINITIONS, {"sales.csv": SALES, "people.csv": people("Rome")})
    return open_project(folder, None, os.environ)


def lives_in(project: Project, town: str, as_of: str) -> int:
    """Ingest people who all live in a town, in place of those before, and return the version."""
    from keepfit.loop import ingest_all

    (project.data / "people.csv").write_text(people(town))
    ingest_all(project, at(as_of))
    return project.lake.version("source/people")


def rows(project: Project, name: str, version: int) -> list[dict[str, Any]]:
    found = project.engine.rows(project.lake.parquet_files(name, version))
    return sorted(found, key=lambda row: json.dumps(row, default=str))


def vacuum(project: Project, keep: int = DAY) -> dict[str, keeping.Vacuumed]:
    return {one.table: one for one in keeping.vacuum(project, FAR, keep, dry_run=False)["tables"]}


@pytest.mark.slow
def test_after_a_vacuum_every_version_that_a_training_recorded_reads_the_same_rows(opened: Project) -> None:
    model = opened.model()
    lives_in(opened, "Rome", "2025-09-01")
    actions.train(opened, model, at("2025-10-01"))
    forgotten = lives_in(opened, "Oslo", "2025-10-15")
    lives_in(opened, "Bonn", "2025-11-01")
    actions.train(opened, model, at("2025-12-01"))
    newest = lives_in(opened, "Bern", "2025-12-15")
    needs = sorted({(need.table, need.version) for need in keeping.needed(opened)})
    assert [version for table, version in needs if table == "source/people"] == [1, 3]
    assert [version for table, version in needs if table == "training/spend"] == [0, 1]
    before = {need: rows(opened, *need) for need in needs}

    done = vacuum(opened)

    assert {need: rows(opened, *need) for need in needs} == before
    assert {row["town"] for row in rows(opened, "source/people", newest)} == {"Bern"}
    assert (done["source/people"].lost, done["source/people"].files) == ((forgotten,), 1)
    by = done["source/people"].needed[1]
    assert any("training/spend" in one for one in by) and any("model artifacts" in one for one in by)
    with pytest.raises(LakeError, match="can no longer be read"):
        opened.lake.parquet_files("source/people", forgotten)
    # the next training takes from the last one what it may
    actions.train(opened, model, at("2026-01-01"))


def test_a_training_set_of_a_replay_keeps_what_it_was_computed_from(opened: Project) -> None:
    lives_in(opened, "Rome", "2025-09-01")
    needed = lives_in(opened, "Oslo", "2025-10-01")
    lives_in(opened, "Bonn", "2025-11-01")
    beside = Lake(opened.state / "replays" / "spend 2025" / "lake")
    relation = opened.engine.relation({"entity": np.array(["p1"], object)}, {"entity": "VARCHAR"})
    beside.replace(tables.training_set("spend"), relation, notes={"keepfit.versions": json.dumps({"people": needed})})
    assert vacuum(opened)["source/people"].lost == (1,)
    assert {row["town"] for row in rows(opened, "source/people", needed)} == {"Oslo"}


def test_a_model_version_keeps_what_its_folder_names(opened: Project) -> None:
    for town, moment in (("Rome", "2025-09-01"), ("Oslo", "2025-10-01"), ("Bonn", "2025-11-01")):
        lives_in(opened, town, moment)
    folder = opened.state / "artifacts" / "run" / "model"
    folder.mkdir(parents=True)
    lineage = {"tables": {"people": 2}, "training_set": {"table": "training/spend", "version": 0}}
    (folder / "artifact.json").write_text(json.dumps({"lineage": lineage}))
    assert vacuum(opened)["source/people"].lost == (1,)
    (folder / "artifact.json").write_text('{"lineage": {"tab')
    with pytest.raises(LakeError, match="cannot tell which table versions are needed") as refused:
        vacuum(opened)
    assert str(folder) in refused.value.where and "nothing was vacuumed" in refused.value.fix


def test_versions_stay_while_they_are_young_by_either_clock(opened: Project) -> None:
    for town, moment in (("Rome", "2088-09-01"), ("Oslo", "2088-10-01"), ("Bonn", "2089-12-15")):
        lives_in(opened, town, moment)
    # version 2 was the newest until 2089-12-15
    assert vacuum(opened, keep=30 * DAY)["source/people"].lost == (1,)
    assert vacuum(opened, keep=10 * DAY)["source/people"].lost == (2,)


def test_what_a_killed_ingest_left_is_swept_up(opened: Project) -> None:
    lives_in(opened, "Rome", "2025-09-01")
    left = Path(opened.lake.root / "source/people/part-of-a-killed-ingest.parquet")
    left.write_bytes(b"half a file")
    assert vacuum(opened)["source/people"].orphans == 1
    assert not left.exists() and len(rows(opened, "source/people", 1)) == 12
