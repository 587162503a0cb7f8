"""How a column was distributed and how it is now, bin by bin: two bars each, drawn stroke by stroke as pictures of `cards` are."""

from __future__ import annotations

from keepfit.evidence.watched import LABEL, MISSING, OTHERS, Bin, Distribution
from keepfit.stages.reports.cards import share
from keepfit.stages.reports.page import Html, element, join
from keepfit.stages.reports.palette import BLUE, INK, MUTED
from keepfit.stages.reports.summary import MINUS

WIDTH, LINE, NAME, SHARES, LETTERS = 340, 31, 128, 108, 19
BAR = 8
"""How thick a bar is, in pixels."""


def bins_picture(found: Distribution) -> Html:
    """Return a row for each bin: its name, a grey bar of before over a blue one of now, and both shares."""
    totals = [sum(one.before for one in found.bins), sum(one.now for one in found.bins)]
    most = max([max(_parts(one, totals)) for one in found.bins] + [1e-12])
    rows = [_row(place, one, found, totals, most) for place, one in enumerate(found.bins)]
    height = LINE * len(found.bins) + 2
    said = f"{found.column}: share of rows in each of {len(found.bins)} parts, before and now"
    box = f"0 0 {WIDTH} {height}"
    return element(
        "svg", join(rows), viewBox=box, width=str(WIDTH), height=str(height), role="img", aria_label=said
    )  # fmt: skip


def name_of(found: Distribution, place: int) -> str:
    """Return what a bin holds, in words."""
    one = found.bins[place]
    if one.kind == MISSING:
        return "missing"
    if one.kind == OTHERS:
        return "all others"
    if one.kind == LABEL:
        return " ".join(str(one.label).split()) or "(blank)"
    if one.low is not None and one.low == one.high:
        return plain(one.low)
    before = found.bins[place - 1] if place else None
    after = before is not None and one.low is not None and before.low == before.high == one.low
    if one.high is None:
        return "any value" if one.low is None else f"over {plain(one.low)}" if after else f"{plain(one.low)} and more"
    if one.low is None:
        return f"under {plain(one.high)}"
    return f"{'over ' if after else ''}{plain(one.low)} to {plain(one.high)}"


def plain(value: float) -> str:
    """Return a number as short as it can be told from its neighbours: four digits, or all of a whole number."""
    whole = value == int(value) if abs(value) < 1e15 else False
    text = f"{value:,.0f}" if whole or 1000 <= abs(value) < 1e15 else f"{value:,.4g}"
    return text.replace("-", MINUS) if text.startswith("-") else text


def _parts(one: Bin, totals: list[int]) -> tuple[float, float]:
    return one.before / (totals[0] or 1), one.now / (totals[1] or 1)


def _row(place: int, one: Bin, found: Distribution, totals: list[int], most: float) -> Html:
    y, name = place * LINE, name_of(found, place)
    reach = WIDTH - NAME - SHARES
    counts = (one.before, one.now)
    shares = [share(rows, whole) for rows, whole in zip(counts, totals, strict=True)]
    bars = [
        _bar(NAME, y + 6 + at * (BAR + 1), reach * part / most, colour)
        for at, (part, colour) in enumerate(zip(_parts(one, totals), (MUTED, BLUE), strict=True))
    ]
    told = f"{name}: {one.before:,} of {totals[0]:,} rows before, {one.now:,} of {totals[1]:,} now"
    short = [text.replace("under ", "<").replace("over ", ">") for text in shares]
    return element(
        "g",
        element("title", told),
        element("rect", x="0", y=str(y), width=str(WIDTH), height=str(LINE), fill="none", pointer_events="all"),
        _text(0, y + 19, _cut(name), "start", INK if one.kind not in (MISSING, OTHERS) else MUTED),
        *bars,
        _text(WIDTH, y + 19, f"{short[0]} \u2192 {short[1]}", "end", MUTED),
    )


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}\u2026"


def _bar(x: float, y: float, width: float, colour: str) -> Html:
    return element("rect", x=_px(x), y=_px(y), width=_px(max(width, 1)), height=str(BAR), fill=colour)


def _text(x: float, y: float, words: str, anchor: str, colour: str) -> Html:
    return element("text", words, x=_px(x), y=_px(y), font_size="12", text_anchor=anchor, fill=colour)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
