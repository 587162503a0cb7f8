"""One page that draws how features are distributed: a histogram, or the most frequent labels, for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keepfit.stages.reports.page import Html, element, join, page, section
from keepfit.stages.reports.palette import BLUE, MUTED

WIDTH, HEIGHT = 320, 96


def write_preview(found: Mapping[str, Any], meanings: Mapping[str, str], path: Path) -> Path:
    """Write the distributions that `inspecting.preview` found, and return the path."""
    title = f"{found['model']}: features of {found['rows']:,} observations at {found['t']}"
    cards = [_card(name, meanings[name], one) for name, one in found["distributions"].items()]
    says = f"{len(cards)} features"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(title, element("h1", title), section("Features", says, join(cards))), encoding="utf-8")
    return path


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _card(name: str, meaning: str, one: Any) -> Html:
    facts = [f"{one.rows - one.nulls:,} values, {one.nulls:,} null"]
    if one.quantiles:
        least, _, median, _, greatest = one.quantiles
        facts.append(f"{_number(least)} to {_number(greatest)}, median {_number(median)}")
    drawn = _histogram(one) if one.quantiles else _labels(one.edges, one.counts)
    label = f"{name}: {'; '.join(facts)}"
    picture = element("svg", drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", width=str(WIDTH), role="img", aria_label=label)
    return element("div", element("h3", name), element("p", meaning), picture, element("p", "; ".join(facts)))


def _histogram(one: Any) -> Html:
    top, width = max(one.counts, default=0) or 1, WIDTH / max(len(one.counts), 1)
    bars = [_bar(place * width, width - 1, count / top * (HEIGHT - 20)) for place, count in enumerate(one.counts)]
    return join([*bars, _text(0, _number(one.edges[0]), "start"), _text(WIDTH, _number(one.edges[-1]), "end")])


def _bar(x: float, width: float, height: float) -> Html:
    y = HEIGHT - 16 - height
    return element("rect", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:.1f}", fill=BLUE)


def _text(x: float, words: str, anchor: str) -> Html:
    return element("text", words, x=f"{x:.0f}", y=str(HEIGHT - 2), font_size="11", text_anchor=anchor, fill=MUTED)


def _labels(labels: Sequence[float | str], counts: Sequence[int]) -> Html:
    top, step = max(counts, default=0) or 1, (HEIGHT - 4) / max(len(labels), 1)
    rows = []
    for place, (label, count) in enumerate(zip(labels, counts, strict=True)):
        y, length = place * step, count / top * (WIDTH - 140)
        bar = element("rect", x="110", y=f"{y:.1f}", width=f"{length:.1f}", height=f"{max(step - 2, 2):.1f}", fill=BLUE)
        words = f"{str(label)[:16]} {count:,}"
        rows += [bar, element("text", words, x="0", y=f"{y + min(step, 11):.1f}", font_size="11", fill=MUTED)]
    return join(rows)
