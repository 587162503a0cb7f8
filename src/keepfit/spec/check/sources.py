"""The rules of sources and formats."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

from keepfit.spec.check.problem import NAME, Problem, place
from keepfit.spec.sources import IN_NAMES, TIMES_IN_NAMES, Csv, Database, Delta, Excel, Files, FixedWidth, Json, Parquet
from keepfit.spec.tables import Table

Finding = tuple[str, str]  # what is wrong, and the fix
FROM_THE_WEB = ("http://", "https://")
PASSWORDS = {"password", "passwd", "pwd"}


def malformed_source(table: Table) -> Iterator[Problem]:
    """A source is one of ours, and its words are of the kind that they take."""
    source = table.source
    if not isinstance(source, Files | Database | Delta):
        yield Problem(f"source {source!r} is no source", place(table), "write Files('sales_*.csv')")
        return
    for what, fix in _words(source):
        yield Problem(f"{type(source).__name__}: {what}", place(table), fix)
    format = source.format if isinstance(source, Files) else None
    if format is not None and not isinstance(format, Csv | FixedWidth | Json | Parquet | Excel):
        fix = "call one: Csv(delimiter=';'), FixedWidth({...}), Json(), Parquet(), Excel()"
        yield Problem(f"Files: format={format!r} is no format", place(table), fix)
    else:
        for what, fix in _of_format(format):
            yield Problem(f"{type(format).__name__}: {what}", place(table), fix)


def _words(source: Files | Database | Delta) -> Iterator[Finding]:
    needed = {"pattern": "sales_*.csv", "url": "env:SHOP_DATABASE", "path": "shop/orders"}
    for what, given in vars(source).items():
        if what in needed and not (isinstance(given, str) and given.strip()):
            yield f"{what}={given!r} is no text", f"write it as a text: {needed[what]!r}"
        elif what not in (*needed, "format") and given is not None and not isinstance(given, str):
            yield f"{what}={given!r} is no text", f"write it as a text: {what}='...'"


def _of_format(format: object) -> Iterator[Finding]:
    words = vars(format) if format is not None else {}
    skip = words.get("skip", 0)
    if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
        yield f"skip={skip!r} is no number of lines", "write skip=1"
    for what in ("records", "sheet"):
        if words.get(what) is not None and not isinstance(words[what], str):
            yield f"{what}={words[what]!r} is no text", f"write it as a text: {what}='...'"
    try:
        codecs.lookup(words.get("encoding", "utf-8"))
    except (LookupError, TypeError):
        yield f"encoding={words['encoding']!r} is no codec", "name one of Python's: 'utf-8', 'latin-1', 'cp1252'"
    if isinstance(format, Csv):
        yield from _of_csv(format)
    if isinstance(format, FixedWidth):
        yield from _of_fixed_width(format)


def _of_csv(format: Csv) -> Iterator[Finding]:
    if format.delimiter is not None and not _is_sign(format.delimiter):
        yield f"delimiter={format.delimiter!r} is not one character", "write delimiter=';'"
    if format.quote != "" and not _is_sign(format.quote):
        yield f"quote={format.quote!r} is not one character", "write quote=\"'\", or quote='' if there is none"
    elif format.quote == format.delimiter:
        yield f"{format.quote!r} quotes and delimits", "give one of them another character"
    if format.names is not None:
        yield from _of_names(format.names)


def _of_names(names: object) -> Iterator[Finding]:
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) and name for name in names):
        yield f"names={names!r} is no list of columns", "write names=['id', 'amount']"
        return
    for name, times in Counter(name.lower() for name in names).items():
        if times > 1:
            yield f"names= has {name!r} {times} times", "name each column once"


def _of_fixed_width(format: FixedWidth) -> Iterator[Finding]:
    fix = "write columns={'id': (1, 15), 'year': (157, 160)}, counted from 1"
    if not isinstance(format.columns, dict) or not format.columns:
        yield f"columns={format.columns!r} places no columns", fix
        return
    yield from _of_names(tuple(format.columns))
    for name, span in format.columns.items():
        numbers = isinstance(span, tuple) and len(span) == 2 and all(type(one) is int for one in span)
        if not numbers or not 1 <= span[0] <= span[1]:
            yield f"column {name!r} stands at {span!r}, which are no first and last character", fix


def _is_sign(given: object) -> bool:
    return isinstance(given, str) and len(given) == 1 and given not in "\r\n"


def names_hold_columns(table: Table) -> Iterator[Problem]:
    """What stands in braces in a pattern is a column, once, or the form of a time."""
    if not isinstance(table.source, Files):
        return
    pattern, forms = table.source.pattern, dict[str, str | None]()
    if (rest := re.search(r"\{[^}]*\}?|\}", IN_NAMES.sub("", pattern))) is not None:
        what = f"Files: {rest[0]!r} in {pattern!r} is no column in braces"
        yield Problem(what, place(table), "write {station} or {month:%Y_%m}")
    for name, form in ((found[1], found[2]) for found in IN_NAMES.finditer(pattern)):
        if forms.setdefault(name, form) != form:
            fix = "write both alike, or name them apart"
            yield Problem(f"Files: column {name!r} stands in {pattern!r} in two forms", place(table), fix)
        if not re.fullmatch(NAME, name):
            yield Problem(
                f"Files: {name!r} begins with an underscore", place(table), "underscored names are keepfit's own"
            )
        if form is not None and (fix := _mended(form)):
            yield Problem(f"Files: {{{name}:{form}}} in {pattern!r} is no time", place(table), fix)
    twice = {name.lower() for name in forms} & {name.lower() for name in _names(table.source)}
    for name in sorted(twice):
        fix = "give the column in braces another name"
        yield Problem(f"Files: column {name!r} stands in the files and in their names", place(table), fix)


def _mended(form: str) -> str:
    unknown = [sign for sign in re.findall(r"%(.?)", form) if sign not in TIMES_IN_NAMES or not sign]
    if unknown:
        return "there are: " + " ".join(f"%{sign}" for sign in TIMES_IN_NAMES)
    return "" if re.search("%[YyG]", form.replace("%%", "")) else "name the year: {month:%Y_%m}"


def _names(source: Files) -> tuple[str, ...]:
    if isinstance(source.format, FixedWidth):
        return tuple(source.format.columns)
    return (source.format.names or ()) if isinstance(source.format, Csv) else ()


def secrets_are_not_written_down(table: Table) -> Iterator[Problem]:
    """A definition is kept with each model version, so it holds no password."""
    source = table.source
    address = (
        source.pattern if isinstance(source, Files) else source.url if isinstance(source, Database) else source.path
    )
    try:
        parts = urlsplit(address)
        written = bool(parts.password) or bool(PASSWORDS & {name.lower() for name in parse_qs(parts.query)})
    except ValueError:  # brackets that are no IPv6 address
        written = False
    if written:
        fix = "keep the whole address in an environment variable, and write url='env:SHOP_DATABASE'"
        if not isinstance(source, Database):
            fix = "leave it out: credentials come from the environment"
        what = f"{type(source).__name__}: a password stands in the address of {parts.hostname}"
        yield Problem(what, place(table), fix)


def databases_are_asked_one_thing(table: Table) -> Iterator[Problem]:
    """A database is read by table or by query."""
    source = table.source
    if not isinstance(source, Database):
        return
    if (source.table is None) == (source.query is None):
        what = "names no table" if source.table is None else "names a table and a query"
        yield Problem(f"Database {what}", place(table), "give table='orders', or query='select ...'")
    if not re.match(r"env:[A-Za-z_][A-Za-z0-9_]*$|[a-z][a-z0-9+.]*://", source.url):
        fix = "write url='postgresql://host/shop', 'sqlite:///shop.db', or 'env:SHOP_DATABASE'"
        yield Problem(f"Database: {source.url!r} is no address", place(table), fix)


def checksums_are_of_one_file(table: Table) -> Iterator[Problem]:
    """A checksum is 64 hex digits, of what an address on the web gives."""
    source = table.source
    if not isinstance(source, Files) or source.sha256 is None:
        return
    if not re.fullmatch("[0-9a-fA-F]{64}", source.sha256):
        yield Problem(f"Files: sha256={source.sha256!r} is no SHA-256", place(table), "write its 64 hex digits")
    if not source.pattern.startswith(FROM_THE_WEB):
        fix = "give it with an address such as https://host/file.csv, or leave it out"
        yield Problem(f"Files: sha256 is not that of {source.pattern!r}", place(table), fix)


SOURCE_RULES: tuple[Callable[[Table], Iterator[Problem]], ...] = (
    names_hold_columns,
    secrets_are_not_written_down,
    databases_are_asked_one_thing,
    checksums_are_of_one_file,
)
