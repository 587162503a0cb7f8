"""False alarms and power: worlds in which nothing moves but what always moves, and one in which a column does.

Each world has 20 columns, past windows, a reference of the newest of them, and 12 windows to come. Printed is the share of
windows with an alarm against a budget of 5%, with a 95% interval (Wilson), beside KS at p < .05 and KS with Bonferroni.

    python bench/alarms.py --worlds 200
"""

import argparse
import json
import math

import numpy as np
from scipy import stats

from keepfit import clock
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.reference import Rows, remembered

COLUMNS, LATER, ALPHA = 20, 12, 0.05
GRID = clock.Grid("1 month")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=200)
    options.add_argument(
        "--shapes", default="24x500x5,12x500x5,48x300x10", help="past windows x rows x windows of the reference"
    )
    options.add_argument("--peers", action="store_true", help="KS too (scipy)")
    chosen = options.parse_args()
    for shape in chosen.shapes.split(","):
        past, rows, newest = map(int, shape.split("x"))
        for kind in ("normal", "lognormal", "seasonal", "autocorrelated"):
            print(json.dumps(tried(kind, past, rows, newest, chosen.worlds, chosen.peers)), flush=True)
    # a reference of 5,000 rows, 1,000 to come, a quarter of a deviation in one of 20 columns
    print(json.dumps({"power": tried("normal", 5, 1000, 5, chosen.worlds, chosen.peers, shift=0.25)}), flush=True)


def world(kind: str, rng: np.random.Generator, past: int, rows: int) -> np.ndarray:
    months = past + LATER
    level = np.zeros((months, COLUMNS))
    if kind == "seasonal":
        level = 0.5 * np.sin(2 * np.pi * np.arange(months)[:, None] / 12 + rng.uniform(0, 2 * np.pi, COLUMNS))
    if kind == "autocorrelated":
        level[0] = 0.3 * rng.normal(size=COLUMNS)
        for month in range(1, months):
            level[month] = 0.7 * level[month - 1] + 0.3 * math.sqrt(1 - 0.49) * rng.normal(size=COLUMNS)
    values = rng.normal(size=(months, rows, COLUMNS)) + level[:, None]
    return np.exp(values) if kind == "lognormal" else values


def tried(
    kind: str, past: int, rows: int, newest: int, worlds: int, peers: bool, shift: float = 0.0
) -> dict[str, object]:
    moments = np.array(GRID.moments(0, (past + LATER + 1) * 31 * clock.DAY)[: past + LATER], np.int64)
    alarms, found, raw, corrected, corrected_found, any_alarm = 0, 0, 0, 0, 0, 0
    for seed in range(worlds):
        values = world(kind, np.random.default_rng(seed), past, rows)
        values[past:, :, 0] += shift
        t = np.repeat(moments[:past], rows)
        columns = {f"x{place}": values[:past, :, place].ravel() for place in range(COLUMNS)}
        nothing = Rows({}, t[:0], np.zeros(0, bool))
        known = remembered(
            Rows(columns, t, t >= moments[past - newest]), nothing, GRID, np.zeros(0), np.zeros(len(t), bool)
        )
        some = 0
        for month in range(past, past + LATER):
            current = {f"x{place}": values[month, :, place] for place in range(COLUMNS)}
            moved = {one.column for one in drift(known, current, alpha=ALPHA, t=int(moments[month])) if one.significant}
            some += bool(moved)
            found += "x0" in moved
            if peers:
                before = values[past - newest : past]
                p = np.array(
                    [
                        stats.ks_2samp(before[:, :, c].ravel(), values[month, :, c], method="asymp").pvalue
                        for c in range(COLUMNS)
                    ]
                )
                raw += (p < ALPHA).any()
                corrected += (p < ALPHA / COLUMNS).any()
                corrected_found += p[0] < ALPHA / COLUMNS
        alarms, any_alarm = alarms + some, any_alarm + bool(some)
    windows = worlds * LATER
    shown = {
        "world": kind,
        "past": past,
        "rows": rows,
        "worlds": worlds,
        "budget": ALPHA,
        "windows with an alarm": share(alarms, windows),
    }
    shown |= {"worlds with an alarm": any_alarm / worlds}
    if peers:
        shown |= {"KS p<.05": float(raw) / windows, "KS Bonferroni": float(corrected) / windows}
    if shift:
        shown |= {"moved column found": share(found, windows), "by KS Bonferroni": float(corrected_found) / windows}
    return shown


def share(count: int, of: int) -> list[float]:
    """Return a share and the ends of its 95% interval (Wilson 1927)."""
    z, p = 1.96, count / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return [
        round(one / (1 + z * z / of), 4) if place else round(p, 4)
        for place, one in enumerate((p, middle - half, middle + half))
    ]


if __name__ == "__main__":
    main()
