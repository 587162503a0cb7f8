"""Files and archives below the data folder pass the contract of sources."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from keepfit.spec.sources import Files
from keepfit.testing import Row, SourceContract


def as_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([("id", "text"), *rows])
    return text.getvalue()


class TestLocal(SourceContract):
    def source(self) -> Files:
        return Files("in/{part}.csv")

    def path(self, name: str) -> Path:
        return self.place.data / "in" / f"{name}.csv"

    def put(self, name: str, rows: Sequence[Row]) -> None:
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_text(as_csv(rows), newline="")

    rewrite = put

    def remove(self, name: str) -> None:
        self.path(name).unlink()


class TestArchives(TestLocal):
    def source(self) -> Files:
        return Files("in/{part}.zip")

    def path(self, name: str) -> Path:
        return self.place.data / "in" / f"{name}.zip"

    def put(self, name: str, rows: Sequence[Row]) -> None:
        self.path(name).parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(self.path(name), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", as_csv(rows))

    rewrite = put
