"""Worksheets: cells as a text file would hold them, and lines that are rows of the sheet."""

from __future__ import annotations

import sys
import zipfile
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest

from keepfit.errors import MissingExtra, SourceError
from keepfit.spec.sources import Excel


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def opendocument(path, rows):
    def cell(value):
        if isinstance(value, float | int):
            return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        packed.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body><office:spreadsheet>'
            f'<table:table table:name="One">{body}</table:table></office:spreadsheet></office:body></office:document-content>',
        )
    return path


CELLS = {
    "one": (1, "1"),
    "real": (2.5, "2.5"),
    "whole": (17850.0, "17850"),
    "large": (1e300, "1e+300"),
    "yes": (True, "true"),
    "none": (None, None),
    "empty": ("", None),
    "text": (' a, "b"\nc ', ' a, "b"\nc '),
    "digits": ("007", "007"),
    "day": (date(2020, 1, 2), "2020-01-02"),
    "moment": (datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
    "clock": (time(3, 4), "03:04:00"),
    "span": (timedelta(hours=30), "30:00:00"),
}


def test_cells_are_texts_as_a_csv_would_hold_them(read, tmp_path):
    found = read("a.xlsx", workbook(tmp_path / "a.xlsx", One=[list(CELLS), [cell for cell, _ in CELLS.values()]]))
    assert dict(zip(found.header, found.rows[0], strict=True)) == {name: text for name, (_, text) in CELLS.items()}
    kinds = {"one": "NUMBER", "yes": "BOOLEAN", "text": "TEXT", "day": "DATE", "moment": "DATE"}
    assert {column: found.opened.types[column] for column in kinds} == kinds


def test_a_line_is_a_row_of_the_sheet(read, tmp_path):
    rows = [["Report of May"], [], ["a", None, 2020], [1, "x\ny", 3], [], [None], [4, 5, 6, 7], [8, None, 9], [], []]
    found = read("a.xlsx", workbook(tmp_path / "a.xlsx", One=rows), Excel(skip=1))
    assert found.header == ("a", "column 2", "2020")
    assert found.rows == [("1", "x\ny", "3"), ("8", None, "9")]
    assert found.rejected == [(7, 1, "too many columns", "4,5,6,7")]
    assert found.lines() == [4, 8]


def test_a_sheet_is_chosen_by_its_name(read, tmp_path):
    path = workbook(tmp_path / "a.xlsx", One=[["a"], [1]], Two=[["b"], [2]], Three=[])
    assert read("a.xlsx", path).rows == [("1",)]
    assert read("a.xlsx", path, Excel(sheet="Two")).header == ("b",)
    with pytest.raises(SourceError, match=r"a\.xlsx has no sheet 'Tow'") as found:
        read("a.xlsx", path, Excel(sheet="Tow"))
    assert "did you mean 'Two'? it has: One, Three, Two" in found.value.fix
    with pytest.raises(SourceError, match=r"a\.xlsx has an empty sheet"):
        read("a.xlsx", path, Excel(sheet="Three"))


def test_open_documents_are_read_too(read, tmp_path):
    found = read("a.ods", opendocument(tmp_path / "a.ods", [["a", "b"], [1.5, "x"], [2, "y"]]))
    assert (found.header, found.rows) == (("a", "b"), [("1.5", "x"), ("2", "y")])


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.ods"])
def test_a_file_that_is_no_workbook_is_refused_by_name(read, name):
    with pytest.raises(SourceError) as found:
        read(name, b"PK\x03\x04 no workbook")
    assert found.value.what.startswith(f"{name} cannot be read")


def test_without_the_library_the_extra_is_named(read, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtra, match=r"a\.xlsx needs a library") as found:
        read("a.xlsx", workbook(tmp_path / "a.xlsx", One=[["a"], [1]]))
    assert found.value.fix == "pip install 'keepfit[excel]'"
