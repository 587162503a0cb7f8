"""Which answers a champion is held to, once it is known what happened."""

from __future__ import annotations

from contextlib import closing

import pytest
from tests.conftest import at
from tests.stages.serving.world import write_version

from keepfit import clock, loop, steps, tables
from keepfit.project import Project, open_project
from keepfit.snapshot import take
from keepfit.stages.registry.version import Version
from keepfit.stages.serving.outbox import Outbox
from keepfit.steps import maturing

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Model
sales = Events("sales", Files("sales.csv"), entity="shop", time="at", columns={"amount": Float()})
takings = Model(
    "takings", observe=Every("1 day", of=sales), features=[sales.amount.sum(last="7d")], target=sales.amount.sum(next="1d")
)
"""
TRAINED, ASKED, NOW = at("2025-01-08"), at("2025-01-10"), at("2025-01-12")


@pytest.fixture
def opened(project) -> Project:
    sold = "".join(f"a,2025-01-{day:02}T12:00:00Z,5\n" for day in range(1, 12))
    found = open_project(project(DEFINITIONS, {"sales.csv": f"shop,at,amount\n{sold}"}), None, {})
    loop.ingest_all(found, NOW)
    return found


def answered(project: Project, version: str, origin: str, t: int = ASKED) -> None:
    """Log an answer of a version to the entity that is named as its origin, as a server does."""
    entity = None if origin == "rows" else origin
    row = dict.fromkeys(tables.PREDICTIONS.columns) | {
        "request_id": f"{version}{origin}{t}", "model": "takings", "version": version, "entity": entity, "t": t, "score": 1.0,
        "origin": origin,
    }  # fmt: skip
    with closing(Outbox(project.serving("takings").outbox)) as outbox:
        outbox.append(row)


def held_to(project: Project, version: str) -> set[tuple[str, int]]:
    """Return the entities and moments whose answers a version is held to."""
    model = project.model("takings")
    pointer = write_version(project.folder, version, model=model, width=1)
    champion = Version("takings", version, project.folder / version, pointer.digest, TRAINED, TRAINED, None)
    steps.collect_requests(project, model)
    snapshot = take(project.engine, project.lake, model.tables(), NOW)
    found = maturing.answered(project, steps.load(champion), snapshot)
    return {(row["entity"], row["t"]) for row in found}


def test_a_champion_is_held_to_what_it_told_somebody(opened: Project) -> None:
    for origin in ("batch", "request", "canary", "shadow", "rows"):
        answered(opened, "2", origin)
    assert held_to(opened, "2") == {("batch", ASKED), ("request", ASKED), ("canary", ASKED)}


def test_what_a_challenger_told_counts_for_it_once_it_is_champion(opened: Project) -> None:
    answered(opened, "2", "request")
    answered(opened, "3", "canary")
    answered(opened, "3", "shadow")
    assert held_to(opened, "2") == {("request", ASKED)}
    assert held_to(opened, "3") == {("canary", ASKED)}


def test_answers_that_the_training_knew_or_that_are_open_do_not_count(opened: Project) -> None:
    for t in (TRAINED - clock.DAY, ASKED, NOW):
        answered(opened, "2", "canary", t)
    assert held_to(opened, "2") == {("canary", ASKED)}
