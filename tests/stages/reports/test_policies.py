"""The page of several policies holds what a contest says, and survives policies without answers and metrics without values."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

from keepfit import clock
from keepfit.evidence import KEEP, PROMOTE, Advice, Contest, Costs, Estimate, PolicyOutcome, PolicyWindow, Turn
from keepfit.stages.reports import write_policies
from keepfit.stages.reports.canvas import NARROW
from keepfit.stages.reports.policies_charts import MOST, beside, looks

HOSTILE = '<script>alert("1")</script>'
OUTSIDE = re.compile(r"""(?:src|href|srcset)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?!#)|@import""", re.IGNORECASE)


def month(number: int) -> int:
    return number * 30 * clock.DAY


def outcome(name: str, value: float, trainings: int, cost: float, windows: int = 7) -> PolicyOutcome:
    return PolicyOutcome(
        name=name,
        says=f"retrain when {name}",
        trainings_at=tuple(month(number) for number in range(trainings)),
        promotions_at=(month(0),),
        roll_backs_at=(month(3),) if trainings > 1 else (),
        windows=tuple(PolicyWindow(month(number), 40, value + number / 100, 20.0) for number in range(windows)),
        value=value,
        errors=20.0 * windows,
        cost=cost,
        saved=Estimate(500.0 - cost, 450.0 - cost, 550.0 - cost, 280),
        efficient=trainings < 5,
    )


def contest(*outcomes: PolicyOutcome, advice: Advice | None = None) -> Contest:
    best = min(outcomes, key=lambda one: one.cost).name
    said = ("at 50 for a training and 2 for an error, somebody would have cost least",)
    return Contest("churn", "f1", Costs(50.0, 2.0), outcomes[0].name, 280, outcomes, best, advice, said)


NEVER, MONTHLY = outcome("never", 0.7, 1, 500.0), outcome("monthly", 0.8, 7, 430.0)


def turns_of(found: Contest) -> dict[str, list[Turn]]:
    return {
        one.name: [
            Turn("churn", month(number), KEEP if number else PROMOTE, (f"{one.name} at {number}",), {"predicted": 40})
            for number in range(3)
        ]
        for one in found.outcomes
    }


def written(found: Contest | None, turns: dict[str, list[Turn]], path: Path, threshold: float | None = 0.75) -> str:
    file = write_policies(found, turns, path / "deep" / "page.html", title="churn", metric="f1", threshold=threshold)
    text = file.read_text(encoding="utf-8")
    assert not OUTSIDE.search(text)
    assert not re.search(r"<script|\bNaN\b|\bnan\b|undefined<", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)
    return text


def test_page_tells_what_each_policy_came_to_and_why(tmp_path: Path) -> None:
    advice = Advice("never", month(5), "monthly", Estimate(31.0, 4.0, 66.0, 80))
    found = contest(NEVER, MONTHLY, outcome(HOSTILE, 0.75, 3, 470.0), advice=advice)
    text = written(found, turns_of(found), tmp_path)
    for words in (
        "monthly would have cost least",
        "At 50 for a training and 2 for an error, somebody would have cost least.",
        "monthly would have cost 70 less than never (90% interval 20 to 120)",
        "The turns before 1970-05-31 would have chosen never; from then on monthly cost least",
        "never cost 31 more than monthly (90% interval 4 to 66).",
        "the choice is not settled",
        "430 = 350 + 80",
        "monthly at 2.",
        "retrain when never",
        "&lt;script&gt;",
    ):
        assert words in text
    assert len(re.findall(r'role="img"', text)) == 10


def test_a_policy_that_never_got_an_answer_is_listed_and_not_drawn(tmp_path: Path) -> None:
    silent = replace(NEVER, name="silent", windows=(), value=math.nan, errors=0.0, cost=50.0, efficient=True)
    found = contest(replace(NEVER, cost=40.0), silent)
    text = written(found, turns_of(found), tmp_path)
    assert "silent" not in "".join(re.findall(r'aria-label="Bars of cost[^"]*"', text))
    assert re.search(r'href="#policy-2">silent</a></th>(?:(?!</tr>).)*<div>\u2013</div>', text)


def test_a_metric_without_values_is_told_in_words(tmp_path: Path) -> None:
    hollow = [
        replace(one, value=math.nan, windows=(PolicyWindow(month(0), 3, math.nan, 1.0),)) for one in (NEVER, MONTHLY)
    ]
    text = written(contest(*hollow), turns_of(contest(*hollow)), tmp_path)
    assert "f1 is undefined on every turn" in text
    assert "Too few turns have known labels" in text


def test_one_window_is_drawn(tmp_path: Path) -> None:
    found = contest(outcome("never", 0.7, 1, 90.0, windows=1), outcome("daily", 0.7, 1, 90.0, windows=1))
    text = written(found, turns_of(found), tmp_path, threshold=None)
    assert "f1 was 0.700 under every policy" in text
    assert len(re.findall(r'role="img"', text)) == 10


def test_without_a_contest_the_page_says_why(tmp_path: Path) -> None:
    turns = turns_of(contest(NEVER, MONTHLY))
    assert "No prediction of these turns has a label" in written(None, turns, tmp_path)
    silent = {**turns, "never": [replace(turn, rows={"predicted": 0}) for turn in turns["never"]]}
    text = written(None, silent, tmp_path)
    assert "never made no predictions" in text
    assert "monthly at 1." in text


def test_more_policies_than_can_be_told_apart_keep_the_recommended_one_and_the_reference() -> None:
    many = [outcome(f"policy {number}", 0.7, 1, 600.0 - number) for number in range(12)]
    drawn = looks(contest(*many))
    assert len(drawn) == MOST
    assert {"policy 0", "policy 11"} <= set(drawn)
    assert "policy 1" not in drawn
    assert len({(look.colour, look.dash) for look in drawn.values()}) == MOST


def test_names_beside_points_lie_on_no_other_name_and_in_the_picture() -> None:
    spots = [(200.0, 100.0, "quarterly 0.8"), (200.0, 100.0, "on-drift 0.8"), (208.0, 104.0, "declared 0.8")]
    found = beside(spots, NARROW)
    boxes = [(x, y - 8, x + 0.6 * NARROW.font * len(text), y + 8) for x, y, text in found]
    for one, other in itertools.combinations(boxes, 2):
        assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
    assert all(-NARROW.left <= box[0] and box[2] <= NARROW.plot + NARROW.right for box in boxes)
