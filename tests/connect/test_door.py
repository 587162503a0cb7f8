"""How a source is found, and what it may load."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from keepfit import connect as room
from keepfit.connect import Connection, Item, Place, connect, scheme
from keepfit.errors import MissingExtra, SourceError
from keepfit.spec.sources import Database, Delta, Files, Source


def test_the_room_loads_no_library_before_a_source_is_opened():
    code = "import sys, keepfit.connect; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"obstore", "httpx", "sqlalchemy", "psycopg", "pymysql", "deltalake", "duckdb"}
    assert {module.split(".")[0] for module in done.stdout.split()} & heavy == set()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (Files("in/*.csv"), "file"),
        (Files("S3://shop/*.csv"), "s3"),
        (Files("https://host/a.csv"), "https"),
        (Database("env:SHOP", "sales"), "database"),
        (Delta("s3://shop/sales"), "delta"),
    ],
)
def test_a_source_is_found_by_the_scheme_of_its_address(source: Source, kind: str):
    assert scheme(source) == kind


def test_a_scheme_that_nobody_answers_to_lists_those_there_are(tmp_path: Path):
    with pytest.raises(SourceError) as refused:
        connect(Files("gopher://host/x.csv"), Place(tmp_path, tmp_path, {}))
    assert "no source is installed for gopher://" in refused.value.what
    assert all(kind in refused.value.fix for kind in ("s3", "https", "file"))


class Shelf:
    """A stranger's source."""

    def items(self) -> list[Item]:
        return [Item("a.csv", "1", 5, {})]

    def fetch(self, item: Item, folder: Path) -> Path:
        raise NotImplementedError


def open_shelf(source: Files, place: Place) -> Connection:
    return Shelf()


def test_a_strangers_source_comes_in_by_the_same_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "strangers", sys.modules[__name__])
    point = EntryPoint("shelf", "strangers:open_shelf", room.GROUP)
    monkeypatch.setattr(room, "_installed", lambda: {"shelf": point})
    assert connect(Files("shelf://top/*.csv"), Place(tmp_path, tmp_path, {})).items()[0].name == "a.csv"


@pytest.mark.parametrize(
    ("source", "library", "extra"),
    [
        (Files("s3://shop/*.csv"), "obstore", "objects"),
        (Delta("s3://shop/sales"), "obstore", "objects"),
        (Database("postgresql://host/shop", "sales"), "psycopg", "postgres"),
        (Database("mysql://host/shop", "sales"), "pymysql", "mysql"),
        (Database("mariadb://host/shop", "sales"), "pymysql", "mysql"),
    ],
)
def test_a_library_that_is_not_installed_is_an_extra_to_install(
    source: Source, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, library, None)
    for module in ("keepfit.connect.store", "keepfit.connect.objects"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.delattr(room, "store", raising=False)
    with pytest.raises(MissingExtra) as refused:
        connect(source, Place(tmp_path, tmp_path, {}))
    assert refused.value.fix == f"pip install 'keepfit[{extra}]'"
