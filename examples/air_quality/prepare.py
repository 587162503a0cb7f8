"""Join the published files' split time columns and empty their 'NA': python prepare.py /where/the/files/are data

Rows, their order and all other values stay as published. Standard library only.
"""

import csv
import gzip
import sys
from io import TextIOWrapper
from pathlib import Path


def prepare(source: str, folder: str) -> None:
    """Write one gzipped CSV a station."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(source).glob("PRSA_Data_*.csv*")):
        target = Path(folder) / f"air_{path.name.split('_')[2]}.csv.gz"
        text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        # without a time in the file's head, the same rows make the same bytes
        with gzip.GzipFile(target, "wb", 6, mtime=0) as packed, TextIOWrapper(packed, newline="") as out:
            rows = csv.reader(text.splitlines())
            _, _, _, _, _, *names = next(rows)
            writer = csv.writer(out)
            writer.writerow(["measured_at", *names])
            for _, year, month, day, hour, *values in rows:
                moment = f"{year}-{int(month):02}-{int(day):02} {int(hour):02}:00"
                writer.writerow([moment, *("" if value == "NA" else value for value in values)])


if __name__ == "__main__":
    prepare(*sys.argv[1:])
