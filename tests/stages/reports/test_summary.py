"""The numbers of a replay come out of its turns as declared."""

from __future__ import annotations

import math

import pytest

from keepfit.evidence import KEEP, PROMOTE, ROLL_BACK, Drift, Realised, Turn, VersionFacts
from keepfit.stages.reports import summary


def seen(
    at: int,
    real: Realised | None = None,
    decision: str = KEEP,
    now: VersionFacts | None = None,
    new: VersionFacts | None = None,
) -> Turn:
    return Turn("churn", at, decision, (), {}, champion=now, challenger=new, realised=real)


def test_a_window_seen_twice_counts_once_with_its_latest_numbers() -> None:
    early = Realised("1", 10, 20, 50, {"f1": 0.5}, {"f1": 0.4})
    late = Realised("1", 10, 20, 80, {"f1": 0.7}, {"f1": 0.4})
    windows = summary.matured([seen(30, early), seen(40, late)], "f1")
    assert windows == [summary.Window(15, "1", 80, 0.7, 0.4)]


def test_overall_weighs_windows_by_rows_and_leaves_out_what_was_not_measured() -> None:
    windows = [summary.Window(at, "1", rows, value, 0.5) for at, rows, value in ((0, 300, 0.9), (1, 100, 0.5))]
    windows.append(summary.Window(2, "1", 999, math.nan, math.nan))
    value, baseline, rows = summary.overall(windows, "f1")
    assert value == pytest.approx(0.8)
    assert baseline == pytest.approx(0.5)
    assert rows == 400


def test_overall_rmse_is_the_root_of_the_mean_square() -> None:
    windows = [summary.Window(0, "1", 100, 3.0, 5.0), summary.Window(1, "1", 100, 4.0, 5.0)]
    assert summary.overall(windows, "rmse")[0] == pytest.approx(math.sqrt(12.5))


def test_changes_name_the_new_champion_and_the_one_rolled_back_to() -> None:
    first, second = VersionFacts("1", {}, {}, {}), VersionFacts("2", {}, {}, {})
    turns = [seen(1, None, PROMOTE, second, second), seen(2, None, ROLL_BACK, first)]
    assert [(change.version, change.decision) for change in summary.changes(turns)] == [
        ("2", PROMOTE),
        ("1", ROLL_BACK),
    ]


def test_columns_come_with_the_largest_move_first() -> None:
    drift = tuple(Drift(name, "ks", psi, 0.1, 0.1, False, 9) for name, psi in (("a", 0.1), ("b", 0.4), ("c", math.nan)))
    found = summary.columns([Turn("churn", 5, KEEP, (), {}, drift=drift)])
    assert [(column.name, column.worst.psi, column.worst_at) for column in found] == [("b", 0.4, 5), ("a", 0.1, 5)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.8, "0.800"),
        (-0.004, "\u22120.004"),
        (1234.5, "1,234"),
        (12.34, "12.3"),
        (math.nan, "\u2013"),
        (None, "\u2013"),
    ],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert summary.number(value) == text
