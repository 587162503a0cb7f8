"""The pictures of a report page as files of their own, for trackers that show pictures."""

from __future__ import annotations

import html
import re

from keepfit.stages.reports.palette import PAPER

# as `keepfit.stages.reports.figures` writes it: the picture for desks, or one of several side by side, with what it shows in words
PICTURE = re.compile(
    r'<div class="chart (wide|small)"><svg ([^>]*?aria-label="([^"]*)"[^>]*)>(.*?)</svg></div>', re.DOTALL
)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def pictures(page: str) -> dict[str, bytes]:
    """Return the pictures of a page as SVG documents on white, by a name made of what they show: 'roc', 'dependence_age'.

    Parameters
    ----------
    page : str
        What `keepfit.stages.reports.evaluation.evaluation_page` made.
    """
    found: dict[str, bytes] = {}
    for canvas, attributes, label, body in PICTURE.findall(page):
        kind, _, title = html.unescape(label).partition(": ")
        words = f"{kind} {title}" if canvas == "small" else kind
        name = re.sub(r"\W+", "_", words.lower()).strip("_")
        paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        svg = f'<svg {attributes} font-family="{FONT}">{paper}{body}</svg>'
        found[name if name not in found else f"{name}_{len(found)}"] = svg.encode()
    return found
