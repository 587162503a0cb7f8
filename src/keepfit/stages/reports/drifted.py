"""The page of two sets of rows: how far each column of one has moved from the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.evidence import Drift
from keepfit.evidence.watched import Distribution
from keepfit.stages.reports import drift, page
from keepfit.stages.reports.page import Html, breakable, element

CHANCE = (
    "How likely so much is if both sets of rows are drawn from the same: of sampling alone, for no past says how much such sets "
    "differ by themselves. An alarm lies below the bound, which the budget of false alarms sets, and is far enough by its PSI."
)


def drifted_page(found: Mapping[str, Any], shown: Sequence[Distribution]) -> str:
    """Return what `keepfit.comparing` found as one self-contained HTML document, without script or request."""
    moved: Sequence[Drift] = found["drift"]
    parts = [
        _headline(found, drift.columns(moved)),
        _schema(found),
        drift.drift_section(moved, least=found["least_psi"]),
        drift.whole_sections(moved),
        drift.cards(drift.columns(moved), shown, "before"),
        footer(_meanings(moved)),
    ]
    return page.page("Drift", *parts)


def _meanings(moved: Sequence[Drift]) -> list[tuple[str, str]]:
    """Return what the words mean where no past is known: what is chance, only sampling tells."""
    known = drift.MEANINGS[2:] if all(one.effect is None for one in moved) else drift.MEANINGS
    return [(word, CHANCE if word == "Chance" else meaning) for word, meaning in known]


def footer(meanings: Sequence[tuple[str, str]]) -> Html:
    """Return what the words of a page mean."""
    words = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in meanings]
    return element("footer", element("h2", "What the words mean"), element("dl", *words))


def _headline(found: Mapping[str, Any], moved: Sequence[Drift]) -> Html:
    before, now = found["reference"], found["current"]
    lead = element(
        "p", f"{before['rows']:,} rows of ", element("code", ", ".join(before["files"])), f" before, {now['rows']:,} rows of ",
        element("code", ", ".join(now["files"])), " now.", class_="lead",
    )  # fmt: skip
    cells = [page.big(f"{len(moved):,}", "columns compared", "blue"), *drift.count_cells(moved)]
    return element(
        "header",
        element("p", "Drift", class_="kind"),
        element("h1", drift.says(moved)),
        lead,
        element("dl", *cells, class_="hero"),
    )


def _schema(found: Mapping[str, Any]) -> Html:
    """Return the columns that are of another type now, new, or were left out."""
    rows = [[breakable(name), how] for name, how in found["changed"].items()]
    rows += [[breakable(name), "new"] for name in found["new"]]
    rows += [[breakable(name), f"not compared ({kind})"] for name, kind in found["not_compared"].items()]
    if not rows:
        return Html()
    says = f"{len(rows)} columns are" if len(rows) > 1 else "One column is"
    return page.section(
        "Columns", f"{says} of another type, new or left out", page.table(["Column", "Now"], rows, "plain slim")
    )
