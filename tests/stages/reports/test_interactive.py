"""A page of living charts is one safe file: it draws, tells and zooms in a real browser, and asks nobody for anything."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.stages.reports.test_evaluation import FOUND, evaluation

from keepfit.stages.reports import curves
from keepfit.stages.reports.canvas import NARROW, WIDE
from keepfit.stages.reports.evaluation import evaluation_page
from keepfit.stages.reports.interactive import answering, living

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LINE = [{"x": place / 50, "y": (place / 50) ** 0.5} for place in range(51)]


def curve(canvas: Any = WIDE) -> Any:
    return curves.curve_chart(LINE, [(0, 0), (1, 1)], "false positives", ("model", "blind"), canvas, "true positives")


def test_a_chart_alive_is_its_still_and_what_it_does_for_a_pointer() -> None:
    still = curve()
    alive = answering(still)
    *layers, near = alive["layer"]
    assert [one["data"] for one in layers] == [one["data"] for one in still["layer"]]
    assert [one["y"] for one in near["data"]["values"]] == [one["y"] for one in LINE]
    assert [one["title"] for one in near["encoding"]["tooltip"]] == ["False positives", "true positives"]
    assert [one["mark"]["clip"] for one in layers] == [True, True, False]
    assert still == curve()


def test_a_finger_on_a_phone_moves_the_page_and_not_the_chart() -> None:
    assert any("params" in one for one in answering(curve(WIDE))["layer"][:-1])
    assert not any("params" in one for one in answering(curve(NARROW))["layer"][:-1])


def test_data_cannot_end_its_script() -> None:
    chart = curves.importance_chart([("</script><script>alert(1)</script>", 1.0)], WIDE)
    assert living(chart, "a", "b").count("<script") == 1
    assert "</script><script>" not in living(chart, "a", "b")


@pytest.fixture(scope="module")
def page() -> str:
    return evaluation_page("churn", evaluation("classification", "auc"), FOUND, interactive=True)


def test_the_page_allows_its_own_two_scripts_and_no_request(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    said = policy[1].replace("&#x27;", "'")
    assert said.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    assert said.count("sha256-") == 2
    assert "unsafe-eval" not in said


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as tool:
        options = ["--no-sandbox", "--disable-background-networking"]
        opened = tool.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_charts_draw_tell_and_zoom_without_a_request(tmp_path: Any, browser: Any, page: str, width: int, scheme: str):
    file = tmp_path / "churn.html"
    file.write_text(page, encoding="utf-8")
    asked: list[str] = []
    said: list[str] = []
    view = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto(file.as_uri())
    seen = view.locator(".live:visible")
    for place in range(seen.count()):
        seen.nth(place).scroll_into_view_if_needed()
        seen.nth(place).and_(view.locator("[data-drawn=yes]")).wait_for()
    assert seen.count() >= 8
    assert seen.locator("svg").count() == seen.count()
    assert view.evaluate("document.documentElement.scrollWidth") <= width

    roc = view.locator(f"#roc-{'wide' if width > 720 else 'narrow'} svg")
    roc.scroll_into_view_if_needed()
    box = roc.bounding_box()
    view.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    tip = view.locator("#vg-tooltip-element")
    tip.wait_for(state="visible")
    assert "share of the negatives called positive" in tip.inner_text().lower()
    if width > 720:
        labels = roc.locator(".role-axis-label text").all_text_contents()
        view.keyboard.down("Control")
        view.mouse.wheel(0, -240)
        view.keyboard.up("Control")
        view.wait_for_function(
            "before => [...document.querySelectorAll('#roc-wide .role-axis-label text')].map(one => one.textContent)"
            ".join() !== before",
            arg=",".join(labels),
        )
    view.close()
    assert asked == [file.as_uri()]
    assert said == []
