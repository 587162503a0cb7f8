"""One card a column: what it is, how its values are distributed, and the numbers of it.

The pictures are small and many, so they are drawn here stroke by stroke rather than by a library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keepfit import clock
from keepfit.engines.summary import ColumnSummary, Summary
from keepfit.stages.reports.page import Html, breakable, element, join
from keepfit.stages.reports.palette import BLUE, INK, MUTED, PAPER, VERMILLION

WIDTH, TOP, FLOOR, HEIGHT = 340, 16, 84, 112
LINE, NAME, LETTERS, LABELS = 17, 136, 20, 7
MONTHS = 60 * clock.DAY
NEAR = 0.15
"""A declared bound is drawn if it lies no farther outside of the values than this share of their range."""
WORDS = {
    "float": "number",
    "integer": "whole number",
    "boolean": "yes or no",
    "DOUBLE": "number",
    "BIGINT": "whole number",
    "BOOLEAN": "yes or no",
    "VARCHAR": "text",
}


def card(one: ColumnSummary, declared: Mapping[str, Any], summary: Summary) -> Html:
    """Return the card of a column."""
    moment = is_moment(one)
    kind = declared.get("type") or ("time" if moment else one.type)
    words = [WORDS.get(kind, kind.lower()), declared.get("unit"), declared.get("role")]
    told = dict.fromkeys(word for word in words if word)
    facts = _facts(one, declared, summary)
    head = [element("h3", breakable(one.name)), element("p", ", ".join(told), class_="quiet")]
    return element("div", *head, _picture(one, declared, summary), facts, class_="card")


def is_moment(one: ColumnSummary) -> bool:
    """Return whether a column holds moments."""
    return one.type.startswith(("TIMESTAMP", "DATE"))


def value_text(one: ColumnSummary, value: float) -> str:
    """Return a value of a column as short text; of moments that lie months apart, the day."""
    if not is_moment(one):
        return short(value)
    day = one.quantiles[4] - one.quantiles[0] > MONTHS
    return moment_text(int(value), day=day)


def moment_text(at: int, *, day: bool) -> str:
    """Return a moment to the day or to the second."""
    return clock.show(at // clock.DAY * clock.DAY if day else at // clock.SECOND * clock.SECOND)


def short(value: float) -> str:
    """Return a number as short text: four digits, or all of a whole number below a quadrillion."""
    text = f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.4g}"
    return text.replace("-", "\u2212") if text.startswith("-") else text


def share(part: float, whole: float) -> str:
    """Return a share in percent that is never rounded to nothing or to all."""
    if not whole or not part or part == whole:
        return "0%" if not part else "100%"
    percent = 100 * part / whole
    return "under 0.1%" if percent < 0.1 else "over 99.9%" if percent > 99.9 else f"{percent:.1f}%"


def _facts(one: ColumnSummary, declared: Mapping[str, Any], summary: Summary) -> Html:
    rows, about = summary.extent.rows, "about " if summary.estimated else ""
    missing = share(one.nulls, rows) + (f", {one.nulls:,} rows" if one.nulls else "")
    facts = [("missing", missing), ("distinct", f"{about}{one.distinct:,}")]
    if one.quantiles and not one.labels:
        least, low, median, high, greatest = (value_text(one, value) for value in one.quantiles)
        facts += [("least", least), ("quartiles", f"{low}, {median}, {high}"), ("greatest", greatest)]
    elif one.quantiles and declared.get("type", "text") == "text":
        least, _, median, _, greatest = (short(value) for value in one.quantiles)
        facts += [("letters", f"{least} to {greatest}, median {median}" if least != greatest else least)]
    if (bounds := _declared_bounds(declared)) is not None:
        facts += [("declared", bounds)]
    return element("dl", *(part for name, text in facts for part in (element("dt", name), element("dd", text))))


def _declared_bounds(declared: Mapping[str, Any]) -> str | None:
    least, greatest = declared.get("min"), declared.get("max")
    if least is not None and greatest is not None:
        return f"{short(least)} to {short(greatest)}"
    if least is not None:
        return f"at least {short(least)}"
    return f"at most {short(greatest)}" if greatest is not None else None


def _picture(one: ColumnSummary, declared: Mapping[str, Any], summary: Summary) -> Html:
    if not one.quantiles and not one.labels:
        return element("p", "No value in any row." if summary.extent.rows else "No rows.", class_="quiet")
    if not one.labels:
        return _histogram(one, declared)
    if not _all_differ(one):
        return _labels(one)
    such = ", ".join(_cut(label) for label, _ in one.labels[:4])
    said = element("p", f"Hardly any value comes often: {such} \u2026", class_="such")
    same = one.edges[0] == one.edges[-1]  # texts of one length, as keys are
    return said if same else join([said, _histogram(one, declared)])


def _all_differ(one: ColumnSummary) -> bool:
    """Return whether a text has no label that tells something: nearly each value comes once or twice."""
    return one.distinct > 50 and one.labels[0][1] < max(3, one.labelled / 500)


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0) * WIDTH


def _histogram(one: ColumnSummary, declared: Mapping[str, Any]) -> Html:
    low, high = one.edges[0], one.edges[-1]
    edges: Sequence[float] = one.edges
    if low == high:  # one value: a bar in the middle
        edges, air = (low - 0.5, low + 0.5), 3.0
        scale, bounds = _Scale(low - air, high + air), []
    else:
        near, air = (high - low) * NEAR, 0.5 if _by_one(one) else 0.0
        told = [("min", -air), ("max", air)] if not one.labels else []
        found = [
            (f"{name} {short(declared[name])}", declared[name] + by)
            for name, by in told
            if declared.get(name) is not None
        ]
        bounds = [(words, bound) for words, bound in found if low - near <= bound <= high + near]
        scale = _Scale(min([low, *(b for _, b in bounds)]), max([high, *(b for _, b in bounds)]))
    parts = [*_bars(edges, one.counts, scale), *_box(one, scale), *_bounds(bounds, scale), *_ends(one, scale)]
    what = "letters of the texts" if one.labels else "values"
    ends = [value_text(one, one.quantiles[place]) for place in (0, 2, 4)]
    return _svg(join(parts), HEIGHT, f"{one.name}: {what} from {ends[0]} to {ends[2]}, median {ends[1]}")


def _svg(body: Html, height: int, label: str) -> Html:
    box = f"0 0 {WIDTH} {height}"
    return element("svg", body, viewBox=box, width=str(WIDTH), height=str(height), role="img", aria_label=label)


def _bars(edges: Sequence[float], counts: Sequence[int], scale: _Scale) -> list[Html]:
    top = max([*counts, 1])
    found = []
    for place, count in enumerate(counts):
        left, right = scale.x(edges[place]), scale.x(edges[place + 1])
        tall = (FLOOR - TOP) * count / top
        if count:
            found.append(_rect(left, FLOOR - max(tall, 1), max(right - left - 1, 1), max(tall, 1)))
    return [*found, _line(0, FLOOR + 0.5, WIDTH, FLOOR + 0.5, MUTED)]


def _box(one: ColumnSummary, scale: _Scale) -> list[Html]:
    """Return a line from least to greatest, thick between the quartiles, with a dot at the median."""
    least, low, median, high, greatest = (scale.x(value) for value in one.quantiles)
    y = FLOOR + 8
    dot = element("circle", cx=_px(median), cy=_px(y), r="3.5", fill=PAPER, stroke=INK, stroke_width="1.5")
    return [_line(least, y, greatest, y, MUTED), _line(low, y, high, y, INK, width="4"), dot]


def _bounds(bounds: Sequence[tuple[str, float]], scale: _Scale) -> list[Html]:
    found, places = [], [min(max(scale.x(bound), 0.75), WIDTH - 0.75) for _, bound in bounds]
    crowded = len(places) == 2 and places[1] - places[0] < WIDTH / 2
    for place, (words, _) in enumerate(bounds):
        x, left = places[place], places[place] < WIDTH / 2
        anchor, y = ("start" if left else "end"), (22 if crowded and place else 10)
        found.append(_line(x, 2, x, FLOOR, VERMILLION, dash="3 2"))
        found.append(_text(x + (4 if left else -4), y, words, anchor, VERMILLION))
    return found


def _ends(one: ColumnSummary, scale: _Scale) -> list[Html]:
    """Return the ends of the scale; where values lie beyond it, the outermost bar holds them too."""
    if one.edges[0] == one.edges[-1]:
        return [_text(WIDTH / 2, HEIGHT - 2, value_text(one, one.edges[0]), "middle", MUTED)]
    ends = [scale.low, scale.high]
    if _by_one(one):
        ends = [ends[0] + 0.5, ends[1] - 0.5]
    unit = " letters" if one.labels else ""
    first, last = (f"{value_text(one, end)}{unit}" for end in ends)
    # a bar at the edge of the picture holds the values beyond it too
    first = f"\u2264 {first}" if one.quantiles[0] < one.edges[0] == scale.low else first
    last = f"\u2265 {last}" if one.quantiles[4] > one.edges[-1] == scale.high else last
    return [_text(0, HEIGHT - 2, first, "start", MUTED), _text(WIDTH, HEIGHT - 2, last, "end", MUTED)]


def _by_one(one: ColumnSummary) -> bool:
    """Return whether there is a bin for each whole number."""
    return one.edges[0] % 1 == 0.5 and one.edges[1] - one.edges[0] == 1


def _labels(one: ColumnSummary) -> Html:
    total, shown = max(one.labelled, 1), list(one.labels[:LABELS])
    rest = one.labelled - sum(rows for _, rows in shown)
    lines = [*shown, *([(f"{one.distinct - len(shown):,} others", rest)] if rest else [])]
    parts = []
    for place, (label, rows) in enumerate(lines):
        y, other = place * LINE, place == len(shown)
        parts.append(_text(0, y + 12, _cut(label), "start", MUTED if other else INK))
        parts.append(_text(WIDTH, y + 12, share(rows, total), "end", MUTED))
        if not other:
            parts.append(_rect(NAME, y + 3, max((WIDTH - NAME - 56) * rows / shown[0][1], 1), LINE - 6))
    said = ", ".join(f"{label} {share(rows, total)}" for label, rows in shown[:3])
    return _svg(join(parts), LINE * len(lines) + 4, f"{one.name}: {said}")


def _cut(label: str) -> str:
    line = " ".join(label.split()) or "(blank)"
    return line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}\u2026"


def _rect(x: float, y: float, width: float, height: float) -> Html:
    return element("rect", x=_px(x), y=_px(y), width=_px(width), height=_px(height), fill=BLUE)


def _line(x: float, y: float, x2: float, y2: float, colour: str, *, width: str = "1", dash: str | None = None) -> Html:
    ends = {"x1": _px(x), "y1": _px(y), "x2": _px(x2), "y2": _px(y2)}
    return element("line", stroke=colour, stroke_width=width, stroke_dasharray=dash, **ends)


def _text(x: float, y: float, words: str, anchor: str, colour: str) -> Html:
    return element("text", words, x=_px(x), y=_px(y), font_size="12", text_anchor=anchor, fill=colour)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
