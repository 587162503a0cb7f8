"""The page of a watched champion says first what matters, shows what was watched, and asks nobody for anything."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keepfit import clock
from keepfit.evidence import (
    CONCEPT,
    CRITICAL,
    INFO,
    PREDICTION,
    WARNING,
    Champion,
    Drift,
    Estimate,
    Estimated,
    Evidence,
    Realised,
    Symptom,
    Turn,
)
from keepfit.evidence.watched import LABEL, MISSING, OTHERS, RANGE, Bin, Distribution
from keepfit.spec.metric import METRICS
from keepfit.stages.reports.bins import name_of
from keepfit.stages.reports.drifted import drifted_page
from keepfit.stages.reports.watching import Watch, watching_page
from keepfit.stages.reports.watching_words import verdict

HOSTILE = '<script>alert("1")</script> & <b>'
OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?!#)|@import""", re.IGNORECASE)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DAY = clock.DAY


def drifted(column: str, severity: str = INFO, effect: float | None = 0.001, **told) -> Drift:
    measures = {"psi": 0.3, "ks": 0.2, "missingness": 0.0}
    found = Drift(column, "ks", 0.3, 0.2, 0.001, severity != INFO, 400, severity=severity, relative_effect=effect)
    return replace(found, **({"chance": 0.001, "bound": 0.002, "measures": measures} | told))


def evidence(at: int, *drift: Drift, f1: float = 0.85) -> Evidence:
    estimated = Estimated(
        "2", at, at, 400, {"f1": Estimate(0.84, 0.8, 0.88, 400)}, {"f1": 0.9}, "f1 0.84 is to be expected"
    )
    realised = Realised(
        "2", at - 30 * DAY, at - 30 * DAY, 380, {"f1": f1}, {"f1": 0.5}, {"f1": Estimate(0.86, 0.8, 0.9, 380)}
    )
    return Evidence(
        at, Champion("2", at - 90 * DAY, at - 90 * DAY), realised=realised, estimated=estimated, drift=drift
    )


def shown(*drift: Drift, symptoms: tuple[Symptom, ...] = (), f1: float = 0.85) -> Watch:
    now = 40 * 30 * DAY
    every = [evidence(now - 30 * DAY * back, *drift, f1=f1) for back in (2, 1, 0)]
    turns = [
        Turn("churn", one.as_of, "keep", (), {}, realised=one.realised, estimated=one.estimated, drift=one.drift)
        for one in every
    ]
    bins = (Bin(MISSING, 4, 9), Bin(LABEL, 300, 200, label=HOSTILE), Bin(OTHERS, 1, 0))
    parts = [Distribution(one.column, bins) for one in drift]
    return Watch("churn", every[-1], None, parts, turns, symptoms, "f1", 0.8, "1 per year")


OLD = Symptom("stale", "sales", CRITICAL, "sales is 5 days old")
HEADLINES = {
    "Nothing is out of the ordinary: none of 1 column drifted, and f1 is 0.850 on matured rows": shown(drifted("age")),
    "age drifted, expected to raise the loss by 12%": shown(drifted("age", CRITICAL, 0.12)),
    "f1 fell to 0.7, below 0.8; age drifted (PSI 0.3)": shown(drifted("age", WARNING), f1=0.7),
    "2 of 2 columns drifted, sum farthest (PSI 0.9)": shown(
        drifted("age", WARNING, None), drifted("sum", WARNING, None, psi=0.9)
    ),
    "sales is 5 days old": shown(drifted("age"), symptoms=(OLD,)),
    "The same inputs turn out otherwise than they did: the loss was 20% above what was to be expected": shown(
        drifted("concept", WARNING, 0.2, kind=CONCEPT)
    ),
}


@pytest.mark.parametrize("says", HEADLINES)
def test_the_headline_is_what_matters_most(says: str) -> None:
    found = HEADLINES[says]
    assert verdict(found.evidence, found.symptoms, METRICS["f1"], found.threshold) == says


def test_the_page_holds_what_was_watched_and_asks_for_nothing() -> None:
    drift = [drifted(HOSTILE, CRITICAL, 0.2), drifted("score", kind=PREDICTION), drifted("concept", kind=CONCEPT)]
    page = watching_page(shown(*drift, symptoms=(Symptom("quality", "sales", WARNING, HOSTILE),)))
    assert not OUTSIDE.search(page) and "<script" not in page and "onerror" not in page
    for text in ("0.840 (0.800 to 0.880)", "0.860 (0.800 to 0.900)", "the answer", "0.850", "Concept", "1 per year"):
        assert text in page, text
    assert page == watching_page(shown(*drift, symptoms=(Symptom("quality", "sales", WARNING, HOSTILE),)))
    alive = watching_page(shown(*drift), interactive=True)
    assert alive.count("<script>") == 2 and "; script-src " in alive


def test_a_first_watch_has_neither_labels_nor_a_past() -> None:
    now = 40 * 30 * DAY
    blank = Watch("churn", Evidence(now, Champion("1", now, now)), None, (), (), (), "f1", None, "1 per year")
    page = watching_page(blank)
    assert "No drift was measured" in page and "carries nothing to estimate by" in page
    some = replace(blank, evidence=evidence(now, drifted("age", rows=0), f1=math.nan))
    assert "f1 is estimated at 0.840" in watching_page(some)


def test_parts_have_readable_names() -> None:
    numbers = [Bin(RANGE, 1, 1, low=0.0, high=0.0), Bin(RANGE, 1, 1, low=0.0, high=12.5), Bin(RANGE, 1, 1, low=12.5)]
    below = [Bin(RANGE, 1, 1, high=-1234.56), Bin(RANGE, 1, 1, low=-1234.56, high=-0.5)]
    labels = [Bin(MISSING, 1, 1), Bin(LABEL, 1, 1, label=" a\nb "), Bin(LABEL, 1, 1, label=""), Bin(OTHERS, 1, 1)]
    assert names(numbers) == ["0", "over 0 to 12.5", "12.5 and more"]
    assert names(below) == ["under \u22121,235", "\u22121,235 to \u22120.5"]
    assert names(labels) == ["missing", "a b", "(blank)", "all others"]


def names(bins: list[Bin]) -> list[str]:
    found = Distribution("x", tuple(bins))
    return [name_of(found, place) for place in range(len(bins))]


def test_two_sets_of_files_on_a_page() -> None:
    drift = [drifted("age", CRITICAL, None), drifted(HOSTILE, INFO, None)]
    sides = {"reference": {"files": ["a.csv"], "rows": 10}, "current": {"files": [HOSTILE], "rows": 20}}
    changed = {"y": "number before, missing now"}
    found = {**sides, "drift": drift, "changed": changed, "new": ["z"], "not_compared": {}, "least_psi": 0.1}
    parts = [
        Distribution("age", (Bin(RANGE, 10, 20, low=1.0, high=1.0),)),
        Distribution(HOSTILE, (Bin(OTHERS, 10, 20),)),
    ]
    page = drifted_page(found, parts)
    assert page.count('<div class="card">') == 1, "keys are not drawn"
    assert "<h1>age drifted (PSI 0.3)</h1>" in page and "number before, missing now" in page
    assert "<script" not in page and "Effect on loss" not in page and not OUTSIDE.search(page)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")
@pytest.mark.slow
def test_it_fits_a_phone_and_a_desk(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    names = ["sales_amount_mean_30d_over_sales_amount_mean_90d" * 2, "age", "segment", "score"]
    path = tmp_path / "watch.html"
    path.write_text(watching_page(shown(*(drifted(name, CRITICAL, 0.2) for name in names))), encoding="utf-8")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (360, 1200):
            tab = browser.new_page(viewport={"width": width, "height": 800})
            told: list[str] = []
            tab.on("console", lambda message, told=told: told.append(message.text))
            tab.goto(path.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert told == []
        browser.close()
