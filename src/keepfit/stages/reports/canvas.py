"""What every picture stands on: two canvases, one time axis, margins for names, and rendering of Vega-Lite to SVG.

Every chart is laid out to the pixel (`autosize: none`), with the same margins and the same time axis, so that a reader
can follow a date down the page. Names and values stand in the right margin, beside what they name. One canvas is for
desks and paper and one for phones; the page shows the one that fits, so text is never scaled down.
"""

from __future__ import annotations

import html
import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit.stages.reports.palette import GRID, INK, MUTED

Spec = dict[str, Any]
DAY_MS = 86_400_000
TEXTS = frozenset({"label", "full", "when", "state", "parameters", "folds", "was", "called"})
"""Fields that hold words, in what a mark tells; all others hold numbers."""


@dataclass(frozen=True)
class Canvas:
    """The width of a picture, its margins and its type size, in pixels."""

    name: str
    width: int
    left: int
    right: int
    font: int

    @property
    def plot(self) -> int:
        """The width between the margins."""
        return self.width - self.left - self.right

    def letters(self, pixels: float) -> int:
        """Return how many letters fit into that many pixels."""
        return int(pixels / (0.6 * self.font))


WIDE = Canvas("wide", 1000, 44, 226, 13)
NARROW = Canvas("narrow", 358, 34, 106, 11)
SMALL = Canvas("small", 310, 40, 12, 11)
"""Of pictures that stand side by side; one width serves desks and phones."""
Draw = Callable[[Canvas], Spec]
"""What draws a chart for a canvas."""


@dataclass(frozen=True)
class Span:
    """The time axis that all pictures share: from, to, the width of a turn, and the turns, in milliseconds UTC."""

    start: int
    end: int
    step: int
    turns: tuple[int, ...] = ()

    @staticmethod
    def over(turns_at: Sequence[int], others_at: Sequence[int] = ()) -> Span:
        """Return the axis that holds all of these moments (microseconds), with half a turn of room at both ends."""
        moments = sorted({at // 1000 for at in turns_at})
        everything = [*moments, *(at // 1000 for at in others_at)] or [0]
        gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
        step = max(min(gaps, default=30 * DAY_MS), (max(everything) - min(everything)) // 400, 1000)
        return Span(min(everything) - step // 2, max(everything) + step // 2, step, tuple(moments))

    def ticks(self, canvas: Canvas) -> list[int]:
        """Return as many evenly chosen turns as have room for their date on the axis."""
        room = max(1, canvas.plot // (7 * canvas.font))
        every = next(n for n in (1, 2, 3, 4, 6, 12, 24, len(self.turns) or 1) if len(self.turns) <= n * room)
        return list(self.turns[::every])

    def pixel(self, at: int, canvas: Canvas) -> float:
        """Return where a moment (microseconds) lies, in pixels from the left of the plot."""
        return (at / 1000 - self.start) / (self.end - self.start) * canvas.plot


def render(spec: Spec, *, label: str, name: str) -> str:
    """Return the SVG of a chart, ready to be put into a page.

    Parameters
    ----------
    spec : dict
        A Vega-Lite chart.
    label : str
        What the picture shows, in words, for those who do not see it.
    name : str
        A name that no other picture of the page has; prefixes the ids of the SVG.
    """
    import vl_convert  # the only home of this library; loading it costs 0.9 s

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version="5.21")
    body = svg[svg.index(">") + 1 :]
    body = re.sub(r"<[^>]+>", lambda tag: _clean(tag[0], name), body)
    body = _compact(re.sub(r'<path d="[^"]*h0v0h0Z"/>|<path d="" display="none"/>', "", body))
    width, height = spec["width"] + _across(spec, "left", "right"), spec["height"] + _across(spec, "top", "bottom")
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(label)}"'
    return f'{opening} width="{width}" height="{height}" viewBox="0 0 {width} {height}">{body}'


def pictures_of(name: str, label: str, draw: Draw) -> list[tuple[str, str]]:
    """Return a chart drawn for both canvases, as `(canvas, svg)`; see `render`."""
    return [(canvas.name, render(draw(canvas), label=label, name=f"{name}-{canvas.name}")) for canvas in (WIDE, NARROW)]


def _across(spec: Spec, one: str, other: str) -> int:
    return int(spec["padding"][one] + spec["padding"][other])


def _clean(tag: str, name: str) -> str:
    """Return an SVG tag without what a still picture does not need, with rounded numbers and ids of its own."""
    tag = re.sub(r' (?:class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"', "", tag)
    tag = re.sub(r' (?:fill-|stroke-)?opacity="1"', "", tag)
    tag = re.sub(r"(\d\.\d\d)\d+", r"\1", tag)
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", tag)


def _compact(body: str) -> str:
    """Return the SVG with round symbols as circles, and runs of alike circles sharing their attributes."""
    place = r'transform="translate\(([-\d.]+),([-\d.]+)\)"'
    body = re.sub(
        rf'<path {place} d="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"', r'<circle cx="\1" cy="\2" r="\3"', body
    )
    where = '<circle cx="[^"]*" cy="[^"]*" r="[^"]*"'
    return re.sub(
        rf"{where}( [^>]*)/>(?:{where}\1/>)+", lambda run: f"<g{run[1]}>{run[0].replace(f'{run[1]}/>', '/>')}</g>", body
    )


def layered(
    canvas: Canvas, height: int, layers: list[Spec], *, top: int = 12, bottom: int = 28, zooms: bool = False
) -> Spec:
    """Return a chart of these layers: the plot is `canvas.plot` x `height`, within fixed margins.

    `zooms` says that it is worth a closer look, where a chart is alive; on a phone a finger on it moves the page.
    """
    axis = {"labelColor": MUTED, "gridColor": GRID, "domain": False, "ticks": False, "labelPadding": 7}
    return {
        "width": canvas.plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": canvas.left, "right": canvas.right, "top": top, "bottom": bottom},
        "layer": layers,
        "usermeta": {"zooms": zooms and canvas.name != NARROW.name},
        "config": {
            "aria": False,
            "background": None,
            "view": {"stroke": None},
            "axis": {**axis, "labelFontSize": canvas.font, "title": None},
            "text": {"fontSize": canvas.font, "color": INK, "baseline": "middle"},
        },
    }


def time_axis(span: Span, canvas: Canvas, field: str = "at", *, labels: bool = True) -> Spec:
    """Return the encoding of a moment (milliseconds UTC) on the shared time axis."""
    days = (span.end - span.start) / DAY_MS
    form = "%b %Y" if days > 150 else "%-d %b %Y" if days > 3 else "%-d %b %H:%M"
    axis = {
        "format": form,
        "values": span.ticks(canvas),
        "grid": False,
        "labels": labels,
        "labelFlush": False,
    }
    scale = {"type": "utc", "domain": [span.start, span.end], "nice": False}
    return {"field": field, "type": "temporal", "scale": scale, "axis": axis}


def data(rows: list[Spec]) -> Spec:
    """Return rows as a layer's own data."""
    return {"values": rows}


def tips(*fields: tuple[str, str]) -> Spec:
    """Return the encoding of what a mark tells when it is pointed at: `(field, what it is)`; a still has none."""
    return {"tooltip": [_tip(field, title) for field, title in fields]}


def _tip(field: str, title: str) -> Spec:
    if field in TEXTS:
        return {"field": field, "title": title, "type": "nominal"}
    return {"field": field, "title": title, "type": "quantitative", "format": "," if field == "rows" else ",.4~r"}


def pixels(field: str) -> Spec:
    """Return the encoding of a place given in pixels of the plot."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def literal(field: str) -> Spec:
    """Return the encoding of a colour or shape that rows carry themselves."""
    return {"field": field, "type": "nominal", "scale": None}


def value_axis(bounds: tuple[float, float], field: str = "value", ticks: int = 4) -> Spec:
    """Return the encoding of a number on a scale that spans exactly these bounds."""
    scale = {"domain": list(bounds), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": {"tickCount": ticks}}


def bounds_of(values: Sequence[float]) -> tuple[float, float]:
    """Return a range that holds the finite values with some air; (0, 1) if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    air = (max(finite) - min(finite)) * 0.08 or abs(finite[0]) * 0.1 or 0.1
    return min(finite) - air, max(finite) + air


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return positions near the wanted ones, in the same order of size, at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [wanted[index] for index in order]
    for _ in range(60):
        for low in range(len(placed) - 1):
            lack = gap - (placed[low + 1] - placed[low])
            if lack > 0:
                placed[low], placed[low + 1] = placed[low] - lack / 2, placed[low + 1] + lack / 2
    found = dict(zip(order, placed, strict=True))
    return [found[index] for index in range(len(wanted))]


def lanes(spots: Sequence[tuple[float, float]], most: int) -> list[int | None]:
    """Return for labels `(middle, width)`, in order, the lowest lane where each is free; None if all are taken."""
    ends: list[float] = []
    found: list[int | None] = []
    for middle, width in spots:
        lane = next((lane for lane, end in enumerate(ends) if middle - width / 2 > end), len(ends))
        if lane < most:
            ends[lane : lane + 1] = [middle + width / 2 + 6]
        found.append(lane if lane < most else None)
    return found


def shorten(name: str, letters: int) -> str:
    """Return a name cut in its middle to that many letters, as both ends tell columns apart."""
    if len(name) <= letters:
        return name
    tail = (letters - 1) // 2
    return f"{name[: letters - 1 - tail]}\u2026{name[len(name) - tail :]}"
