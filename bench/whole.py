"""What a version costs from the raw files to its page: `ingest`, `train` (with evaluation and explanation) and `report`.

Each command is a process of its own, as a user runs it. `dev` is `train --dev`, the small model to look at while one works on a
definition. Beneath, what the stages of the training took, as its own log tells.

    uv run python bench/whole.py examples/online_retail churn --as-of 2011-12-10 --data /where/online_retail/is
    uv run python bench/whole.py examples/beijing_air dust_24h --as-of 2017-03-01T00:00:00.000001Z --data /where/beijing/is
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = ("ingest", "dev", "train", "report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("model")
    parser.add_argument("--as-of", required=True)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        shutil.copytree(options.project, folder, ignore=shutil.ignore_patterns(".keepfit", "data", "reports"))
        print(f"{options.project.name}, {options.model}, {os.cpu_count()} cores")
        print(f"{'':10}{'s':>8}{'cpu s':>8}{'peak MB':>9}")
        for command in COMMANDS:
            measured(command, folder, options)
        for log in folder.glob(".keepfit/**/stages.jsonl"):
            stages(log)


def measured(command: str, folder: Path, options: argparse.Namespace) -> None:
    asked = {
        "ingest": ["ingest", "--as-of", options.as_of],
        "dev": ["train", options.model, "--dev", "--as-of", options.as_of],
        "train": ["train", options.model, "--as-of", options.as_of],
        "report": ["report", options.model],
    }[command]
    environment = {**os.environ, "KEEPFIT__STORAGE__DATA": str(options.data.resolve())}
    line = [sys.executable, "-m", "keepfit", *asked, "--project", str(folder)]
    begin = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status:
        sys.exit(errors.decode())
    scale = 2**20 if sys.platform == "darwin" else 2**10
    print(f"{command:10}{seconds:8.1f}{usage.ru_utime + usage.ru_stime:8.1f}{usage.ru_maxrss / scale:9.0f}", flush=True)


def stages(log: Path) -> None:
    print()
    for line in map(json.loads, log.read_text().splitlines()):
        rows = "" if line["rows_in"] is None else f"{line['rows_in']:>12,} rows in"
        print(f"  {line['stage']:18}{line['seconds']:8.1f} s{rows}")


if __name__ == "__main__":
    main()
