"""A replay page holds every turn, asks nothing of the network, and survives hostile or missing input."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keepfit import clock
from keepfit.errors import DefinitionError
from keepfit.evidence import (
    KEEP,
    PROMOTE,
    REJECT,
    ROLL_BACK,
    Drift,
    Estimate,
    Evaluation,
    Realised,
    Turn,
    Verdict,
    VersionFacts,
)
from keepfit.stages.reports import write_replay

HOSTILE = '<script>alert("1")</script> & <b>'
OUTSIDE = re.compile(
    r"""(?:src|href|srcset|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?!#)|@import""", re.IGNORECASE
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def month(number: int) -> int:
    return clock.to_micros(datetime(2024 + number // 12, number % 12 + 1, 1, tzinfo=UTC))


def turn(number: int, decision: str = KEEP, *, metric: str = "f1", value: float = 0.82, column: str = "age") -> Turn:
    facts = VersionFacts("3", {metric: value}, {metric: 0.4}, {"train": 900})
    estimate = Estimate(value, value - 0.02, value + 0.02, 400)
    trained = decision in (PROMOTE, REJECT)
    evaluation = Evaluation(
        "regression" if metric == "rmse" else "classification",
        metric,
        0.5,
        {"train": 900, "validation": 100, "test": 400},
        month(0),
        month(1),
        {metric: value},
        {metric: 0.4},
        estimate,
        groups={column: {HOSTILE: {"rows": 40, "rate": 0.8}, "few": {"rows": 3, "rate": math.nan}}},
    )
    return Turn(
        "churn",
        month(number),
        decision,
        (f"reason of turn {number}",),
        {"known": 10_000, "appended": 1_000, "predicted": 300, "quarantined": 2},
        champion=facts,
        challenger=facts if trained else None,
        evaluation=evaluation if trained else None,
        verdicts=(Verdict(metric, decision == PROMOTE, value, 0.8, "at least 0.8 was asked"),) if trained else (),
        realised=Realised("3", month(number), month(number), 300, {metric: value}, {metric: 0.4}),
        drift=(Drift(column, "ks", 0.31, 0.2, 0.001, True, 300), Drift("score", "ks", 0.02, 0.01, 0.6, False, 300)),
        seconds={"ingest": 0.4, "training": 3.0},
    )


def written(turns: list[Turn], path: Path, *, metric: str = "f1", threshold: float | None = 0.8) -> str:
    file = write_replay(turns, path / "deep" / "replay.html", title="Replay", metric=metric, threshold=threshold)
    assert file == path / "deep" / "replay.html"
    text = file.read_text(encoding="utf-8")
    assert not OUTSIDE.search(text)
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    assert len(text.encode()) < 1_000_000
    return text


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> str:
    decisions = {0: PROMOTE, 3: REJECT, 5: PROMOTE, 6: ROLL_BACK}
    turns = [turn(number, decisions.get(number, KEEP), column=HOSTILE) for number in range(24)]
    return written(turns, tmp_path_factory.mktemp("year"))


def test_page_holds_every_turn_with_its_reason(year: str) -> None:
    for number in range(24):
        assert f"reason of turn {number}." in year
        assert clock.show(month(number)) in year


def test_page_counts_what_happened(year: str) -> None:
    for name, count in {"turns": 24, "trainings": 3, "promotions": 2, "rejection": 1, "roll back": 1}.items():
        assert f"<dt>{name}</dt><dd>{count}</dd>" in year


def test_hostile_names_are_shown_as_text(year: str) -> None:
    assert "<script" not in year
    assert "<b>" not in year
    assert "&lt;script&gt;" in year


def test_pictures_have_words_and_ids_of_their_own(year: str) -> None:
    pictures = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', year)
    assert len(pictures) == 14
    ids = re.findall(r'\bid="([^"]+)"', year)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", year)) <= set(ids)


def test_pass_and_fail_are_told_by_sign_and_word(tmp_path: Path) -> None:
    text = written([turn(0, REJECT)], tmp_path)
    assert "\u2715</span> fail" in text


def test_same_turns_give_the_same_page(tmp_path: Path) -> None:
    turns = [turn(0, PROMOTE), turn(1)]
    assert written(turns, tmp_path / "a") == written(turns[::-1], tmp_path / "b")


def test_no_turns_give_a_page_that_says_so(tmp_path: Path) -> None:
    text = written([], tmp_path)
    assert "No turns yet" in text
    assert "<svg" not in text


def test_a_first_turn_without_any_evidence_is_told(tmp_path: Path) -> None:
    text = written([Turn("churn", month(0), KEEP, ("too little history",), {})], tmp_path, threshold=None)
    for words in (
        "No labels have matured yet",
        "No drift was measured",
        "No version was trained",
        "too little history.",
    ):
        assert words in text
    assert "nan" not in text.lower()


def test_a_single_turn_is_drawn(tmp_path: Path) -> None:
    assert "f1 met 0.800 in 1 of 1 window" in written([turn(0, PROMOTE)], tmp_path)


def test_numbers_that_were_not_measured_become_dashes(tmp_path: Path) -> None:
    hollow = turn(0, REJECT, value=math.nan)
    blind = replace(turn(1), drift=(Drift("age", "ks", math.nan, math.nan, math.nan, False, 0),))
    text = written([hollow, blind, turn(2)], tmp_path)
    assert not re.search(r"\bNaN\b|\bnan\b", text)


def test_regression_says_that_lower_is_better(tmp_path: Path) -> None:
    turns = [turn(number, PROMOTE if number == 0 else KEEP, metric="rmse", value=0.3) for number in range(3)]
    text = written(turns, tmp_path, metric="rmse", threshold=0.35)
    assert "rmse realised, lower is better" in text
    assert "rmse met 0.350 in all 3 windows and beat the baseline in all 3" in text
    assert "Mean absolute error" in text


def test_many_turns_stay_below_a_megabyte(tmp_path: Path) -> None:
    wide = tuple(Drift(f"column_{place}", "ks", place / 100, 0.1, 0.01, True, 9) for place in range(40))
    decisions = (KEEP, PROMOTE, REJECT)
    turns = [replace(turn(number, decisions[number % 3]), drift=wide) for number in range(120)]
    assert "The 15 that moved most, of 40." in written(turns, tmp_path)


def test_an_unknown_metric_lists_what_exists(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="Unknown metric 'f2'"):
        write_replay([], tmp_path / "replay.html", title="Replay", metric="f2", threshold=None)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_page_opens_without_requests_and_fits_the_screen(tmp_path: Path, year: str, width: int) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "replay.html"
    file.write_text(year, encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    with sync.sync_playwright() as tool:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=options)
        view = browser.new_page(viewport={"width": width, "height": 844}, color_scheme="dark")
        view.on("request", lambda request: asked.append(request.url))
        view.on("console", lambda message: said.append(message.text))
        view.goto(file.as_uri())
        reach = view.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert asked == [file.as_uri()]
    assert said == []
    assert reach <= width
