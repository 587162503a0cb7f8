"""Split the published spreadsheet into one gzipped CSV file a month: python prepare.py "Online Retail.xlsx" data

Nothing is cleaned here: rows and values stay as published. Needs openpyxl.
"""

import csv
import gzip
import sys
from io import TextIOWrapper
from pathlib import Path

from openpyxl import load_workbook


def split(spreadsheet: str, folder: str) -> None:
    """Write online_retail_YYYY_MM.csv.gz files; rows keep their order."""
    rows = load_workbook(spreadsheet, read_only=True).worksheets[0].iter_rows(values_only=True)
    header = next(rows)
    months: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        months.setdefault(f"{row[header.index('InvoiceDate')]:%Y_%m}", []).append(row)
    Path(folder).mkdir(exist_ok=True)
    for month, found in months.items():
        path = Path(folder) / f"online_retail_{month}.csv.gz"
        # without a time in the file's head, the same rows make the same bytes: keepfit refuses a file that changed
        with gzip.GzipFile(path, "wb", mtime=0) as packed, TextIOWrapper(packed, "utf-8", newline="") as file:
            csv.writer(file).writerows([header, *found])


if __name__ == "__main__":
    split(*sys.argv[1:])
