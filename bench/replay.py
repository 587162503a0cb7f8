"""Wall time and peak memory of a replay of several policies on sales of two years, and what each policy came to.

The 13 monthly files of Online Retail (541,909 lines), and the same once more a year (364 days) before them, so that there are
24 monthly turns of twice the size. Wanted: 5 policies in less than 5 minutes on two cores.

usage: python bench/replay.py --data FOLDER [--policies never,monthly,...] [--rounds 1]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "online_retail"
YEAR = timedelta(days=364)
POLICIES = "never,monthly,on-drift,on-metric,declared"


def doubled(source: Path, target: Path) -> None:
    """Write the files of a year, and those of the year before it, made of the same sales."""
    target.mkdir()
    for path in sorted(source.glob("online_retail_*.csv.gz")):
        shutil.copy(path, target)
        with (
            gzip.open(path, "rt", newline="") as read,
            gzip.open(target / f"before_{path.name}", "wt", newline="") as made,
        ):
            rows = csv.DictReader(read)
            out = csv.DictWriter(made, rows.fieldnames or [])
            out.writeheader()
            for row in rows:
                before = datetime.fromisoformat(row["InvoiceDate"]) - YEAR
                out.writerow(row | {"InvoiceDate": before.isoformat(sep=" "), "InvoiceNo": f"{row['InvoiceNo']}0"})


def replay(project: Path, data: Path, policies: str) -> tuple[float, float, float, dict[str, object]]:
    """Return wall seconds, CPU seconds, peak MB and what `keepfit replay --json` said, in a project without state."""
    shutil.rmtree(project / ".keepfit", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "keepfit",
        "replay",
        "--json",
        "--policies",
        policies,
        "--cost",
        "retrain=50,error=2",
    ]
    command += ["--from", "2010-01-01", "--to", "2011-12-01", "--project", str(project)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, env={**os.environ, "KEEPFIT__STORAGE__DATA": str(data)})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        if status:
            sys.exit(f"the replay failed:\n{said.read()[-2000:]}")
        found: dict[str, object] = json.load(said)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, found


def main() -> None:
    """Print one line a round, the medians, and how the policies compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=os.environ.get("KEEPFIT_DATA"))
    parser.add_argument("--policies", default=POLICIES)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.data is None:
        sys.exit("say where online_retail lies: --data, or KEEPFIT_DATA")
    figures = []
    with tempfile.TemporaryDirectory() as temporary:
        data, project = Path(temporary) / "data", Path(temporary) / "project"
        doubled(options.data / "online_retail", data)
        shutil.copytree(EXAMPLE, project)
        # the names of the files of the year before begin otherwise
        definitions = project / "definitions.py"
        definitions.write_text(definitions.read_text().replace('Files("online_retail', 'Files("*online_retail'))
        for number in range(options.rounds):
            *measured, found = replay(project, data, options.policies)
            figures.append(measured)
            print("round {}: {:.0f} s wall, {:.0f} s CPU, {:.0f} MB peak".format(number, *measured), flush=True)
    medians = [statistics.median(column) for column in zip(*figures, strict=True)]
    turns = {name: len(one) for name, one in found["policies"].items()}  # type: ignore[attr-defined]
    print("medians: {:.0f} s wall, {:.0f} s CPU, {:.0f} MB peak;".format(*medians), f"turns: {turns}")
    for sentence in found["contest"]["sentences"]:  # type: ignore[index]
        print(sentence)


if __name__ == "__main__":
    main()
