"""Charts are plain data: drawn in colours the style knows, with labels that do not run into each other."""

from __future__ import annotations

import itertools
from importlib import resources

import pytest

from keepfit import clock
from keepfit.spec.metric import METRICS
from keepfit.stages.reports import charts, palette
from keepfit.stages.reports.canvas import NARROW, WIDE, Canvas, Span, lanes, shorten, spread
from keepfit.stages.reports.summary import Window


def test_every_colour_of_the_charts_has_a_light_and_a_dark_form() -> None:
    style = resources.files("keepfit.stages.reports").joinpath("style.css").read_text("utf-8")
    colours = [palette.INK, palette.MUTED, palette.GRID, palette.PAPER, palette.BLUE]
    for colour in [
        *colours,
        palette.GREEN,
        palette.VERMILLION,
        palette.PURPLE,
        palette.OCHRE,
        palette.INDIGO,
        *palette.HEAT,
    ]:
        assert f'="{colour}"] {{' in style


@pytest.mark.parametrize("canvas", [WIDE, NARROW])
def test_a_chart_is_as_wide_as_its_canvas(canvas: Canvas) -> None:
    windows = [Window(month * 30 * clock.DAY, "1", 9, 0.8, 0.4) for month in range(4)]
    span = Span.over([window.at for window in windows])
    spec = charts.realised_chart(windows, [], METRICS["f1"], 0.7, canvas, span)
    assert spec["width"] + spec["padding"]["left"] + spec["padding"]["right"] == canvas.width


def test_labels_are_spread_without_changing_their_order() -> None:
    placed = spread([10.0, 11.0, 50.0, 10.5], 15)
    assert placed[0] < placed[3] < placed[1] < placed[2]
    assert min(later - earlier for earlier, later in itertools.pairwise(sorted(placed))) > 14.5


def test_labels_that_meet_take_different_lanes_until_there_are_none() -> None:
    assert lanes([(0, 40), (10, 40), (20, 40), (100, 40)], 2) == [0, 1, None, 0]


def test_a_name_is_cut_in_its_middle() -> None:
    assert shorten("sales.amount.sum(30d)", 11) == "sales\u2026(30d)"
    assert shorten("age", 11) == "age"


def test_the_axis_dates_are_turns_and_have_room() -> None:
    span = Span.over([month * 30 * clock.DAY for month in range(22)])
    for canvas in (WIDE, NARROW):
        ticks = span.ticks(canvas)
        assert set(ticks) <= set(span.turns)
        assert len(ticks) * 7 * canvas.font <= canvas.plot + 7 * canvas.font
