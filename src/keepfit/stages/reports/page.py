"""HTML that is safe by construction: every text is escaped unless it is already `Html`, which only this file makes.

A page is one file: its style is inlined, and its content security policy forbids every request and every script but those that
the page was made with, of which there are none unless its charts are alive.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from importlib import resources

from keepfit.stages.reports.palette import colour_of, shape_of

VOID = frozenset({"meta", "br"})
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Html(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def escape(text: str) -> Html:
    """Return text as markup; markup stays as it is."""
    return text if isinstance(text, Html) else Html(html.escape(text))


def element(tag: str, *children: str, **attributes: str | None) -> Html:
    """Return an element; `class_` and `data_label` become `class` and `data-label`, None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    body = "".join(escape(child) for child in children)
    return Html(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{body}</{tag}>")


def join(parts: Sequence[str], between: str = "") -> Html:
    """Return parts as one piece of markup."""
    return Html(escape(between).join(escape(part) for part in parts))


def breakable(name: str) -> Html:
    """Return a name as code that may wrap after its dots, underscores, brackets and spaces, rather than anywhere."""
    parts = [escape(part) for part in re.split(r"(?<=[_( ])|(?<=\.)(?!\d)", name)]
    return element("code", Html("<wbr>".join(parts)))


def drawn(svg: str) -> Html:
    """Return an SVG that `canvas.render` made, as markup."""
    return Html(svg)


def mark(decision: str) -> Html:
    """Return the mark of a decision as the charts draw it."""
    return sign(colour_of(decision), shape_of(decision))


def badge(decision: str) -> Html:
    """Return a decision with its mark."""
    return element("span", mark(decision), element("span", decision), class_="badge")


def figure(kind: str, says: str, read: str, pictures: Sequence[tuple[str, str]], key: Html | None = None) -> Html:
    """Return a figure: what it is, what it says, how to read it, and the pictures as `(canvas, svg)`."""
    caption = element(
        "figcaption", element("p", kind, class_="kind"), element("h2", says), element("p", read, class_="read")
    )
    shown = [element("div", drawn(svg), class_=f"chart {canvas}") for canvas, svg in pictures]
    return element("figure", caption, key or Html(), *shown)


def section(kind: str, says: str, *children: str, id_: str | None = None) -> Html:
    """Return a section with the same heading as a figure has."""
    return element("section", element("p", kind, class_="kind"), element("h2", says), *children, id_=id_)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str, *, numeric: frozenset[int] = frozenset()
) -> Html:
    """Return a table; each cell carries its head for phones, where a row becomes a card."""
    top = [
        element("th", head, scope="col", class_="n" if index in numeric else None) for index, head in enumerate(heads)
    ]
    body = [
        element(
            "tr",
            *(_cell(index, head, cell, numeric) for index, (head, cell) in enumerate(zip(heads, row, strict=True))),
        )
        for row in rows
    ]
    head = element("thead", element("tr", *top))
    return element("table", head, element("tbody", *body), class_=kind)


def _cell(index: int, head: str, cell: str, numeric: frozenset[int]) -> Html:
    style = "n" if index in numeric else None
    if index == 0:
        return element("th", cell, scope="row", class_=style, data_label=head)
    return element("td", element("div", cell), class_=style, data_label=head)


def big(value: str, words: str, style: str = "") -> Html:
    """Return a number in large type with what it is, for a list of the class `hero` or `counts`."""
    return element("div", element("dt", words), element("dd", value, class_=style or None))


def absent(kind: str, why: str) -> Html:
    """Return a section that says why it has nothing to show."""
    return element("section", element("p", kind, class_="kind"), element("p", why, class_="read"))


def key(*pairs: tuple[Html, str]) -> Html:
    """Return what signs mean, side by side."""
    return element("p", *(element("span", sign, words) for sign, words in pairs), class_="key")


def sign(colour: str, shape: str) -> Html:
    """Return a mark of a chart as a sign."""
    path = element("path", d=shape, fill=colour)
    return element("svg", path, class_="mark", viewBox="-1.2 -1.2 2.4 2.4", aria_hidden="true")


def swatch(colour: str) -> Html:
    """Return a colour as a sign."""
    square = element("rect", x="-1.2", y="-0.9", width="2.4", height="1.8", fill=colour)
    return element("svg", square, class_="mark", viewBox="-1.2 -1.2 2.4 2.4", aria_hidden="true")


def page(title: str, *children: str, scripts: Sequence[str] = ()) -> str:
    """Return a whole HTML document; its policy allows exactly these scripts, and none otherwise."""
    style = resources.files(__package__).joinpath("style.css").read_text("utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
    )
    body = element("body", element("main", *children), *(element("script", Html(one)) for one in scripts))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _policy(scripts: Sequence[str]) -> str:
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    allowed = "".join(f" 'sha256-{one}'" for one in digests)
    return f"{POLICY}; script-src{allowed}" if allowed else POLICY
