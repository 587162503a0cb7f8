"""The features that an expert would ask about, and what became of those that a selection looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepfit.stages.reports import page
from keepfit.stages.reports.page import Html, breakable, element
from keepfit.stages.reports.summary import number, plural

WORDS = {
    "empty": "never there",
    "constant": "one value only",
    "redundant": "says what another says",
    "suspicious": "too good to be true",
    "unstable": "does not help for sure",
    "unused": "not used",
}


def features_to_ask_about(found: Mapping[str, Any]) -> Html:
    """Return the section of a version's page; nothing of versions that do not know."""
    notes: Sequence[Mapping[str, Any]] = found.get("features", ())
    if not notes:
        return Html()
    asked, left = [one for one in notes if one["about"]], [one for one in notes if not one["kept"]]
    says = f"{plural(len(left), 'feature')} left out by the selection; " if left else ""
    says += (
        f"{len(asked)} of {plural(len(notes), 'feature')} to ask about" if asked else "Nothing odd about any of them"
    )
    read = "Looked at in the rows that were learnt from. Alone: how well it orders the target by itself, 0.5 (AUC) or 0 is nothing."
    return page.section("Features", says, element("p", read, class_="read"), *([_table(asked)] if asked else []))


def _table(notes: Sequence[Mapping[str, Any]]) -> Html:
    rows = [
        [
            breakable(one["feature"]),
            WORDS.get(one["about"], one["about"]),
            "kept" if one["kept"] else "left out",
            number(one["alone"]),
            one["reason"],
        ]
        for one in notes
    ]
    heads = ["Feature", "What", "Learnt from", "Alone", "Why"]
    return element("div", page.table(heads, rows, "plain", numeric=frozenset({3})), class_="scroll")
