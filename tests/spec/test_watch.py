"""An alarm budget is a number in a time, and becomes a chance for each window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import keepfit
from keepfit.project import load_definitions
from keepfit.spec import codec
from keepfit.spec.check import check
from keepfit.spec.model import Model
from keepfit.spec.observe import EachRow, Every
from keepfit.spec.watch import Watch

(CHURN,) = load_definitions(Path(keepfit.__file__).parent / "templates" / "shop").models
(SALES, *_) = CHURN.events()


def problems(**changes: object) -> list[tuple[str, str]]:
    model: Model = replace(CHURN, **changes)
    return [(one.what, one.fix) for one in check(model.tables(), [model])]


@pytest.mark.parametrize(
    ("watch", "every", "alpha"),
    [
        (Watch("1 per quarter"), "1 month", 1 / 3),
        (Watch("1 per year"), "1 month", 1 / 12),
        (Watch("2 per week"), "1 day", 2 / 7),
        (Watch("1 per day"), "6 hours", 1 / 4),
        (Watch("1 per year"), "1 week", 7 / 365),
    ],
)
def test_a_budget_is_shared_by_the_windows_of_its_time(watch: Watch, every: str, alpha: float) -> None:
    assert watch.alpha(Every(every, of=SALES)) == pytest.approx(alpha)


def test_single_rows_are_watched_in_windows_of_their_own_grid() -> None:
    assert Watch("1 per week", every="12 hours").alpha(EachRow(of=SALES)) == pytest.approx(1 / 14)


@pytest.mark.parametrize(
    "alarms", ["", "often", "0 per year", "1 per hour", "-1 per day", "1.5 per day", "1 per year!", 4]
)
def test_what_is_no_budget_is_refused(alarms: object) -> None:
    ((what, fix),) = problems(watch=Watch(alarms=alarms))  # type: ignore[arg-type]
    assert what == f"watch: alarms: {str(alarms)!r} is not a rate"
    assert fix.startswith("write '1 per quarter'")


def test_a_budget_for_every_window_is_none() -> None:
    ((what, _),) = problems(watch=Watch(alarms="1 per month"))
    assert "an alarm in every window" in what


def test_windows_of_single_rows_must_be_a_grid() -> None:
    found = problems(observe=EachRow(of=SALES), watch=Watch(every="daily"))
    assert [what for what, _ in found] == [
        "watch: every: 'daily' is not a grid; write '1 month', '1 week', '1 day' or '6 hours'"
    ]
    assert problems(watch="1 per year")[0][0] == "watch='1 per year' is no Watch"


def test_a_model_that_says_nothing_of_watching_has_the_fingerprint_it_had() -> None:
    assert "watch" not in codec.encode(CHURN)["model"]
    assert codec.decode(codec.encode(replace(CHURN, watch=Watch("1 per quarter")))).watch == Watch("1 per quarter")
