"""Concept drift: how often it is seen where there is none, and how soon where there is.

Worlds of windows of scores and outcomes. A version is judged on some windows, which teach it what its scores mean; of those that
come after, each is looked at as a turn does, with all before it. In a world without drift windows differ by their luck and by a
level of their own, in log-odds, or in errors of the usual size; with drift, the slope of the scores falls (of a regression, errors
grow), or the level rises, from the fourth window on. Printed is the share of windows with an alarm, with a 95% interval,
and how many windows an alarm took.

    python bench/concept.py --worlds 200
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from alarms import share

from keepfit.evidence import Drift
from keepfit.stages.monitoring.concept import concept
from keepfit.stages.monitoring.confidence import learn_confidence
from keepfit.stages.monitoring.losses import learn_losses
from keepfit.stages.monitoring.surprise import Surprises, of_labels, of_values

BEGINS, TESTS = 3, 15
"""Windows before the drift; and among how many tests of a model a budget of 1 alarm a year is shared, by monthly windows."""


def labels(rng: np.random.Generator, rows: int, level: float, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, too sure by a tenth, and what happened."""
    odds = rng.normal(-0.5, 1.5, rows)
    return 1 / (1 + np.exp(-1.1 * odds)), (rng.random(rows) < 1 / (1 + np.exp(-(level + slope * odds)))).astype(float)


def surprised(
    kind: str, rng: np.random.Generator, seen: int, later: int, rows: int, luck: float, drift: str, size: float
) -> list[Surprises]:
    """Return the surprises of the windows after the test, each with those before it."""
    windows = np.repeat(np.arange(seen + later), rows)
    moved = np.where(np.arange(seen + later) >= seen + BEGINS, size, 0.0)
    level = rng.normal(0, luck, seen + later) + (moved if drift == "level" else 0)
    slope = 1 - (moved if drift == "slope" else 0)
    before, place = windows < seen, windows[windows >= seen] - seen
    wide = np.ones(later)
    if kind == "classification":
        pairs = [labels(rng, rows, *one) for one in zip(level, np.broadcast_to(slope, level.shape), strict=True)]
        score, actual = (np.concatenate(one) for one in zip(*pairs, strict=True))
        everyone = np.arange(before.sum())
        fitted = windows[before] >= seen // 2
        learnt = learn_confidence(actual[before], score[before], everyone, windows[before], fitted)
        every = of_labels(learnt, score[~before], actual[~before], place, wide)
    else:
        told = np.exp(rng.normal(0, 0.4, len(windows)) / 2)
        error = told**2 * (
            rng.standard_t(5, len(windows)) * (2 - np.broadcast_to(slope, level.shape)[windows]) + level[windows]
        )
        losses = learn_losses(error[before], told[before], told[before], windows[before])
        answers = np.zeros((~before).sum())
        every = of_values(losses, answers, told[~before], error[~before], place, wide)
    return [cut(every, slice(0, end + 1)) for end in range(later)]


def cut(found: Surprises, part: slice) -> Surprises:
    return Surprises(found.contrasts, found.scores[part], found.realised[part], found.expected[part], found.rows[part])


def tried(
    kind: str, worlds: int, seen: int, later: int, rows: int, luck: float, bound: float, drift: str, size: float
) -> dict[str, object]:
    quiet, true, delays, by = [], 0, [], dict.fromkeys(("newest window", "page_hinkley", "adwin"), 0)
    for seed in range(worlds):
        every = surprised(kind, np.random.default_rng(seed), seen, later, rows, luck, drift, size)
        found = [concept(cut(one, slice(-1, None)), one, bound) for one in every]
        alarms = [one.significant for one in found]
        quiet.append(alarms)
        first = next((at for at in range(BEGINS, later) if alarms[at]), None)
        if first is not None:
            true += 1
            delays.append(first - BEGINS + 1)
            by[who(found[first])] += 1
    shown: dict[str, object] = {
        "kind": kind,
        "test windows": seen,
        "rows": rows,
        "windows differ by": luck,
        "bound": round(bound, 4),
    }
    if not drift:
        return shown | {
            "windows with an alarm": share(np.array(quiet)),
            "worlds with one": round(float(np.array(quiet).any(axis=1).mean()), 3),
        }
    shown |= {
        "drift": f"{drift} {size}",
        "found": round(true / worlds, 3),
        "windows until": float(np.median(delays)) if delays else None,
    }
    return shown | {"first by": by}


def who(found: Drift) -> str:
    if abs(found.statistic) > 4 or found.p_value < found.bound / 8:
        return "newest window"
    return "adwin" if found.measures["adwin"] else "page_hinkley"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", type=int, default=200)
    options.add_argument("--later", type=int, default=24)
    options.add_argument("--kinds", default="classification,regression")
    chosen = options.parse_args()
    for kind in chosen.kinds.split(","):
        for seen, luck in ((4, 0.0), (4, 0.1), (4, 0.2), (12, 0.2)):
            for bound in (1 / 12, 1 / 12 / TESTS):
                print(json.dumps(tried(kind, chosen.worlds, seen, chosen.later, 2000, luck, bound, "", 0)), flush=True)
        for drift, size in (("slope", 0.3), ("slope", 0.6), ("level", 0.4), ("level", 0.8)):
            for seen in (4, 12):
                print(
                    json.dumps(tried(kind, chosen.worlds, seen, chosen.later, 2000, 0.1, 1 / 12 / TESTS, drift, size)),
                    flush=True,
                )


if __name__ == "__main__":
    main()
