"""The tables that are laid are MLflow's own, and a version of MLflow that has others makes its own."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from keepfit.stages.registry import database


def dump(path: Path) -> list[str]:
    """Return the lines that make a database; MLflow makes constraints and indexes in another order each time."""
    with closing(sqlite3.connect(path)) as connection:
        return [line.rstrip() for text in connection.iterdump() for line in text.splitlines()]


def test_the_tables_are_those_that_mlflow_makes(tmp_path: Path) -> None:
    laid, made, told = (tmp_path / name for name in ("laid.db", "made.db", "mlflow.sql"))
    database.lay(laid)
    engine = sqlalchemy.create_engine(f"sqlite:///{made}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.store.db.utils import _initialize_tables

        _initialize_tables(engine)
    engine.dispose()
    told.write_text("\n".join(["BEGIN IMMEDIATE;", *dump(made)[1:], ""]))
    assert laid.exists() and sorted(dump(laid)) == sorted(dump(made)), f"MLflow changed: cp {told} {database.TABLES}"


def test_of_another_revision_mlflow_makes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "newest", lambda: "another")
    database.lay(tmp_path / "mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()


def test_a_database_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (mine)")
    database.lay(path)
    assert dump(path) == ["BEGIN TRANSACTION;", "CREATE TABLE experiments (mine);", "COMMIT;"]
