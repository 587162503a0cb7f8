"""False alarms and power: worlds in which nothing moves but what always moves, and one in which a column does.

Each world (`stationary.py`) has 20 columns, past windows, a reference of the newest of them, and 12 windows to come. Printed is the
share of windows with an alarm against a budget of 5%, with a 95% interval: Wilson's, of as many windows as their design effect
leaves (Kish 1965), for the windows of one world are alike. Beside it: alarms a world and what the budget allows, worlds with more
alarms than that, and Kolmogorov-Smirnov tests of the same windows.

    python bench/alarms.py --seed 5000 --worlds 200 --peers
    python bench/alarms.py --power --worlds 200
    python bench/peers/alarms.py --tool nannyml --seed 5000        (in an environment with nannyml; evidently likewise)
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from stationary import DAILY, FURTHER, TUNED, Window, world

from keepfit import clock
from keepfit.stages.monitoring.drift import drift
from keepfit.stages.monitoring.reference import Reference, Rows, remembered

LATER, ALPHA = 12, 0.05
CHANGES = ("shift 0.1", "shift 0.25", "shift 0.5", "deviation 1.2", "missing 0.05", "new label 0.03")


@dataclass(frozen=True)
class Shape:
    """How many windows are past, the rows of each, and how many of the newest windows the reference is of."""

    past: int
    rows: int
    newest: int

    @staticmethod
    def of(text: str) -> Shape:
        """Return the shape that `24x500x5` is."""
        return Shape(*map(int, text.split("x")))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=200)
    options.add_argument("--seed", type=int, default=1000, help="of the first world; the others follow")
    options.add_argument(
        "--shapes", default="24x500x5,12x500x5,48x300x10", help="past windows x rows x windows of the reference"
    )
    options.add_argument("--kinds", default=",".join((*TUNED, *FURTHER)))
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--peers", action="store_true", help="KS too (scipy)")
    options.add_argument("--power", action="store_true", help="what is found of a column that moves, instead")
    chosen = options.parse_args()
    seeds = range(chosen.seed, chosen.seed + chosen.worlds)
    with ProcessPoolExecutor(chosen.processes) as pool:
        for text in (chosen.shapes if not chosen.power else "5x1000x5,24x1000x5").split(","):
            for kind in CHANGES if chosen.power else chosen.kinds.split(","):
                job = (
                    partial(found_of, kind, Shape.of(text))
                    if chosen.power
                    else partial(tried, kind, Shape.of(text), chosen.peers)
                )
                results = list(pool.map(job, seeds, chunksize=5))
                shown = power(results) if chosen.power else told(results)
                print(json.dumps({"world": kind, "shape": text, "worlds": len(seeds), **shown}), flush=True)


def tried(kind: str, shape: Shape, peers: bool, seed: int) -> dict[str, list[bool]]:
    """Return which of the later windows of one world each way to look at them alarms on."""
    windows = world(kind, seed, shape.past + LATER, shape.rows)
    moments = moments_of(kind, len(windows))
    known = reference(windows, moments, shape, kind)
    found: dict[str, list[bool]] = {"keepfit": []}
    before = joined(windows[shape.past - shape.newest : shape.past])
    for place in range(shape.past, len(windows)):
        found["keepfit"].append(
            any(one.significant for one in drift(known, windows[place], alpha=ALPHA, t=int(moments[place])))
        )
        if peers:
            p = np.sort([chance(before[name], windows[place][name]) for name in before])
            bounds = ALPHA * np.arange(1, len(p) + 1) / len(p)
            for name, alarm in (
                ("raw", p[0] < ALPHA),
                ("Bonferroni", p[0] < ALPHA / len(p)),
                ("BH", (p <= bounds).any()),
            ):
                found.setdefault(f"KS {name}", []).append(bool(alarm))
    return found


def moments_of(kind: str, count: int) -> NDArray[np.int64]:
    """Return when each window was, microseconds UTC: a month after the other, or a day."""
    grid = clock.Grid("1 day" if kind in DAILY else "1 month")
    return np.array(grid.moments(0, (count + 1) * 31 * clock.DAY)[:count], np.int64)


def joined(windows: list[Window]) -> Window:
    return {name: np.concatenate([one[name] for one in windows]) for name in windows[0]}


def reference(windows: list[Window], moments: NDArray[np.int64], shape: Shape, kind: str) -> Reference:
    """Return what a version trained on the past windows would carry."""
    past = windows[: shape.past]
    t = np.repeat(moments[: shape.past], [len(one["x0"]) for one in past])
    nothing = Rows({}, t[:0], np.zeros(0, bool))
    rows = Rows(joined(past), t, t >= moments[shape.past - shape.newest])
    grid = clock.Grid("1 day" if kind in DAILY else "1 month")
    return remembered(rows, nothing, grid, np.zeros(0), np.zeros(len(t), bool))


def chance(before: NDArray[np.generic], now: NDArray[np.generic]) -> float:
    """Return the p-value of KS, or for labels of chi-square."""
    if before.dtype == object:
        names = sorted({*before.tolist(), *now.tolist()})
        table = np.array([[np.count_nonzero(one == name) for name in names] for one in (before, now)])
        return float(stats.chi2_contingency(table).pvalue)
    before, now = before.astype(float), now.astype(float)
    return float(stats.ks_2samp(before[~np.isnan(before)], now[~np.isnan(now)], method="asymp").pvalue)


def told(results: list[dict[str, list[bool]]]) -> dict[str, object]:
    """Return shares of windows with an alarm, their intervals, and what the worlds had of them."""
    own = np.array([one["keepfit"] for one in results])
    allowed = ALPHA * own.shape[1]
    found: dict[str, object] = {
        "budget": ALPHA,
        "windows with an alarm": share(own),
        "alarms a world": round(float(own.sum(axis=1).mean()), 3),
        "allowed": round(allowed, 3),
        "worlds with more": round(float((own.sum(axis=1) > allowed).mean()), 3),
        "worlds with 4 or more": round(float((own.sum(axis=1) >= 4).mean()), 3),
    }
    for name in results[0]:
        if name != "keepfit":
            found[name] = share(np.array([one[name] for one in results]))
    return found


def share(alarms: NDArray[np.bool_]) -> list[float]:
    """Return the share of windows with an alarm and its 95% interval; of shape (worlds, windows)."""
    worlds, each = alarms.shape
    p = float(alarms.mean())
    independent = p * (1 - p) / (worlds * each)
    effect = max(1.0, float(alarms.mean(axis=1).var(ddof=1)) / worlds / independent) if independent else float(each)
    count, z = worlds * each / effect, 1.96
    middle, half = p + z * z / (2 * count), z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    low, high = ((middle + sign * half) / (1 + z * z / count) for sign in (-1, 1))
    return [round(p, 4), round(max(0.0, low), 4), round(high, 4)]


def found_of(change: str, shape: Shape, seed: int) -> dict[str, list[bool]]:
    """Return in which windows each way finds that x0 has changed, of independent rows."""
    windows = world("normal", seed, shape.past + LATER, shape.rows)
    rng = np.random.default_rng([seed, 1])
    kind, _, size = change.rpartition(" ")
    labels = np.array(["a", "b", "c", "d", "new"], dtype=object)
    for place, one in enumerate(windows):
        later, values = place >= shape.past, one["x0"].astype(float)
        if kind == "new label":
            share = float(size) * later
            one["x0"] = labels[
                rng.choice(5, size=len(values), p=[*np.array([0.4, 0.3, 0.2, 0.1]) * (1 - share), share])
            ]
        elif later and kind == "missing":
            one["x0"] = np.where(rng.random(len(values)) < float(size), np.nan, values)
        elif later:
            one["x0"] = values + float(size) if kind == "shift" else values * float(size)
    moments = moments_of("normal", len(windows))
    known, before = (
        reference(windows, moments, shape, "normal"),
        joined(windows[shape.past - shape.newest : shape.past]),
    )
    found: dict[str, list[bool]] = {"keepfit": [], "KS Bonferroni": []}
    for place in range(shape.past, len(windows)):
        alarms = {
            one.column for one in drift(known, windows[place], alpha=ALPHA, t=int(moments[place])) if one.significant
        }
        found["keepfit"].append("x0" in alarms)
        found["KS Bonferroni"].append(chance(before["x0"], windows[place]["x0"]) < ALPHA / len(before))
    return found


def power(results: list[dict[str, list[bool]]]) -> dict[str, object]:
    """Return in how many worlds each way finds the change in the first window, and after how many windows on average."""
    shown: dict[str, object] = {}
    for name in results[0]:
        found = np.array([one[name] for one in results])
        shown[f"{name}: first window"] = share(found[:, :1])
        delay = np.where(found.any(axis=1), found.argmax(axis=1), LATER)
        shown[f"{name}: windows until found"] = round(float(delay.mean()) + 1, 2)
    return shown


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
