"""The profile of a table on one page: what it holds, from when, what is missing, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keepfit import clock
from keepfit.engines.summary import ColumnSummary, Covered, Extent, Gap, Summary
from keepfit.stages.reports import coverage, page
from keepfit.stages.reports.canvas import Span, pictures_of
from keepfit.stages.reports.cards import MONTHS, card, moment_text, share, short
from keepfit.stages.reports.coverage import Strip
from keepfit.stages.reports.page import Html, breakable, element
from keepfit.stages.reports.palette import HEAT
from keepfit.stages.reports.summary import plural

CARDS, STRIPS, FILES = 300, 40, 15
SCALE = ("none missing", "up to 1%", "up to 10%", "up to half", "more than half")


def write_profile(found: Mapping[str, Any], path: Path) -> Path:
    """Write what `looking.show` found as one self-contained HTML file, and return its path.

    The file has no script and makes no request; it reads on a desk, a phone and paper, in light and dark.
    """
    summary: Summary = found["summary"]
    span = coverage.span_of(summary.starts, summary.step) if summary.starts else None
    parts = [_headline(found, summary)]
    if span is not None:
        parts += [_time(found, summary, span), _entities(summary, span)]
    parts += [_missing(summary, span), _columns(found, summary), _files(summary), _quarantine(found)]
    parts += [_rows(found), _footer(found, summary)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.page(f"{found['table']}: profile", *parts), encoding="utf-8")
    return path


def _headline(found: Mapping[str, Any], summary: Summary) -> Html:
    extent, columns = summary.extent, len(summary.columns)
    kind = f"Profile of a table of {found['kind']}" if found["kind"] in ("events", "records") else "Profile of a table"
    lead: list[str] = [f"{plural(extent.rows, 'row')} of {plural(columns, 'column')}"]
    if extent.from_at is not None and extent.to_at is not None:
        lead += [", ", _moment(_when(extent.from_at, extent)), " to ", _moment(_when(extent.to_at, extent))]
    if found["seen_as_of"]:
        lead += [", as they were known before ", _moment(found["seen_as_of"])]
    cells = extent.rows * columns
    nulls = sum(one.nulls for one in summary.columns)
    big = [page.big(f"{extent.rows:,}", "rows", "blue")]
    big += [page.big(f"{summary.entities:,}", "entities")] if summary.entities else []
    big += [page.big(share(nulls, cells), "of all values are missing")]
    counts = [page.big(f"{columns:,}", "columns"), page.big(str(found["version"]), "version")]
    counts += [page.big(f"{found['parquet_files']:,}", "Parquet files"), page.big(_size(found["bytes"]), "on disk")]
    counts += [page.big(f"{len(summary.files):,}", "source files")] if summary.files else []
    if found["quarantine"]:
        counts += [page.big(f"{found['quarantine']['rows']:,}", "rows in quarantine")]
    said = [element("p", kind, class_="kind"), element("h1", breakable(found["table"]))]
    told = element("p", *lead, ".", class_="lead")
    return element("header", *said, told, element("dl", *big, class_="hero"), element("dl", *counts, class_="counts"))


def _when(at: int | None, extent: Extent) -> str:
    """Return a moment as the table's extent makes it worth saying: to the day, if it covers months."""
    if at is None or extent.from_at is None or extent.to_at is None:
        return "\u2013"
    return moment_text(at, day=extent.to_at - extent.from_at > MONTHS)


def _moment(text: str) -> Html:
    return element("time", text)


def _time(found: Mapping[str, Any], summary: Summary, span: Span) -> Html:
    low, high = min(summary.periods), max(summary.periods)
    empty = sum(not rows for rows in summary.periods)
    says = f"{low:,} to {high:,} rows in each {_step(summary)}"
    says += f", and {plural(empty, 'period')} without any" if empty else ""
    alt = f"Rows in each of {len(summary.periods)} periods: {says}"
    pictures = pictures_of("rows", alt, lambda canvas: coverage.rows_chart(summary.periods, canvas, span))
    read = f"Rows in each {_step(summary)}, by the time of the rows in UTC."
    return element("div", page.figure("Time", says, read, pictures), _gaps(found, summary.gaps))


def _step(summary: Summary) -> str:
    return summary.step.removeprefix("1 ")


def _gaps(found: Mapping[str, Any], gaps: Sequence[Gap]) -> Html:
    quiet = found["quiet"]
    long = [gap for gap in gaps if quiet is None or gap.to_at - gap.from_at > quiet]
    if not long:
        return Html()
    normal = f" for longer than {clock.duration_text(quiet)}, the declared quiet" if quiet else ""
    rows = [[clock.show(gap.from_at), clock.show(gap.to_at), _length(gap)] for gap in long]
    table = page.table(["from", "to", "length"], rows, "plain slim", numeric=frozenset({2}))
    return element("div", element("h3", f"Without any row{normal}"), table)


def _length(gap: Gap) -> str:
    hours = (gap.to_at - gap.from_at) // clock.HOUR
    return f"{hours:,} h" if hours < 72 else f"{hours / 24:,.0f} days"


def _entities(summary: Summary, span: Span) -> Html:
    shown = [*summary.most, *summary.least]
    if not shown:
        return Html()
    strips = [Strip(one.name, f"{one.rows:,}", tuple(map(float, one.periods))) for one in shown]
    most, least = shown[0].rows, shown[-1].rows
    rows = f"{least:,} to {most:,}" if least < most else f"{most:,}"
    says = f"{plural(summary.entities, 'entity').replace('entitys', 'entities')} with {rows} rows each"
    ends = f"the {len(summary.most)} with the most, then the {len(summary.least)} with the fewest"
    which = ends if summary.least else "all of them"
    read = f"Rows of single entities in each {_step(summary)}, all to one scale: {which}."
    pictures = pictures_of("entities", says, lambda canvas: coverage.entities_chart(strips, canvas, span))
    return element("div", page.figure("Entities", says, read, pictures), _repeated(summary))


def _repeated(summary: Summary) -> Html:
    if not summary.compared:
        return Html()
    keys = " and ".join(summary.keys)
    if not summary.repeated:
        said = f"No two rows have the same {keys}"
    else:
        said = f"{share(summary.repeated, summary.compared)} of rows repeat the {keys} of another row"
    some = "" if summary.compared == summary.extent.rows else f", among {summary.compared:,} that were compared"
    return element("p", f"{said}{some}.", class_="read")


def _missing(summary: Summary, span: Span | None) -> Html:
    holed = sorted((one for one in summary.columns if one.nulls), key=lambda one: (-one.nulls, one.name))
    if not holed:
        return page.absent("Missing values", "No value is missing in any column.")
    whole = len(summary.columns) - len(holed)
    says = f"{holed[0].name} is missing in {share(holed[0].nulls, summary.extent.rows)} of rows"
    says += f"; {plural(whole, 'column')} of {len(summary.columns)} have no gap" if whole else "; no column is whole"
    if span is None:
        rows = [[breakable(one.name), share(one.nulls, summary.extent.rows)] for one in holed[:STRIPS]]
        table = page.table(["column", "missing"], rows, "plain slim", numeric=frozenset({1}))
        return page.section("Missing values", says, table)
    shown = [_strip(one, summary) for one in holed[:STRIPS]]
    read = f"Share of rows without a value in each {_step(summary)}."
    read += f" The {STRIPS} columns that miss the most, of {len(holed)}." if len(holed) > STRIPS else ""
    key = page.key(*((page.swatch(colour), words) for colour, words in zip(HEAT, SCALE, strict=True)))
    pictures = pictures_of("missing", says, lambda canvas: coverage.missing_chart(shown, canvas, span))
    return page.figure("Missing values", says, read, pictures, key)


def _strip(one: ColumnSummary, summary: Summary) -> Strip:
    shares = [missing / rows if rows else None for missing, rows in zip(one.missing, summary.drawn, strict=True)]
    return Strip(
        one.name, share(one.nulls, summary.extent.rows).replace("under ", "<").replace("over ", ">"), tuple(shares)
    )


def _columns(found: Mapping[str, Any], summary: Summary) -> Html:
    shown = summary.columns[:CARDS]
    cards = element(
        "div", *(card(one, found["declared"].get(one.name, {}), summary) for one in shown), class_="columns"
    )
    read = "Bars: how often values occur. The line below them runs from the least to the greatest value, thick between the "
    read += "quartiles, with a dot at the median. A dashed line is a declared bound."
    read += f" The first {CARDS} of {len(summary.columns)}." if len(summary.columns) > CARDS else ""
    return page.section("Columns", plural(len(summary.columns), "column"), element("p", read, class_="read"), cards)


def _files(summary: Summary) -> Html:
    if not summary.files:
        return Html()
    ranked = sorted(summary.files, key=lambda one: (-one.rows, one.name))
    says = f"Rows of {plural(len(ranked), 'file')}"
    heads = ["file", "rows", "from", "to"]
    parts = [page.table(heads, [_file(one, summary.extent) for one in ranked[:FILES]], "plain", numeric=frozenset({1}))]
    if len(ranked) > FILES:
        rest = page.table(
            heads, [_file(one, summary.extent) for one in ranked[FILES:]], "plain", numeric=frozenset({1})
        )
        parts.append(element("details", element("summary", f"{len(ranked) - FILES:,} more"), rest))
    return page.section("Where the rows came from", says, *parts)


def _file(one: Covered, extent: Extent) -> list[str]:
    return [breakable(one.name), f"{one.rows:,}", _when(one.from_at, extent), _when(one.to_at, extent)]


def _quarantine(found: Mapping[str, Any]) -> Html:
    if not found["quarantine"]:
        return Html()
    reasons: Mapping[str, int] = found["quarantine"]["reasons"]
    says = f"The rule that most rows broke: {next(iter(reasons))}"
    rows = [[reason, f"{count:,}"] for reason, count in reasons.items()]
    read = (
        "Rows of these files that are in quarantine, by the rule they broke; a row that broke several counts for each."
    )
    table = page.table(["rule", "rows"], rows, "plain slim", numeric=frozenset({1}))
    return page.section("Quarantine", says, element("p", read, class_="read"), table)


def _rows(found: Mapping[str, Any]) -> Html:
    rows: Sequence[Mapping[str, Any]] = found["sample"]
    if not rows:
        return Html()
    body = [["\u2013" if value is None else _cell(value) for value in row.values()] for row in rows]
    table = page.table([str(name) for name in rows[0]], body, "plain sample")
    read = "Evenly drawn from the whole table; the same ones each time."
    return page.section(
        "Rows",
        f"{plural(len(rows), 'row')} as they are stored",
        element("p", read, class_="read"),
        element("div", table, class_="scroll"),
    )


def _cell(value: Any) -> str:
    text = short(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}\u2026"


def _footer(found: Mapping[str, Any], summary: Summary) -> Html:
    whole = summary.sampled == summary.extent.rows
    of = "all rows" if whole else f"an even sample of {summary.sampled:,} rows, the same ones each time"
    words = [
        (
            "Exact",
            "Rows and missing values of the table; least and greatest numbers and times; rows of periods, entities and files.",
        ),
        (
            "Quartiles, histograms, labels",
            f"Of {of}." + ("" if whole else " The outermost bars and the least and greatest hold."),
        ),
    ]
    words += (
        []
        if not summary.estimated
        else [
            (
                "Distinct values",
                "An estimate, true to about a fifth, where the sample did not see each of them twice.",
            ),
            ("Missing over time", f"Of {of}."),
        ]
    )
    words += [
        ("Far values", "Where a few values lie far from all others, the outermost bars hold them too (\u2264, \u2265).")
    ]
    listed = [element("div", element("dt", word), element("dd", meaning)) for word, meaning in words]
    return element("footer", element("h2", "How this was measured"), element("dl", *listed))


def _size(number: int) -> str:
    value, unit = float(number), 0
    while value >= 1000 and unit < 4:
        value, unit = value / 1000, unit + 1
    digits = 1 if unit and value < 100 else 0
    return f"{value:.{digits}f} {('B', 'kB', 'MB', 'GB', 'TB')[unit]}"
