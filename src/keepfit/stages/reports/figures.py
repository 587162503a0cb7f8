"""Figures of a page, whichever way its charts are drawn: as stills, or alive (`keepfit.stages.reports.interactive`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keepfit.stages.reports import page
from keepfit.stages.reports.canvas import NARROW, SMALL, WIDE, Canvas, Draw, Spec, render
from keepfit.stages.reports.page import Html, breakable, element

Picture = Callable[[Spec, str, str], str]
"""A chart, its label in words and a name that no other has on the page -> markup."""


def still(spec: Spec, label: str, name: str) -> str:
    """Return a chart as SVG."""
    return render(spec, label=label, name=name)


@dataclass(frozen=True)
class Figures:
    """Makes figures of charts.

    Attributes
    ----------
    picture : callable
        How a chart becomes markup.
    """

    picture: Picture = still

    def __call__(self, name: str, kind: str, says: str, read: str, draw: Draw, key: Html | None = None) -> Html:
        """Return a figure: what it is, what it says, how to read it, and its chart for desks and for phones."""
        return page.figure(kind, says, read, self._drawn(name, f"{kind}: {says}.", draw, (WIDE, NARROW)), key)

    def cards(
        self, kind: str, says: str, read: str, charts: Sequence[tuple[str, str, Draw]], *, words: bool = False
    ) -> Html:
        """Return charts `(name, title, draw)` side by side under one heading; titles are names, unless they are words."""
        shown = [
            element(
                "div",
                element("h3", title if words else breakable(title)),
                *(
                    element("div", page.drawn(svg), class_="chart small")
                    for _, svg in self._drawn(name, f"{kind}: {title}.", draw, (SMALL,))
                ),
                class_="card",
            )
            for name, title, draw in charts
        ]
        return page.section(kind, says, element("p", read, class_="read"), element("div", *shown, class_="columns"))

    def _drawn(self, name: str, label: str, draw: Draw, canvases: Sequence[Canvas]) -> list[tuple[str, str]]:
        return [(canvas.name, self.picture(draw(canvas), label, f"{name}-{canvas.name}")) for canvas in canvases]
