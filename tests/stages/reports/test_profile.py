"""A profile page tells what a summary holds, asks nothing of the network, and survives hostile or missing input."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keepfit import clock
from keepfit.engines.summary import ColumnSummary, Covered, Extent, Gap, Summary
from keepfit.stages.reports.cards import card, share, short
from keepfit.stages.reports.coverage import Strip, missing_chart, missing_step, span_of
from keepfit.stages.reports.profile import write_profile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = '<script>alert("1")</script> & <b>'
MONTHS = clock.Grid("1 month").moments(0, clock.to_micros(clock.parse_moment("1971-12-01")))
NUMBER = ColumnSummary(
    "pm25",
    "DOUBLE",
    nulls=250,
    distinct=700,
    quantiles=(0.5, 10, 20, 40, 480),
    edges=(0, 50, 100, 150),
    counts=(500, 200, 50),
    missing=(20,) * 12 + (0,) * 11 + (10,),
)
LABEL = ColumnSummary(
    "site", "VARCHAR", 0, 9, (4, 5, 5, 6, 8), (3.5, 8.5), (1000,), (("urban", 700), (HOSTILE, 200)), 1000, (0,) * 24
)
SUMMARY = Summary(
    extent=Extent(1000, MONTHS[0], MONTHS[-1]),
    sampled=1000,
    estimated=False,
    columns=(NUMBER, LABEL),
    step="1 month",
    starts=tuple(MONTHS),
    periods=(40,) * 23 + (80,),
    drawn=(40,) * 23 + (80,),
    gaps=(Gap(MONTHS[2], MONTHS[2] + 4 * clock.DAY), Gap(MONTHS[5], MONTHS[5] + clock.HOUR)),
    entities=2,
    most=(
        Covered("S1", 900, MONTHS[0], MONTHS[-1], (37,) * 24),
        Covered(HOSTILE, 100, MONTHS[3], MONTHS[4], (0,) * 24),
    ),
    keys=("station", "at"),
    files=tuple(Covered(f"a/very/deep/folder/station_{place:03}.csv", 50, MONTHS[0], MONTHS[1]) for place in range(20)),
    repeated=5,
    compared=1000,
)


def found(summary: Summary = SUMMARY, **others: Any) -> dict[str, Any]:
    return {
        "table": "air",
        "kind": "events",
        "version": 7,
        "bytes": 1_234_567,
        "parquet_files": 3,
        "seen_as_of": None,
        "summary": summary,
        "declared": {"pm25": {"type": "float", "unit": "µg/m³", "min": 0, "max": 160, "role": ""}},
        "quiet": clock.DAY,
        "quarantine": {"rows": 12, "reasons": {"pm25 is below 0": 11, HOSTILE: 1}},
        "sample": [{"station": "S1", "pm25": 12.5, "site": HOSTILE}, {"station": "S1", "pm25": None, "site": "x" * 90}],
        **others,
    }


def written(path: Path, summary: Summary = SUMMARY, **others: Any) -> str:
    file = write_profile(found(summary, **others), path / "deep" / "profile.html")
    text = file.read_text(encoding="utf-8")
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    assert not re.search(r"<script|<b>|\bnan\b|\bNaN\b|None", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    return text


def test_a_page_tells_of_time_entities_columns_files_quarantine_and_rows(tmp_path: Path) -> None:
    text = written(tmp_path)
    for words in (
        "1,000 rows of 2 columns, <time>1970-01-01</time> to <time>1971-12-01</time>.",
        "40 to 80 rows in each month",
        "Without any row for longer than 1d, the declared quiet",
        "2 entities with 100 to 900 rows each",
        "0.5% of rows repeat the station and at of another row.",
        "pm25 is missing in 25.0% of rows; 1 column of 2 have no gap",
        "number, µg/m³",
        "0 to 160",
        "Rows of 20 files",
        "5 more",
        "pm25 is below 0",
        "2 rows as they are stored",
        "&lt;script&gt;",
    ):
        assert words in text, words
    assert "1970-03-05" in text and "1 h" not in text  # a silence that is declared as normal is not told


def test_declared_bounds_are_drawn_where_values_are_near(tmp_path: Path) -> None:
    text = written(tmp_path)
    assert ">min 0</text>" in text and ">max 160</text>" in text
    far = {"pm25": {"type": "float", "unit": None, "min": -900, "max": 9000, "role": ""}}
    text = written(tmp_path, declared=far)
    assert ">min" not in text and "\u2212900 to 9,000" in text


def test_a_sampled_page_says_what_is_exact_and_what_is_not(tmp_path: Path) -> None:
    many = replace(SUMMARY, extent=replace(SUMMARY.extent, rows=9_000_000), estimated=True, compared=2_000_000)
    text = written(tmp_path, many)
    assert (
        "an even sample of 1,000 rows" in text and "about 700" in text and "among 2,000,000 that were compared" in text
    )
    assert "Of all rows." in written(tmp_path)


def test_a_table_without_rows_or_without_time_has_a_page(tmp_path: Path) -> None:
    nothing = Summary(Extent(0), 0, False, (ColumnSummary("x", "DOUBLE", 0, 0),))
    text = written(tmp_path, nothing, sample=[], quarantine={}, declared={}, quiet=None)
    assert "0 rows of 1 column." in text and "No rows." in text
    timeless = replace(SUMMARY, step="", starts=(), periods=(), drawn=(), gaps=(), most=(), extent=Extent(1000))
    text = written(tmp_path, timeless, quarantine={})
    assert "25.0%" in text and "rows in each" not in text


def test_a_column_of_one_value_of_none_and_of_texts_that_all_differ_have_cards() -> None:
    one = replace(NUMBER, quantiles=(7, 7, 7, 7, 7), edges=(7, 7), counts=(1000,), distinct=1)
    assert ">7</text>" in card(one, {}, SUMMARY)
    assert "No value in any row." in card(ColumnSummary("x", "DOUBLE", 1000, 0), {}, SUMMARY)
    texts = tuple((f"text {place}", 1) for place in range(9))
    free = ColumnSummary("t", "VARCHAR", 0, 1000, (6, 6, 7, 8, 8), (5.5, 6.5, 7.5, 8.5), (10, 90, 900), texts, 1000)
    drawn = card(free, {"type": "text"}, SUMMARY)
    assert "Hardly any value comes often: text 0" in drawn and "8 letters" in drawn and "<svg" in drawn
    keys = replace(free, quantiles=(6,) * 5, edges=(6, 6), counts=(1000,))
    assert "<svg" not in card(keys, {"type": "entity"}, SUMMARY)


def test_values_beyond_the_picture_are_said_to_be_in_its_outermost_bars() -> None:
    drawn = card(NUMBER, {}, SUMMARY)
    assert "\u2265 150" in drawn and "\u2264" not in drawn


def test_very_many_columns_are_drawn_in_part_and_the_page_says_so(tmp_path: Path) -> None:
    many = replace(SUMMARY, columns=tuple(replace(NUMBER, name=f"column_{place}") for place in range(400)))
    text = written(tmp_path, many)
    assert "The first 300 of 400." in text and "The 40 columns that miss the most, of 400." in text
    assert len(text) < 2_000_000


def test_neighbouring_periods_of_one_shade_are_one_cell_and_periods_without_rows_are_none() -> None:
    from keepfit.stages.reports.canvas import WIDE

    span = span_of(MONTHS[:5], "1 month")
    chart = missing_chart([Strip("x", "9%", (0.2, 0.3, None, 0.0, 1.0))], WIDE, span)
    cells = chart["layer"][0]["data"]["values"]
    assert [(cell["from"], cell["to"]) for cell in cells] == [
        (MONTHS[0] // 1000, MONTHS[2] // 1000),
        (MONTHS[3] // 1000, MONTHS[4] // 1000),
        (MONTHS[4] // 1000, clock.to_micros(clock.parse_moment("1970-06-01")) // 1000),
    ]
    assert [missing_step(value) for value in (0.0, 0.005, 0.05, 0.3, 0.9)] == [0, 1, 2, 3, 4]


def test_shares_are_never_rounded_to_nothing_or_to_all() -> None:
    assert [share(part, 10_000) for part in (0, 1, 5000, 9_999, 10_000)] == [
        "0%",
        "under 0.1%",
        "50.0%",
        "over 99.9%",
        "100%",
    ]
    assert [short(value) for value in (0.0, -1234567.0, 0.000123456, 1e18)] == [
        "0",
        "\u22121,234,567",
        "0.0001235",
        "1e+18",
    ]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_page_opens_without_requests_and_fits_the_screen(tmp_path: Path, width: int) -> None:
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    written(tmp_path)
    file = tmp_path / "deep" / "profile.html"
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
        beyond = view.evaluate(
            "[...document.querySelectorAll('.card text')].filter(text => {"
            " const own = text.getBoundingClientRect(), card = text.closest('.card').getBoundingClientRect();"
            " return own.right > card.right + 1 || own.left < card.left - 1 }).length"
        )
        browser.close()
    assert asked == [file.as_uri()]
    assert said == []
    assert reach <= width
    assert beyond == 0
