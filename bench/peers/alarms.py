"""What NannyML and Evidently alarm on in the worlds of `bench/stationary.py`, as they are without settings.

    uv run --no-project --python 3.11 --with nannyml==0.13.1 --with statsmodels bench/peers/alarms.py nannyml --seed 5000
    uv run --no-project --python 3.11 --with evidently==0.7.23 --with "pandas<3" bench/peers/alarms.py evidently --seed 5000

Of each world the first window to come is held against the newest windows. `nannyml-windows` gives NannyML all past windows as
reference, a chunk each. Printed is the share of worlds with an alarm on any column, and its 95% interval (Wilson).
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import sys
import warnings
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from stationary import world


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tool", choices=("nannyml", "nannyml-windows", "evidently"))
    options.add_argument("--worlds", type=int, default=200)
    options.add_argument("--seed", type=int, default=1000)
    options.add_argument("--shapes", default="24x500x5")
    options.add_argument("--kinds", default="normal,seasonal,autocorrelated")
    chosen = options.parse_args()
    for shape in chosen.shapes.split(","):
        past, rows, newest = map(int, shape.split("x"))
        for kind in chosen.kinds.split(","):
            alarms = 0
            for seed in range(chosen.seed, chosen.seed + chosen.worlds):
                windows = [pd.DataFrame(one) for one in world(kind, seed, past + 12, rows)]
                first = 0 if chosen.tool == "nannyml-windows" else past - newest
                before = pd.concat(windows[first:past], ignore_index=True)
                alarms += TOOLS[chosen.tool](before, windows[past], rows)
            told = {"tool": chosen.tool, "world": kind, "shape": shape, "worlds": chosen.worlds}
            print(json.dumps({**told, "windows with an alarm": share(alarms, chosen.worlds)}), flush=True)


def nannyml(before: pd.DataFrame, now: pd.DataFrame, rows: int | None = None) -> bool:
    """Return whether any chunk of any column alerts: ten chunks of each frame, or chunks of `rows`."""
    import nannyml as nml

    chunks = {} if rows is None else {"chunk_size": rows}
    calculator = nml.UnivariateDriftCalculator(column_names=list(before), **chunks).fit(before)
    found = calculator.calculate(now).filter(period="analysis").to_df()
    alerts = [name for name in found.columns if name[0] in before and name[2] == "alert"]
    return bool(found[alerts].any().any())


def evidently(before: pd.DataFrame, now: pd.DataFrame, _: int) -> bool:
    """Return whether any column drifts by the drift preset."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    told = DataDefinition(numerical_columns=list(before))
    current, reference = (Dataset.from_pandas(one, data_definition=told) for one in (now, before))
    for metric in Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]:
        config, value = metric["config"], metric["value"]
        if "column" in config:
            low = "p_value" in config["method"]
            if float(value) < config["threshold"] if low else float(value) >= config["threshold"]:
                return True
    return False


def share(count: int, of: int) -> list[float]:
    """Return a share and the ends of its 95% interval (Wilson 1927)."""
    z, p = 1.96, count / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return [round(p, 3), *(round(max(0.0, end) / (1 + z * z / of), 3) for end in (middle - half, middle + half))]


TOOLS = {
    "nannyml": lambda before, now, _: nannyml(before, now),
    "nannyml-windows": nannyml,
    "evidently": evidently,
}

if __name__ == "__main__":
    os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    main()
