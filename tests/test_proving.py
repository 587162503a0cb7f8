"""Versions side by side on rows that none of them learnt from, and versions built anew from their lineage."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.conftest import at

from keepfit import actions, clock, proving
from keepfit.cli import main
from keepfit.errors import RegistryError
from keepfit.project import open_project
from keepfit.stages.registry.evidence import evidence_of

DEFINITIONS = """
from keepfit import Events, Every, Files, Float, Model, Records, XGBoost

shops = Records("shops", Files("shops.csv"), entity="shop")
sales = Events("sales", Files("sales*.csv"), entity="shop", time="at", columns={"amount": Float()}, quiet="99d")
takings = Model(
    "takings", observe=Every("1 day", of=shops),
    features=[sales.amount.sum(last="1d"), sales.amount.mean(last="7d"), sales.count(last="7d")],
    target=sales.amount.sum(next="1d"), estimator=XGBoost(n_estimators=20),
)
"""
SHOPS = ("north", "south", "west")
BEGIN = date(2025, 1, 1)


def lines(first, last):
    days = [BEGIN + timedelta(day) for day in range(first, last)]
    rows = [
        f"{shop},{day}T12:00:00Z,{100 + 40 * place + 30 * math.sin((day - BEGIN).days / 5 + place):.2f}"
        for day in days
        for place, shop in enumerate(SHOPS)
    ]
    return "\n".join(["shop,at,amount", *rows, ""])


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return a project of two versions, the second trained a month after the first, and rows of two months more."""
    folder = tmp_path_factory.mktemp("takings")
    (folder / "definitions.py").write_text(DEFINITIONS)
    (folder / "keepfit.yaml").write_text("profiles:\n  dev: {}\ntraining: {min_rows: 50}\n")
    (folder / "data").mkdir()
    (folder / "data" / "shops.csv").write_text("shop\n" + "\n".join(SHOPS) + "\n")
    (folder / "data" / "sales_1.csv").write_text(lines(0, 120))
    project = open_project(folder, None, {})
    model = project.model("takings")
    actions.train(project, model, at("2025-04-01"))
    (folder / "data" / "sales_2.csv").write_text(lines(120, 180))
    actions.train(project, model, at("2025-05-01"))
    return project


def test_versions_are_compared_on_the_rows_that_none_of_them_has_learnt_from(opened):
    found = proving.compare(opened, opened.model("takings"), ["1", "2"], at("2025-06-01"))
    first, second = found["versions"]
    assert (first.version, second.version) == ("1", "2")
    tested = evidence_of(opened.registry.version("takings", "2"))["test_from_at"]
    assert found["from_at"] == clock.to_micros(clock.parse_moment(tested))
    tested = evidence_of(opened.registry.version("takings", "2"))["test_from_at"]
    assert found["from_at"] == clock.to_micros(clock.parse_moment(tested))
    assert found["rows"] == first.metrics["rmse"].rows == second.gains["rmse"].rows
    assert first.gains == {}
    for one in (first, second):
        assert one.metrics["rmse"].low <= one.metrics["rmse"].value <= one.metrics["rmse"].high
        assert one.metrics["rmse"].value < found["baseline"]["rmse"]
    gain = first.metrics["rmse"].value - second.metrics["rmse"].value
    assert second.gains["rmse"].value == pytest.approx(gain)


def test_a_version_beside_itself_gains_nothing(opened):
    found = proving.compare(opened, opened.model("takings"), ["2", "2"], at("2025-06-01"))
    gain = found["versions"][1].gains["rmse"]
    assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


def test_a_version_of_the_future_is_not_compared(opened):
    with pytest.raises(RegistryError, match="version 2 of takings was trained as of 2025-05-01"):
        proving.compare(opened, opened.model("takings"), ["1", "2"], at("2025-04-15"))


def test_a_version_comes_out_byte_for_byte_though_rows_came_since(opened):
    for number in ("1", "2"):
        found = proving.reproduce(opened, opened.model("takings"), number)
        assert found["equal"]
        assert found["files"] == {"model.ubj": True, "model.onnx": True, "trees.npz": True}
        assert found["training_set"]["differences"] == []
        assert found["training_set"]["rows"] == found["training_set"]["recorded"] > 100
        assert found["largest_score_difference"] == 0.0


def other(opened, monkeypatch, **changes):
    """Load versions whose lineage says something else than what they were built from."""
    load = proving.load

    def loaded(version):
        one = load(version)
        return replace(one, artifact=replace(one.artifact, lineage=one.artifact.lineage | changes))

    monkeypatch.setattr(proving, "load", loaded)


def test_another_seed_makes_other_bytes_of_the_same_rows(opened, monkeypatch):
    other(opened, monkeypatch, seed=8)
    found = proving.reproduce(opened, opened.model("takings"), "1")
    assert not found["equal"]
    assert found["files"]["model.ubj"] is False
    assert found["training_set"]["differences"] == []
    assert found["largest_score_difference"] > 0


def test_other_rows_are_told_with_how_many(opened, monkeypatch):
    other(opened, monkeypatch, as_of="2025-03-01T00:00:00+00:00")
    found = proving.reproduce(opened, opened.model("takings"), "1")
    assert not found["equal"]
    (said,) = found["training_set"]["differences"]
    recorded, built = found["training_set"]["recorded"], found["training_set"]["rows"]
    assert said == f"{recorded:,} rows were recorded, {built:,} are built now"
    assert built < recorded


@pytest.mark.parametrize(("seed", "code"), [(7, 0), (8, 5)])
def test_the_command_ends_with_5_if_a_version_comes_out_otherwise(opened, monkeypatch, capsys, seed, code):
    other(opened, monkeypatch, seed=seed)
    command = ["keepfit", "reproduce", "takings", "1", "--project", str(opened.folder), "--json"]
    monkeypatch.setattr(sys, "argv", command)
    try:
        main()
        ended = 0
    except SystemExit as stop:
        ended = stop.code or 0
    assert ended == code
    assert json.loads(capsys.readouterr().out)["equal"] is (code == 0)
