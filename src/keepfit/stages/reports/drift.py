"""What drift comes to on a page: how many columns moved, each with its measures, and how they are distributed then and now."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from keepfit.evidence import CONCEPT, CRITICAL, INFO, LABEL, MULTIVARIATE, PREDICTION, SEVERITIES, WARNING, Drift
from keepfit.evidence.watched import OTHERS, Distribution
from keepfit.measure.wording import number as short
from keepfit.stages.reports import page
from keepfit.stages.reports.bins import bins_picture
from keepfit.stages.reports.page import Html, breakable, element, join
from keepfit.stages.reports.palette import BLUE, CROSS, DOT, MUTED, OCHRE, TRIANGLE, VERMILLION
from keepfit.stages.reports.summary import MINUS, number, percent, plural

ROWS, CARDS = 30, 12
FEW_NAMED = 0.8
"""A column of which more rows than this share have a label that is not frequent is not drawn."""
SLIGHT = 0.01
"""A rise of the loss that is not worth a headline."""
LOOKS = {CRITICAL: (VERMILLION, CROSS), WARNING: (OCHRE, TRIANGLE), INFO: (MUTED, DOT)}
HEADS = {
    "psi": "PSI",
    "ks": "KS",
    "jensen_shannon": "JS",
    "wasserstein": "Wasserstein",
    "chi_square": "Chi-square",
    "missingness": "Missing more",
    "new_categories": "New labels",
}
KINDS = {PREDICTION: "the answer", LABEL: "what happened"}
SHARES = frozenset({"missingness", "new_categories"})
MEANINGS = (
    ("Reference", "The newest rows that the version was made with; of two sets of files, the first."),
    (
        "Effect on loss",
        "What the change of this column alone is expected to do to the loss: the change of each part's share times the loss that "
        "the test rows in it had.",
    ),
    (
        "Chance",
        "How likely so much is while nothing moves but what has moved in the model's own past, seasons included. Below the bound, "
        "which the budget of false alarms sets, it is an alarm.",
    ),
    ("Severity", "Critical: an alarm that is expected to raise the loss by a tenth, or of values never seen. Info: no alarm."),
    ("PSI, JS (Jensen-Shannon)", "Distances of the shares of the bins; 0 is no difference. PSI is less what chance would bring."),
    ("KS", "The largest gap between the two cumulative distributions, from 0 to 1."),
    ("Wasserstein", "How far values moved on average, in standard deviations of the reference."),
)  # fmt: skip


def columns(found: Sequence[Drift]) -> list[Drift]:
    """Return what is drift of a column, and not of all of them together or of what they mean."""
    return [one for one in found if one.binned]


def alarms(found: Sequence[Drift]) -> list[Drift]:
    """Return the columns that are an alarm, the critical ones first."""
    return [one for one in found if one.severity != INFO]


def says(found: Sequence[Drift], *, brief: bool = False) -> str:
    """Return in a sentence how many columns moved, and which above all; brief, it leaves out what is not to be feared."""
    moved = alarms(found)
    if not found:
        return "No drift was measured"
    if not moved:
        return f"None of {plural(len(found), 'column')} drifted: what moved, moved by chance or as it always did"
    one = f"{moved[0].column} drifted" if len(moved) == 1 else f"{len(moved)} of {len(found)} columns drifted"
    worst = max(moved, key=lambda item: item.relative_effect or 0.0)
    rise = worst.relative_effect
    if rise is not None and rise >= SLIGHT:
        which = f", above all {worst.column}, which is" if len(moved) > 1 else ","
        return f"{one}{which} expected to raise the loss by {100 * rise:.0f}%"
    far = max(moved, key=lambda item: item.psi)
    how = f"{one}, {far.column} farthest (PSI {short(far.psi)})" if len(moved) > 1 else f"{one} (PSI {short(far.psi)})"
    return f"{how}; the loss is not expected to rise by {100 * SLIGHT:.0f}%" if rise is not None and not brief else how


def severity(name: str) -> Html:
    """Return a severity with its sign."""
    colour, shape = LOOKS[name]
    return element("span", page.sign(colour, shape), element("span", name), class_="badge")


def drift_table(found: Sequence[Drift]) -> Html:
    """Return a row for each column, what matters most first, with every measure that any of them has."""
    measures = [name for name in HEADS if any(_tells(name, one) for one in found)]
    more = sorted({name for one in found for name in one.measures} - HEADS.keys())
    effects = any(one.relative_effect is not None for one in found)
    heads = ["Column", "Severity", *(["Effect on loss"] if effects else []), "Chance"]
    heads += [HEADS.get(name, name) for name in [*measures, *more]]
    rows = [_row(one, [*measures, *more], effects=effects) for one in found]
    numeric = frozenset(range(2, len(heads)))
    shown = element("div", page.table(heads, rows[:ROWS], "plain drift", numeric=numeric), class_="scroll")
    if len(rows) <= ROWS:
        return shown
    rest = element("div", page.table(heads, rows[ROWS:], "plain drift", numeric=numeric), class_="scroll")
    return join([shown, element("details", element("summary", f"{len(rows) - ROWS:,} more columns"), rest)])


def _row(one: Drift, measures: Sequence[str], *, effects: bool) -> list[str]:
    effect = [] if not effects else ["\u2013" if one.relative_effect is None else signed_percent(one.relative_effect)]
    return [
        _named(one),
        severity(one.severity),
        *effect,
        "\u2013" if one.chance is None else short(one.chance),
        *(_measure(name, one.measures.get(name)) for name in measures),
    ]


def _named(one: Drift) -> Html:
    kind = KINDS.get(one.kind)
    return (
        breakable(one.column)
        if kind is None
        else join([breakable(one.column), element("span", f" {kind}", class_="quiet")])
    )


def whole_says(one: Drift) -> str:
    """Return in a sentence what drift that is of no single column comes to: what inputs mean, or all of them together."""
    if one.kind == MULTIVARIATE:
        can = "can be told" if one.severity != INFO else "cannot be told"
        beside = f" (AUC {short(one.statistic)} of a model that tries)"
        return f"Rows of now {can} from those of then by all columns together{beside}"
    if one.severity == INFO:
        return f"The same inputs turn out as they did, as far as {one.rows:,} matured rows tell"
    rise = one.relative_effect
    side = "above" if rise is not None and rise >= 0 else "below"
    beside = "" if rise is None else f": the loss was {100 * abs(rise):.0f}% {side} what was to be expected"
    return f"The same inputs turn out otherwise than they did{beside}"


def whole_sections(found: Sequence[Drift]) -> Html:
    """Return what is known of concept drift, and of all columns together; nothing of what was not measured."""
    return join([_whole(one) for one in found if not one.binned])


def _whole(one: Drift) -> Html:
    concept = one.kind == CONCEPT
    read = "What came out of the newest matured rows, held against what was to be expected of exactly these inputs."
    if not concept:
        read = "A small model tries to tell the rows of now from those of then; 0.5 is no better than a coin."
        most = [name.removeprefix("without ") for name in one.measures if name.startswith("without ")]
        read += f" It goes by {', '.join(most[:3])}." if most else ""
    rows = [[severity(one.severity), short(one.statistic), *_chances(one), f"{one.rows:,}"]]
    heads = ["Severity", "Surprise, standard deviations" if concept else "AUC", "Chance", "Bound", "Rows"]
    table = page.table(heads, rows, "plain slim", numeric=frozenset({1, 2, 3, 4}))
    kind = "Concept" if concept else "All columns together"
    return page.section(kind, whole_says(one), element("p", read, class_="read"), table)


def _chances(one: Drift) -> list[str]:
    return ["\u2013" if value is None else short(value) for value in (one.chance, one.bound)]


def _tells(name: str, one: Drift) -> bool:
    """Return whether a measure says something: nothing missing more, and no label new, need no column."""
    return name in one.measures and (name not in SHARES or one.measures[name] != 0)


def _measure(name: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "\u2013"
    if name in SHARES:
        return signed_percent(value) if name == "missingness" else percent(value)
    return f"{value:.3f}" if abs(value) < 10 else number(value)


def signed_percent(value: float) -> str:
    """Return a share in percent with its sign."""
    return f"{100 * value:+.1f}%".replace("-", MINUS)


def cards(found: Sequence[Drift], shown: Sequence[Distribution], before: str) -> Html:
    """Return the columns that matter most, each in the parts of the reference: grey is before, blue is now."""
    known = {one.column: one for one in shown}
    first = [one for one in found if one.column in known and _readable(known[one.column])][:CARDS]
    if not first:
        return Html()
    made = [
        element(
            "div",
            element("h3", breakable(one.column)),
            element("p", severity(one.severity), f" PSI {one.psi:.3f}", class_="quiet"),
            bins_picture(known[one.column]),
            class_="card",
        )
        for one in first
    ]
    key = page.key((page.swatch(MUTED), before), (page.swatch(BLUE), "now"))
    every = f"The {len(first)} columns that matter most" if len(first) < len(found) else "Every column"
    read = "Share of the rows in each part: a run of the reference's bins with about a tenth of its rows, or one value."
    return page.section(
        "Distributions", f"{every}, then and now", element("p", read, class_="read"), key,
        element("div", *made, class_="columns"),
    )  # fmt: skip


def _readable(one: Distribution) -> bool:
    """Return whether a column has parts that tell something: of keys, hardly any label comes often."""
    rest = sum(part.before for part in one.bins if part.kind == OTHERS)
    return bool(one.bins) and rest <= FEW_NAMED * sum(part.before for part in one.bins)


def drift_section(found: Sequence[Drift], *, least: float | None = None) -> Html:
    """Return the table of drift of columns under its message; without a past an alarm is also a PSI of `least`."""
    found = columns(found)
    if not found:
        return page.absent("Drift", "No drift was measured: there are no current rows.")
    bound = found[0].bound
    read = "What matters most first: severity, then the expected effect on the loss, then how far."
    read += (
        f" An alarm is a chance below {short(bound)}{'' if least is None else f' with a PSI of {least:g} or more'}: "
        "the budget of false alarms, shared by all columns."
        if bound
        else ""
    )
    return page.section("Drift", says(found), element("p", read, class_="read"), drift_table(found))


def count_cells(found: Sequence[Drift], wanted: Callable[[str], bool] = lambda name: True) -> list[Html]:
    """Return how many columns have each severity, in large type."""
    counts = {name: sum(one.severity == name for one in found) for name in reversed(SEVERITIES)}
    words = {CRITICAL: "critical", WARNING: "warnings", INFO: "columns as always"}
    return [page.big(f"{count:,}", words[name]) for name, count in counts.items() if wanted(name)]
